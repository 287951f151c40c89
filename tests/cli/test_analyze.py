"""``loopnet analyze``: every flag once, odd recordings, many files, nothing half-written.

The transcriber is a fake; so are the search for bars and the features, but for tests that ask for the `real` ones.
The whole way with nothing faked is in test_real_analyze.py.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from fake_ears import FakeTranscriber
from fake_studio import BANK, names
from sounds import drum_loop, encoded

from loopnet_cli.analysis.section import Section
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.errors import WeightsError
from loopnet_cli.pattern import VOICES
from loopnet_cli.pattern.midi import read_midi
from loopnet_cli.synthesis import kit_store

ROOT = Path(__file__).parents[2]
LOOP = drum_loop(bars=2, bpm=120)


@pytest.fixture(autouse=True)
def ears(monkeypatch) -> FakeTranscriber:
    """A transcriber that costs nothing, and counts how often it is loaded."""
    fake = FakeTranscriber()
    fake.loaded = 0

    def load(folder=None):
        fake.loaded += 1
        return fake

    monkeypatch.setattr("loopnet_cli.analysis.transcriber.load_transcriber", load)
    return fake


@pytest.fixture
def real() -> None:
    """Ask for the real search for bars, timbre and chroma."""


@pytest.fixture(autouse=True)
def cheap(request, monkeypatch) -> None:
    """Put something quick in the place of what takes a second a file."""
    if "real" in request.fixturenames:
        return

    def find_section(audio, sample_rate, **_):
        seconds = len(audio) / sample_rate
        bars = max(1, round(seconds / 2))
        return Section(0.0, seconds, 240 * bars / seconds, bars, (4, 4), True, 0.9, "length", {"length": 120.0})

    def timbre_features(audio, sample_rate, *, circular):
        assert sample_rate == 44100 and audio.ndim == 1
        return {name: float(20 + index) for index, name in enumerate(TIMBRE_NAMES)}

    monkeypatch.setattr("loopnet_cli.analysis.section.find_section", find_section)
    monkeypatch.setattr("loopnet_cli.analysis.timbre.timbre_features", timbre_features)
    monkeypatch.setattr("loopnet_cli.analysis.hearing._chroma", lambda *_: np.linspace(0, 1, 12, dtype=np.float32))


@pytest.fixture
def loop(tmp_path) -> Path:
    """Two bars at 120 BPM, cut as a loop."""
    path = tmp_path / "beat.wav"
    path.write_bytes(encoded(LOOP))
    return path


def heard(done) -> dict:
    """Return the one JSON object of a run that went well."""
    assert done.code == 0, done.stderr
    (told,) = done.loops
    return told


class TestTable:
    def test_says_what_is_heard(self, loopnet, loop, real):
        done = loopnet("analyze", "beat.wav")
        assert done.code == 0 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert lines[0] == "beat.wav"
        labels = {line.split("  ")[0]: line for line in lines if line}
        assert labels["file"] == "file       WAV PCM_16, mono, 44100 Hz, 4.000 s"
        assert "120.00 BPM, confidence " in labels["tempo"]
        assert "2 bars of 4/4, 4.000 s, the whole file, a loop" in labels["section"]
        assert labels["hits"].endswith("26: 6 kick, 4 snare, 16 hat closed")
        assert re.search(r"-\d+\.\d LUFS, true peak -\d\.\d dBTP$", labels["level"])
        assert re.search(r"[A-G]#? 0\.\d\d", labels["chroma"])
        table = [line.split() for line in lines if line.split()[:1] == ["brightness"]]
        assert len(table) == 1 and len(re.findall(r"-?\d+\.\d\d", " ".join(table[0]))) == 3

    def test_is_plain_text_where_nobody_looks(self, loopnet, loop):
        done = loopnet("analyze", "beat.wav")
        assert done.stdout.isascii() and "\x1b" not in done.stdout
        assert all(line == line.rstrip() for line in done.stdout.splitlines())

    def test_quiet_prints_nothing(self, loopnet, loop):
        done = loopnet("analyze", "beat.wav", "--quiet")
        assert (done.code, done.stdout, done.stderr) == (0, "", "")

    def test_a_name_cannot_move_the_cursor(self, loopnet, tmp_path):
        name = "[red]\x1b[2Jbeat[bold].wav"
        (tmp_path / name).write_bytes(encoded(LOOP))
        done = loopnet("analyze", name)
        assert done.code == 0 and "\x1b" not in done.stdout and "[red]?[2Jbeat[bold].wav" in done.stdout


def fields() -> dict[str, tuple[str, str]]:
    """Return the fields that docs/ANALYZE.md documents: type and range by path."""
    text = (ROOT / "docs" / "ANALYZE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \|([^|\n]+)\|[^|\n]*\|([^|\n]*)\|[^|\n]+\|$", text, re.MULTILINE)
    assert len(rows) > 40
    return {path: (kind.strip(), bounds.strip()) for path, kind, bounds in rows}


def flat(value, path=""):
    """Yield the leaves of JSON with their documented paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            named = "VOICE" if key in VOICES and path.endswith("counts") else key
            named = "PITCH" if path == "chroma" else "FEATURE" if path == "timbre" else named
            named = "NAME" if path == "section.estimates" else named
            yield from flat(inner, f"{path}.{named}" if path else named)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner, f"{path}[]")
    else:
        yield path, value


