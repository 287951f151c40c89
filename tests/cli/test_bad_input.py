"""What goes wrong: one clear line, the right exit code, nothing half-written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from fake_studio import GRID, beat, names

from loopnet_cli.errors import WeightsError
from loopnet_cli.pattern import Pattern
from loopnet_cli.pattern.write import to_midi, write_midi


def melody() -> bytes:
    """Two tracks on channels 1 and 2: no drums, and no only track that might be meant as some."""
    track = bytes([0, 0x90, 60, 90, 96, 0x80, 60, 0, 0, 0xFF, 0x2F, 0])
    other = bytes([0, 0x91, 64, 90, 96, 0x81, 64, 0, 0, 0xFF, 0x2F, 0])
    head = b"MThd" + (6).to_bytes(4, "big") + bytes([0, 1, 0, 2, 0, 96])
    return head + b"".join(b"MTrk" + len(t).to_bytes(4, "big") + t for t in (track, other))


def number(value: int) -> bytes:
    """Return a MIDI variable-length quantity."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, 0x80 | value & 0x7F)
    return bytes(out)


def midi_bytes(microseconds: int = 500_000, bars: int = 1) -> bytes:
    """A kick at the start and a snare at the end of so many bars, with that tempo event."""
    tempo = b"\0\xff\x51\x03" + microseconds.to_bytes(3, "big")
    kick = b"\0\x99\x24\x64" + number(96) + b"\x89\x24\0"
    snare = number(bars * 384 - 200) + b"\x99\x26\x64" + number(50) + b"\x89\x26\0"
    track = tempo + kick + snare + b"\0\xff\x2f\0"
    return b"MThd\0\0\0\6\0\0\0\1\0\x60MTrk" + len(track).to_bytes(4, "big") + track


FILES = {
    "text": b"this is no MIDI file at all",
    "wave": b"RIFF\x24\0\0\0WAVEfmt ",
    "empty": b"",
    "truncated": to_midi(beat())[:40],
    "header only": to_midi(beat())[:14],
    "no drums": melody(),
    "no notes": to_midi(Pattern(())),
}


@pytest.mark.parametrize("kind", FILES)
def test_files_that_are_no_drums(loopnet, studio, tmp_path, kind):
    (tmp_path / "bad.mid").write_bytes(FILES[kind])
    loopnet("generate", "bad.mid", "-o", "a.wav").refused(1, "bad.mid")
    assert names(tmp_path) == {"bad.mid"}
    assert studio.loaded == 0


@pytest.mark.parametrize("kind", ["text", "empty", "truncated"])
def test_the_same_on_stdin(loopnet, tmp_path, kind):
    loopnet("generate", "-", "-o", "a.wav", input=FILES[kind]).refused(1, "standard input")
    assert names(tmp_path) == set()


def test_files_of_10000_bars_or_10000_bpm_say_what_to_do(loopnet, tmp_path):
    (tmp_path / "long.mid").write_bytes(midi_bytes(bars=10_000))
    loopnet("generate", "long.mid", "-o", "a.wav").refused(1, "long.mid", "10000 bars", "--bars")
    (tmp_path / "fast.mid").write_bytes(midi_bytes(6000))
    loopnet("generate", "fast.mid", "-o", "a.wav").refused(1, "fast.mid", "10000 BPM", "--bpm")
    assert names(tmp_path) == {"long.mid", "fast.mid"}
    assert loopnet("generate", "fast.mid", "-o", "a.wav", "--bpm", 100).code == 0


def test_a_tempo_event_of_zero_is_no_tempo(loopnet, tmp_path):
    (tmp_path / "zero.mid").write_bytes(midi_bytes(0))
    done = loopnet("generate", "zero.mid", "-o", "a.wav")
    assert done.code == 0 and "loopnet: warning: zero.mid: " in done.stderr and "120 BPM" in done.stderr


def test_files_that_are_not_there(loopnet, tmp_path):
    loopnet("generate", "none.mid", "-o", "a.wav").refused(1, "none.mid", "No such file")
    loopnet("generate", tmp_path, "-o", "a.wav").refused(1, str(tmp_path))
    loopnet("generate", "x*.mid").refused(2, "no file matches x*.mid")