KINDS = {
    "integer": (int,), "number": (int, float), "text": (str,), "true/false": (bool,), "text or null": (str, type(None)),
    "object or null": (type(None),),
}  # fmt: skip


class TestJson:
    def test_is_what_the_documentation_says(self, loopnet, tmp_path, real):
        # a clip with an offset, so that there is a warning too
        (tmp_path / "beat.wav").write_bytes(encoded(LOOP + 0.1))
        words = ("analyze", "beat.wav", "--json", "--plot", "a.png", "--midi", "a.mid")
        found: dict[str, list] = {}
        for told in (heard(loopnet(*words, "--curves")), heard(loopnet(*words, "--overwrite"))):
            for path, value in flat(told):
                found.setdefault(path, []).append(value)
        documented = fields()
        assert set(found) == set(documented)
        for path, values in found.items():
            kind, bounds = documented[path]
            low, _, high = bounds.partition("..")
            for value in values:
                assert isinstance(value, KINDS[kind]), path
                assert isinstance(value, bool) == (kind == "true/false"), path
                if bounds:
                    assert float(low or "-inf") <= value <= float(high or "inf"), path

    def test_holds_what_was_heard(self, loopnet, loop, real):
        told = heard(loopnet("analyze", "beat.wav", "--json"))
        assert told["file"] == "beat.wav" and told["schema"] == 1 and told["curves"] is None
        section = told["section"]
        assert section["bpm"] == pytest.approx(120, abs=0.01) and section["bars"] == 2 and section["is_loop"] is True
        assert told["counts"] == {**dict.fromkeys(VOICES, 0), "kick": 6, "snare": 4, "hat_closed": 16}
        assert told["recording"] == {"hits": 26, "counts": told["counts"]}
        kicks = [hit["beat"] for hit in told["pattern"] if hit["voice"] == "kick"]
        assert kicks == pytest.approx([0, 2, 2.5, 4, 6, 6.5], abs=0.03)
        assert list(told["timbre"]) == list(TIMBRE_NAMES)
        assert told["outputs"] == {"plot": None, "midi": None, "kit": None} and told["warnings"] == []

    def test_knob_values_are_those_of_the_studio_model(self, loopnet, loop, real):
        from loopnet_cli.synthesis.bank import read_normalisation

        told = heard(loopnet("analyze", "beat.wav", "--json"))["timbre"]
        points = {name: value["points"] for name, value in told.items()}
        for name, value in read_normalisation().to_unit(points).items():
            assert told[name]["value"] == pytest.approx(value, abs=1e-3)

    def test_curves(self, loopnet, loop):
        curves = heard(loopnet("analyze", "beat.wav", "--json", "--curves"))["curves"]
        assert {name: len(curves[name]) for name in ("kick", "snare", "hat", "envelope")} == dict.fromkeys(
            ("kick", "snare", "hat", "envelope"), 400
        )
        assert sum(curves["kick"]) == 6 and max(curves["envelope"]) <= 0.81
        loopnet("analyze", "beat.wav", "--curves").refused(2, "--curves", "--json")

    def test_many_files_are_lines_and_one_that_fails_stops_nothing(self, loopnet, ears, tmp_path):
        for name in ("a", "c"):
            (tmp_path / f"{name}.wav").write_bytes(encoded(LOOP))
        (tmp_path / "b.wav").write_bytes(b"no")
        done = loopnet("analyze", "a.wav", "b.wav", "c.wav", "--json")
        done.refused(1, "b.wav")
        assert [told["file"] for told in done.loops] == ["a.wav", "c.wav"]
        assert done.stderr.splitlines()[-1] == "2 analysed, 1 failed"
        assert ears.loaded == 1
        assert [told["file"] for told in loopnet("analyze", "[ac].wav", "--json").loops] == ["a.wav", "c.wav"]


FORMATS = [
    ("WAV", "PCM_U8", "wav"), ("WAV", "PCM_16", "wav"), ("WAV", "PCM_24", "wav"), ("WAV", "FLOAT", "wav"),
    ("WAV", "DOUBLE", "wav"), ("WAV", "MS_ADPCM", "wav"), ("FLAC", "PCM_24", "flac"), ("OGG", "VORBIS", "ogg"),
    ("MP3", "MPEG_LAYER_III", "mp3"), ("AIFF", "PCM_16", "aiff"), ("RAW", "PCM_16", None),
]  # fmt: skip


class TestFiles:
    @pytest.mark.parametrize(("format", "subtype", "ending"), FORMATS)
    def test_formats(self, loopnet, tmp_path, format, subtype, ending):
        if ending is None:
            # a name that soundfile would take for headerless audio
            format, subtype, ending = "WAV", "PCM_16", "raw"
        if format not in soundfile.available_formats():
            pytest.skip(f"this libsndfile has no {format}")
        (tmp_path / f"x.{ending}").write_bytes(encoded(LOOP, format, subtype))
        told = heard(loopnet("analyze", f"x.{ending}", "--json"))
        assert told["source"]["subtype"] == subtype
        assert told["section"]["bpm"] == pytest.approx(120, rel=0.03)
        assert abs(told["counts"]["kick"] - 6) <= 1

    @pytest.mark.parametrize("rate", [8000, 11025, 22050, 48000, 96000])
    def test_rates_and_channels(self, loopnet, tmp_path, rate, real):
        audio = drum_loop(rate=rate)
        (tmp_path / "x.wav").write_bytes(encoded(np.stack([audio, 0.5 * audio], axis=1), rate=rate))
        told = heard(loopnet("analyze", "x.wav", "--json"))
        assert (told["source"]["sample_rate"], told["source"]["channels"]) == (rate, 2)
        assert told["section"]["bpm"] == pytest.approx(120, abs=0.1)
        assert told["level"]["true_peak_db"] == pytest.approx(-1.4, abs=0.7)  # of the louder channel, not of a mix

    def test_standard_input(self, loopnet, loop):
        told = heard(loopnet("analyze", "-", "--json", input=loop.read_bytes()))
        assert told["file"] == "standard input" and told["counts"]["kick"] == 6
        loopnet("analyze", "-", "-").refused(2, "standard input")

    def test_a_file_with_a_strange_name(self, loopnet, tmp_path):
        (tmp_path / "kick: x.wav").write_bytes(encoded(LOOP))
        assert heard(loopnet("analyze", "kick: x.wav", "--json"))["counts"]["kick"] == 6


def nan(audio):
    audio = audio.copy()
    audio[44100] = np.nan
    return audio


ODD = {
    "silence": (np.zeros(44100), "is silent: there is nothing to hear"),
    "an offset alone": (np.full(44100, 0.25), "is silent (a steady offset of +0.25)"),
    "10 ms": (LOOP[:441], "is too short, 10 ms: at least 50 ms are needed"),
    "nothing": (LOOP[:0], "holds no audio"),
    "nan": (nan(LOOP), "first at 1.000 s"),
    "opposite channels": (np.stack([LOOP, -LOOP], axis=1), "its channels cancel each other"),
}