def test_a_grid_with_a_voice_that_is_none(loopnet):
    loopnet("generate", "kik: x...x...", "-o", "a.wav").refused(1, "kik", "kick")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--bars", 10_000], ["--bars"]),
        (["--bars", 0], ["--bars"]),
        (["--bpm", 0], ["--bpm", "20"]),
        (["--bpm", 10_000], ["--bpm", "400"]),
        (["--bpm", "fast"], ["--bpm"]),
        (["--meter", "7"], ["--meter", "7/8"]),
        (["--meter", "fast"], ["--meter"]),
        (["--meter", "7/9"], ["--meter 7/9 is not a meter"]),
        (["--chroma", "H"], ["--chroma 'H'"]),
        (["--brightness", "1.7"], ["--brightness 1.7", "0 to 1"]),
        (["--low-brightness", "+1.7"], ["--low-brightness", "-1 to +1"]),
        (["--brightness", "nan"], ["--brightness nan"]),
        (["--brightness"], ["--brightness"]),
        (["--brightnes", ".5"], ["--brightnes", "--brightness"]),
        (["--timbre", "low.brightnes=.5"], ["low.brightnes", "did you mean low.brightness?"]),
        (["--timbre", "brightness=9"], ["brightness 9", "out of range"]),
        (["--kit", "warm-809"], ["warm-809", "did you mean warm-808"]),
        (["--kit", ""], ["kit"]),
        (["--map", "rolnad"], ["--map", "roland"]),
        (["--map", "none.toml"], ["--map", "none.toml"]),
        (["--seed", -1], ["--seed"]),
        (["--seed", 2**40], ["--seed"]),
        (["--seed", 2**32 - 1, "--variations", 2], ["--seed", "variations"]),
        (["--variations", 0], ["--variations"]),
        (["--variations", 2], ["-o names one file", "--out-dir"]),
        (["--repeat", 0], ["--repeat"]),
        (["--sample-rate", 100], ["--sample-rate"]),
        (["--subtype", "8"], ["--subtype"]),
        (["--format", "mp3"], ["--format"]),
        (["--format", "flac"], ["--format flac", ".wav"]),
        (["--normalize", "loud"], ["--normalize loud"]),
        (["--normalize", "peak:9"], ["--normalize peak:9"]),
        (["--plot", "a.gif"], ["--plot a.gif"]),
        (["--out-dir", "x"], ["-o", "--out-dir"]),
        (["--overwrite", "--skip-existing"], ["--overwrite", "--skip-existing"]),
        (["--nosuch"], ["--nosuch"]),
        (["-"], ["-o names one file for 2 loops"]),
    ],
    ids=lambda value: " ".join(map(str, value)) if value and str(value[0]).startswith("-") else None,
)
def test_flags_that_make_no_sense(loopnet, studio, midi, tmp_path, words, parts):
    loopnet("generate", midi, "-o", "a.wav", *words).refused(2, *parts)
    assert names(tmp_path) == {"beat.mid"}
    assert studio.loaded == 0


def test_a_tempo_that_is_no_number(loopnet, midi, tmp_path):
    done = loopnet("generate", midi, "-o", "a.wav", "--bpm", "nan")
    assert done.code in (1, 2) and done.stderr.count("loopnet: error:") == 1
    assert names(tmp_path) == {"beat.mid"}


def test_a_repeat_longer_than_anyone_wants(loopnet, midi, tmp_path):
    loopnet("generate", midi, "-o", "a.wav", "--repeat", 10**9).refused(1, "--repeat 1000000000")
    assert names(tmp_path) == {"beat.mid"}


@pytest.mark.parametrize(
    ("words", "parts"),
    [(["-o", "a.mp3"], [".mp3"]), (["-o", "a.flac", "--subtype", "float"], ["FLAC", "--subtype"]),
     (["-o", "-", "--json"], ["--json"]), (["--name", "{sed}"], ["did you mean {seed}"]),
     (["--name", "a/b"], ["--out-dir"]), (["--name", "fixed", "--variations", 2], ["two files", "fixed.wav"])],
)  # fmt: skip
def test_names_that_make_no_sense(loopnet, studio, midi, tmp_path, words, parts):
    loopnet("generate", midi, *words).refused(2, *parts)
    assert names(tmp_path) == {"beat.mid"}
    assert studio.loaded == 0