class TestOddRecordings:
    @pytest.mark.parametrize("kind", ODD)
    def test_an_error_of_one_line(self, loopnet, tmp_path, kind):
        audio, reason = ODD[kind]
        (tmp_path / "x.wav").write_bytes(encoded(audio, subtype="FLOAT"))
        done = loopnet("analyze", "x.wav", "--plot", "x.png", "--midi", "x.mid")
        done.refused(1, "x.wav", reason)
        assert done.stdout == "" and names(tmp_path) == {"x.wav"}

    def test_what_is_no_audio(self, loopnet, tmp_path):
        (tmp_path / "x.wav").write_text("hello " * 50)
        (tmp_path / "empty.wav").touch()
        loopnet("analyze", "x.wav").refused(1, "x.wav is not audio")
        loopnet("analyze", "empty.wav").refused(1, "empty.wav is empty")
        loopnet("analyze", "missing.wav").refused(1, "missing.wav", "No such file")
        loopnet("analyze", tmp_path).refused(1, "it is a folder")

    def test_clipping(self, loopnet, tmp_path):
        audio = np.clip(8 * LOOP, -1, 1)
        (tmp_path / "x.wav").write_bytes(encoded(audio))
        done = loopnet("analyze", "x.wav", "--json")
        told = heard(done)
        full = int((np.abs(audio) >= 1).sum())
        assert 0.8 * full < told["source"]["clipped"] <= full
        warning = f"{told['source']['clipped']:,} samples clipped".replace(",", " ")
        assert told["warnings"] == [warning] and f"x.wav: {warning}" in done.stderr

    def test_an_offset_is_removed(self, loopnet, tmp_path, loop, real):
        (tmp_path / "x.wav").write_bytes(encoded(0.5 * LOOP + 0.2, subtype="FLOAT"))
        (tmp_path / "y.wav").write_bytes(encoded(0.5 * LOOP, subtype="FLOAT"))
        x, y = loopnet("analyze", "x.wav", "y.wav", "--json").loops
        assert x["warnings"] == ["DC offset of +0.2 removed"] and x["source"]["dc"] == pytest.approx(0.2, abs=0.003)
        assert x["counts"] == y["counts"]
        for name in TIMBRE_NAMES:
            assert x["timbre"][name]["points"] == pytest.approx(y["timbre"][name]["points"], abs=0.5)

    def test_hardly_a_sound(self, loopnet, tmp_path, real):
        (tmp_path / "x.wav").write_bytes(encoded(LOOP * 4e-4, subtype="FLOAT"))
        told = heard(loopnet("analyze", "x.wav", "--json"))
        assert told["warnings"] == ["no drum hits were heard", "very quiet: its peak is at -70 dB"]
        done = loopnet("analyze", "x.wav", "--midi", "x.mid", "--plot", "x.png")
        done.refused(1, "x.wav: no drum hits were heard")
        assert names(tmp_path) == {"x.wav"}
        assert heard(loopnet("analyze", "x.wav", "--plot", "x.png", "--json"))["counts"]["kick"] == 0

    @pytest.mark.parametrize("seconds", [0.05, 0.12, 0.3])
    def test_a_single_stroke(self, loopnet, tmp_path, seconds, real):
        (tmp_path / "x.wav").write_bytes(encoded(LOOP[: round(seconds * 44100)]))
        told = heard(loopnet("analyze", "x.wav", "--json", "--curves", "--plot", "x.png"))
        assert told["counts"]["kick"] == 1 and told["section"]["bars"] >= 1

    def test_an_hour(self, loopnet, ears, tmp_path, real):
        # noise for half of it, then a beat; the rate keeps the file small
        rate = 2000
        beat = np.tile(drum_loop(bars=8, rate=rate), 113)[: 1800 * rate]
        quiet = np.tile(0.02 * np.random.default_rng(0).standard_normal(20 * rate), 90)
        (tmp_path / "x.flac").write_bytes(encoded(np.concatenate([quiet, beat]), "FLAC", "PCM_16", rate))
        done = loopnet("analyze", "x.flac", "--json")
        told = heard(done)
        assert told["source"]["seconds"] == 3600
        assert max(seconds for seconds, _, _ in ears.calls) <= 64  # never more of it at once
        assert told["section"]["start"] >= 1800 and told["section"]["bpm"] == pytest.approx(120, rel=0.01)
        assert told["recording"]["hits"] > 2700
        assert "long: bars were looked for where most is struck, from 30:00 to 33:00" in told["warnings"][0]

    def test_more_than_an_hour(self, loopnet, tmp_path, real):
        audio = np.tile(drum_loop(bars=2, rate=1000), 901)
        (tmp_path / "x.wav").write_bytes(encoded(audio, subtype="PCM_U8", rate=1000))
        loopnet("analyze", "x.wav").refused(1, "x.wav is longer than an hour", "--start", "--end")
        told = heard(loopnet("analyze", "x.wav", "--start", "3596", "--end", "3600", "--json"))
        assert told["section"]["start"] == 3596


def test_missing_weights_are_told_once(loopnet, loop, tmp_path, monkeypatch):
    def missing(folder=None):
        raise WeightsError("no ears")

    monkeypatch.setattr("loopnet_cli.analysis.transcriber.load_transcriber", missing)
    (tmp_path / "b.wav").write_bytes(loop.read_bytes())
    done = loopnet("analyze", "beat.wav", "b.wav")
    done.refused(1, "no ears")
    assert done.stderr.count("\n") == 1


class TestChoosing:
    def test_start_and_end(self, loopnet, tmp_path, real):
        audio = np.concatenate([np.zeros(44100), LOOP, np.zeros(22050)])
        (tmp_path / "x.wav").write_bytes(encoded(audio))
        done = loopnet("analyze", "x.wav", "--start", "1", "--end", "5", "--json")
        told = heard(done)
        assert (told["source"]["start"], told["source"]["end"]) == (1, 5)
        assert (told["section"]["start"], told["section"]["end"]) == (1, 5)
        assert told["section"]["bpm"] == pytest.approx(120, abs=0.01) and told["counts"]["kick"] == 6
        told = heard(loopnet("analyze", "x.wav", "--start", "1", "--end", "9", "--json"))
        assert "it ends at 5.500 s, before 9 s" in told["warnings"]

    @pytest.mark.parametrize(
        ("words", "code", "reason"),
        [(["--start", "9"], 1, "ends before 9 s"), (["--start", "2", "--end", "1"], 2, "--end 1 must lie after"),
         (["--start", "-1"], 2, "--start"), (["--end", "nan"], 2, "end"), (["--start", "3.99"], 1, "too short, 10 ms")],
    )  # fmt: skip
    def test_parts_that_are_none(self, loopnet, loop, words, code, reason):
        loopnet("analyze", "beat.wav", *words).refused(code, reason)

    def test_tempo_bars_and_meter(self, loopnet, loop, real):
        told = heard(loopnet("analyze", "beat.wav", "--bars", "4", "--json"))["section"]
        assert told["bars"] == 4 and told["bpm"] == pytest.approx(240, abs=0.1)
        told = heard(loopnet("analyze", "beat.wav", "--bpm", "60", "--json"))["section"]
        assert told["bars"] == 1 and told["bpm"] == pytest.approx(60, abs=0.1)
        told = heard(loopnet("analyze", "beat.wav", "--meter", "2/4", "--bpm", "120", "--json"))["section"]
        assert told["meter"] == "2/4" and told["bars"] == 4
        loopnet("analyze", "beat.wav", "--meter", "two").refused(2, "--meter two")
        loopnet("analyze", "beat.wav", "--bpm", "5").refused(2, "--bpm")

    def test_a_longer_recording(self, loopnet, ears, tmp_path, real):
        # a pause, an hour of nothing in particular, then bars: no loop
        rng = np.random.default_rng(1)
        audio = np.concatenate([0.01 * rng.standard_normal(70_000), np.tile(LOOP, 6), np.zeros(30_000)])
        (tmp_path / "x.wav").write_bytes(encoded(audio.astype(np.float32)))
        told = heard(loopnet("analyze", "x.wav", "--json"))
        section = told["section"]
        assert section["is_loop"] is False and section["bpm"] == pytest.approx(120, rel=0.01)
        assert told["recording"]["counts"]["kick"] == 36 > told["counts"]["kick"] == 3 * section["bars"]
        assert [circular for _, _, circular in ears.calls] == [False]
        shown = loopnet("analyze", "x.wav").stdout
        assert "not cut as a loop" in shown and "all hits" in shown


def notes(content: bytes) -> list[tuple[float, int]]:
    """Return beats and notes of a MIDI file."""
    pattern = read_midi(content).pattern
    return [(hit.beat, hit.voice) for hit in pattern.hits]