def test_an_unknown_chord(loopnet, midi, tmp_path):
    loopnet("generate", midi, "-o", "a.wav", "--chroma", "Hx7").refused(2, "Hx7")
    assert names(tmp_path) == {"beat.mid"}


def test_no_inputs(loopnet):
    loopnet("generate").refused(2, "INPUTS")


def test_stdin_twice(loopnet):
    loopnet("generate", "-", "-").refused(2, "once")


class TestOutput:
    def test_equal_to_the_input(self, loopnet, studio, tmp_path):
        write_midi(beat(), tmp_path / "beat.wav")  # a MIDI file by another name
        before = (tmp_path / "beat.wav").read_bytes()
        for words in (["-o", "beat.wav"], ["--name", "{stem}"], ["-o", "./beat.wav", "--overwrite"]):
            loopnet("generate", "beat.wav", *words).refused(2, "beat.wav is an input")
        (tmp_path / "link.wav").symlink_to("beat.wav")
        loopnet("generate", "beat.wav", "-o", "link.wav", "--overwrite").refused(2, "is an input")
        (tmp_path / "map.toml").write_text('36 = "tom"\n')
        words = ("-o", "map.toml", "--format", "wav", "--map", "map.toml", "--overwrite")
        loopnet("generate", GRID, *words).refused(2, "map.toml is an input")
        assert (tmp_path / "beat.wav").read_bytes() == before

    def test_in_a_folder_that_is_not_there(self, loopnet, midi, tmp_path):
        loopnet("generate", midi, "-o", "no/a.wav").refused(1, "no/a.wav", "folder", "does not exist")
        assert names(tmp_path) == {"beat.mid"}

    def test_where_a_folder_is(self, loopnet, midi, tmp_path):
        (tmp_path / "a.wav").mkdir()
        loopnet("generate", midi, "-o", "a.wav", "--overwrite").refused(2, "-o a.wav is a folder", "--out-dir a.wav")
        loopnet("generate", midi, "-o", "b/").refused(2, "-o b/ is a folder", "--out-dir b/")
        assert names(tmp_path) == {"beat.mid"}

    def test_out_dir_where_a_file_is(self, loopnet, midi, tmp_path):
        (tmp_path / "x").write_text("mine")
        loopnet("generate", midi, "--out-dir", "x").refused(1, "x")
        assert (tmp_path / "x").read_text() == "mine"

    @pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
    def test_in_a_folder_that_is_locked(self, loopnet, midi, tmp_path):
        (tmp_path / "locked").mkdir(mode=0o500)
        loopnet("generate", midi, "-o", "locked/a.wav").refused(1, "locked/a.wav", "permission")

    @pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="no /sys on this system")
    def test_in_a_folder_where_not_even_root_may_write(self, loopnet, midi, tmp_path):
        done = loopnet("generate", midi, "-o", "/sys/kernel/a.wav")
        done.refused(1, "cannot write /sys/kernel/a.wav: ")
        assert "permission denied" in done.stderr or "read-only" in done.stderr
        assert names(tmp_path) == {"beat.mid"}

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
    def test_a_full_device(self, loopnet, midi, tmp_path):
        words = ("-o", "/dev/full", "--format", "wav", "--stems", "s")
        loopnet("generate", midi, *words).refused(1, "/dev/full", "no space left on device")
        assert names(tmp_path) == {"beat.mid"}

    def test_a_disk_that_fills_while_writing(self, loopnet, midi, tmp_path, monkeypatch):
        """The last of six files does not fit: the five before it must not stay either."""
        real, written = Path.open, []

        def open_until_full(self, mode="r", *args, **kwargs):
            if "x" in mode:
                written.append(self)
                if len(written) == 6:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
            return real(self, mode, *args, **kwargs)

        monkeypatch.setattr(Path, "open", open_until_full)
        done = loopnet("generate", midi, "-o", "a.wav", "--stems", "s", "--plot", "a.png")
        done.refused(1, "a.wav", "no space left on device")
        assert len(written) == 6 and names(tmp_path) == {"beat.mid"}

    def test_a_rename_that_fails(self, loopnet, midi, tmp_path, monkeypatch):
        def full(self, target):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(Path, "replace", full)
        loopnet("generate", midi, "-o", "a.wav").refused(1, "a.wav", "no space left on device")
        assert names(tmp_path) == {"beat.mid"}