class TestMidi:
    def test_holds_the_hits_at_the_tempo(self, loopnet, loop, tmp_path):
        done = loopnet("analyze", "beat.wav", "--midi", "out.mid")
        assert done.code == 0 and done.stderr == "beat.wav: wrote out.mid\n" and done.stdout.startswith("beat.wav\n")
        pattern = read_midi(tmp_path / "out.mid").pattern
        assert pattern.bars == 2 and pattern.tempo == pytest.approx(120, abs=0.01) and len(pattern.hits) == 26

    def test_on_standard_output(self, loopnet, loop):
        done = loopnet("analyze", "beat.wav", "--midi", "-")
        assert done.code == 0 and len(mido.MidiFile(file=io.BytesIO(done.stdout_bytes)).tracks) == 1
        loopnet("analyze", "beat.wav", "--midi", "-", "--json").refused(2, "--json")
        loopnet("analyze", "beat.wav", "beat.wav", "--midi", "-").refused(2, "--midi -")

    def test_goes_through_a_pipe_into_generate(self, loopnet, loop, tmp_path):
        content = loopnet("analyze", "beat.wav", "--midi", "-", "--quantize", "16").stdout_bytes
        assert loopnet("generate", "-", "-o", "new.wav", input=content).code == 0
        assert soundfile.info(tmp_path / "new.wav").frames == len(LOOP)

    def test_quantize_strength_and_swing(self, loopnet, loop):
        def hats(*words: str) -> list[float]:
            told = heard(loopnet("analyze", "beat.wav", "--json", *words))
            return [hit["beat"] for hit in told["pattern"] if hit["voice"] == "hat_closed"]

        played = hats()
        assert played[0] == pytest.approx(0.24) and hats("--quantize", "16")[0] == 0.25
        assert hats("--quantize", "16", "--strength", "0.5")[0] == pytest.approx(0.245)
        assert hats("--quantize", "16", "--swing", "0.6")[0] == pytest.approx(0.3)
        told = heard(loopnet("analyze", "beat.wav", "--json", "--quantize", "16"))
        assert told["hits"][1]["beat"] == pytest.approx(0.24)  # what was heard stays

    @pytest.mark.parametrize(
        "words",
        [["--swing", ".6"], ["--strength", ".5"], ["--quantize", "17"], ["--quantize", "16", "--swing", ".9"],
         ["--quantize", "16", "--strength", "2"]],
    )  # fmt: skip
    def test_quantizing_that_makes_no_sense(self, loopnet, loop, ears, words):
        loopnet("analyze", "beat.wav", *words).refused(2)
        assert ears.loaded == 0


class TestPlot:
    def test_is_a_picture(self, loopnet, loop, tmp_path):
        assert loopnet("analyze", "beat.wav", "--plot", "out.png", "-q").code == 0
        from matplotlib.image import imread

        pixels = imread(tmp_path / "out.png")
        assert pixels.shape[0] > 1000 and pixels.shape[1] > 1000 and len(np.unique(pixels)) > 50

    def test_names_for_many(self, loopnet, tmp_path):
        (tmp_path / "in").mkdir()
        for name in ("a", "b"):
            (tmp_path / "in" / f"{name}.wav").write_bytes(encoded(LOOP))
        assert loopnet("analyze", "in/*.wav", "--plot", "pictures/", "--midi", "m_{stem}.mid", "-q").code == 0
        assert names(tmp_path) == {"in/a.wav", "in/b.wav", "pictures/a.png", "pictures/b.png", "m_a.mid", "m_b.mid"}

    def test_clashes_are_found_before_anything_is_heard(self, loopnet, loop, ears, tmp_path):
        (tmp_path / "b.wav").write_bytes(loop.read_bytes())
        loopnet("analyze", "beat.wav", "b.wav", "--plot", "x.png").refused(
            2, "two files would be called x.png", "{stem}"
        )
        loopnet("analyze", "beat.wav", "--plot", "x.jpg").refused(2, "--plot x.jpg", ".png")
        loopnet("analyze", "beat.wav", "--midi", "x.wav").refused(2, "--midi x.wav", ".mid")
        loopnet("analyze", "beat.wav", "--plot", "{stam}.png").refused(2, "{stam}", "{stem}")
        (tmp_path / "in.mid").write_bytes(loop.read_bytes())
        loopnet("analyze", "in.mid", "--midi", "in.mid", "--overwrite").refused(2, "in.mid is an input")
        assert ears.loaded == 0 and names(tmp_path) == {"beat.wav", "b.wav", "in.mid"}

    def test_files_that_exist_stay(self, loopnet, loop, ears, tmp_path):
        (tmp_path / "out.mid").write_text("mine")
        loopnet("analyze", "beat.wav", "--midi", "out.mid").refused(1, "out.mid exists", "--overwrite")
        assert (tmp_path / "out.mid").read_text() == "mine" and ears.loaded == 0
        assert loopnet("analyze", "beat.wav", "--midi", "out.mid", "--overwrite").code == 0
        assert (tmp_path / "out.mid").read_bytes()[:4] == b"MThd"

    def test_all_files_or_none(self, loopnet, loop, tmp_path, monkeypatch):
        loopnet("analyze", "beat.wav", "--midi", "out.mid", "--plot", "no/out.png").refused(1, "the folder no does not")
        assert names(tmp_path) == {"beat.wav"}

        def broken(*_args):
            raise ZeroDivisionError("somewhere")

        monkeypatch.setattr("loopnet_cli.plotting_heard.plot_heard", broken)
        done = loopnet("analyze", "beat.wav", "--midi", "out.mid", "--plot", "out.png", "--debug")
        assert done.code == 1 and "in broken" in done.stderr and names(tmp_path) == {"beat.wav"}


class TestKits:
    @pytest.fixture(autouse=True)
    def kitcode(self, monkeypatch):
        """The making of kits costs too much here: a kit of the bank under the name that is asked for."""

        def kit_from_audio(model, audio, sample_rate, pattern, *, name, description):
            assert len(audio) == pattern.samples(sample_rate) and len(pattern.hits) == 26
            return replace(BANK["dusty-vinyl"], name=name, description=description)

        monkeypatch.setattr("loopnet_cli.synthesis.kitcode.kit_from_audio", kit_from_audio)

    def test_a_kit_that_was_heard_can_be_used(self, loopnet, loop, studio, own_kits, tmp_path):
        done = loopnet("analyze", "beat.wav", "--save-kit", "mine", "--json")
        assert heard(done)["outputs"]["kit"] == str(own_kits / "mine.json")
        assert loopnet("generate", "kick: x...", "--kit", "mine", "-o", "a.wav").code == 0
        kit = studio.calls[-1]["kit"]
        told = done.loops[0]
        assert (kit.name, kit.description, kit.codes) == ("mine", "heard in beat.wav", BANK["dusty-vinyl"].codes)
        for name in TIMBRE_NAMES:
            assert kit.timbre[name] == pytest.approx(told["timbre"][name]["value"], abs=1e-4)
        assert kit.chroma == pytest.approx(list(told["chroma"].values()), abs=1e-4)
        listed = loopnet("kits").stdout.splitlines()
        assert listed[-1].split() == ["mine", "+", "heard", "in", "beat.wav"]
        assert json.loads(loopnet("kits", "list", "--json").stdout)[-1] == {
            "name": "mine", "description": "heard in beat.wav", "builtin": False,
        }  # fmt: skip
        assert loopnet("kits", "show", "mine").stdout.startswith("mine: heard in beat.wav\n")
        assert loopnet("kits", "path", "mine").stdout == f"{own_kits / 'mine.json'}\n"

    def test_a_kit_is_replaced_only_on_request(self, loopnet, loop, ears, own_kits):
        assert loopnet("analyze", "beat.wav", "--save-kit", "mine", "-q").code == 0
        loaded = ears.loaded
        loopnet("analyze", "beat.wav", "--save-kit", "mine").refused(1, "kit mine exists", "--overwrite")
        assert ears.loaded == loaded
        assert loopnet("analyze", "beat.wav", "--save-kit", "mine", "--overwrite", "-q").code == 0

    def test_many_kits(self, loopnet, loop, tmp_path, own_kits):
        (tmp_path / "b.wav").write_bytes(loop.read_bytes())
        loopnet("analyze", "beat.wav", "b.wav", "--save-kit", "mine").refused(2, "two files", "{stem}")
        assert loopnet("analyze", "beat.wav", "b.wav", "--save-kit", "my-{stem}", "-q").code == 0
        assert kit_store.own_names() == ["my-b", "my-beat"]

    @pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "dusty-vinyl", "x" * 65, "a\x1b[2J"])
    def test_names_that_are_none(self, loopnet, loop, ears, name):
        loopnet("analyze", "beat.wav", "--save-kit", name).refused(2)
        assert ears.loaded == 0

    def test_a_kit_goes_with_the_other_files_or_not_at_all(self, loopnet, loop, own_kits, tmp_path):
        words = ("analyze", "beat.wav", "--save-kit", "mine", "--plot", "no/a.png")
        loopnet(*words).refused(1, "the folder no does not exist")
        assert kit_store.own_names() == [] and names(tmp_path) == {"beat.wav"}