class TestWeights:
    def test_missing_or_corrupt(self, loopnet, midi, tmp_path, monkeypatch):
        def load():
            raise WeightsError("weights/studio.safetensors: checksum does not match: install loopnet again")

        monkeypatch.setattr("loopnet_cli.synthesis.load_studio", load, raising=False)
        loopnet("generate", midi, "-o", "a.wav").refused(1, "checksum", "install loopnet again")
        assert names(tmp_path) == {"beat.mid"}

    @pytest.mark.parametrize("command", [("generate", "beat.mid", "-o", "a.wav"), ("kits",), ("kits", "show", "x")])
    def test_no_bank(self, loopnet, midi, monkeypatch, command):
        def read():
            raise WeightsError("no weights found in weights: install loopnet again")

        monkeypatch.setattr("loopnet_cli.synthesis.bank.read_bank", read)
        loopnet(*command).refused(1, "no weights found")


class TestBatch:
    def test_one_bad_file_does_not_stop_the_rest(self, loopnet, studio, tmp_path):
        write_midi(beat(), tmp_path / "a.mid")
        (tmp_path / "b.mid").write_bytes(b"nothing")
        write_midi(beat(), tmp_path / "c.mid")
        done = loopnet("generate", "a.mid", "b.mid", "c.mid", "--name", "{stem}")
        done.refused(1, "b.mid")
        assert names(tmp_path) == {"a.mid", "b.mid", "c.mid", "a.wav", "c.wav"}
        assert done.stderr.splitlines()[-1] == "2 loops written, 1 failed"
        assert studio.loaded == 1

    def test_existing_files_fail_alone(self, loopnet, tmp_path):
        for name in "ab":
            write_midi(beat(), tmp_path / f"{name}.mid")
        (tmp_path / "a.wav").write_text("mine")
        done = loopnet("generate", "a.mid", "b.mid", "--name", "{stem}")
        done.refused(1, "a.wav exists")
        assert (tmp_path / "a.wav").read_text() == "mine" and (tmp_path / "b.wav").is_file()
        done = loopnet("generate", "a.mid", "b.mid", "--name", "{stem}", "--skip-existing")
        assert done.code == 0 and done.stderr.splitlines()[-1] == "0 loops written, 2 skipped"

    def test_a_bug_in_one_does_not_stop_the_rest(self, loopnet, studio, midi, tmp_path, monkeypatch):
        real = studio.render

        def render(pattern, *, seed, **rest):
            if seed == 2:
                raise RuntimeError("the middle one\nin two lines")
            return real(pattern, seed=seed, **rest)

        monkeypatch.setattr(studio, "render", render)
        done = loopnet("generate", midi, "--variations", 3, "--seed", 1, "--name", "{seed}")
        assert done.code == 1 and names(tmp_path) == {"beat.mid", "1.wav", "3.wav"}
        assert "unexpected RuntimeError: the middle one in two lines" in done.stderr
        assert "--debug" in done.stderr and "Traceback" not in done.stderr

    def test_names_that_clash_are_found_before_anything_is_made(self, loopnet, studio, tmp_path):
        for folder in ("x", "y"):
            (tmp_path / folder).mkdir()
            write_midi(beat(), tmp_path / folder / "beat.mid")
        loopnet("generate", "x/beat.mid", "y/beat.mid", "--name", "{stem}").refused(2, "beat.wav", "two files")
        assert studio.loaded == 0


def test_hostile_names_stay_in_the_folder(loopnet, tmp_path):
    bad = tmp_path / "in" / "a\n..\\b.mid"
    bad.parent.mkdir()
    write_midi(beat(), bad)
    assert loopnet("generate", bad, "--out-dir", "out", "--seed", 1).code == 0
    (made,) = names(tmp_path / "out")
    assert made.isprintable() and "/" not in made and ".." not in made
