"""``loopnet kits`` save, import, export, morph, play-sheet, and kits mixed."""

from __future__ import annotations

import io
import json
import struct

import numpy as np
import pytest
import soundfile
from fake_studio import BANK, GRID, make_kit, names
from sounds import drum_loop, encoded

from loopnet_cli.audio import riff
from loopnet_cli.cli import kits_picture
from loopnet_cli.synthesis import kit_store

TONE = "dusty-vinyl:0.25,warm-808:0.75"


def entry(path) -> dict:
    return json.loads(path.read_text())


class TestMixes:
    def test_are_generated(self, loopnet, studio, tmp_path):
        for number, kit in enumerate((TONE, " warm-808 : 75% , dusty-vinyl : 25%", "warm-808:3,dusty-vinyl:1")):
            assert loopnet("generate", GRID, "--kit", kit, "--seed", 1, "-o", f"{number}.wav").code == 0
        assert len({(tmp_path / f"{number}.wav").read_bytes() for number in range(3)}) == 1
        kit = studio.calls[0]["kit"]
        assert kit.name == TONE and kit.timbre["low.depth"] == pytest.approx(0.25 * 0.3 + 0.75 * 0.6)

    def test_of_one_are_that_kit(self, loopnet, studio, tmp_path):
        assert loopnet("generate", GRID, "--kit", "warm-808:1", "--seed", 1, "-o", "a.wav").code == 0
        assert loopnet("generate", GRID, "--kit", "warm-808", "--seed", 1, "-o", "b.wav").code == 0
        assert studio.calls[0]["kit"] is BANK["warm-808"]
        assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()

    def test_have_names(self, loopnet, tmp_path):
        done = loopnet("generate", GRID, "--kit", TONE, "--seed", 1, "--json")
        assert done.loops[0]["path"] == "grid_dusty-vinyl-25+warm-808-75_1.wav"
        assert done.loops[0]["controls"]["kit"] == TONE

    def test_are_transferred(self, loopnet, studio):
        done = loopnet("transfer", "-r", GRID, "-t", "warm-808:3, dusty-vinyl:1", "--seed", 1, "--json")
        assert done.loops[0]["path"] == "grid_dusty-vinyl-25+warm-808-75_1.wav"
        assert done.loops[0]["timbre"]["kit"] == TONE and studio.calls[0]["kit"].name == TONE

    @pytest.mark.parametrize(
        ("kit", "parts"),
        [
            ("warm-808:x", ["'x' is no weight", "a:0.3,b:0.7"]), ("warm-808:0", ["all weights are 0"]),
            ("warm-809:1,tight-studio:1", ["unknown kit 'warm-809'", "did you mean warm-808"]),
            ("warm-808,", ["a name is missing"]),
        ],
    )  # fmt: skip
    def test_that_are_none(self, loopnet, kit, parts):
        loopnet("generate", GRID, "--kit", kit).refused(2, *parts)
        loopnet("kits", "show", kit).refused(2, *parts)
        if ":x" not in kit:
            loopnet("transfer", "-r", GRID, "-t", kit).refused(2, "--timbre", *parts)

    def test_a_file_called_like_a_mix_is_still_a_file(self, loopnet, tmp_path):
        (tmp_path / "a,b.wav").write_text("no audio")
        loopnet("transfer", "-r", GRID, "-t", "a,b.wav").refused(1, "a,b.wav", "not audio")

    def test_a_damaged_kit_in_a_mix_is_told(self, loopnet, own_kits):
        kit_store.save_kit(make_kit("mine", "", 0.2)).write_text("{}")
        loopnet("generate", GRID, "--kit", "mine:1,warm-808:1").refused(1, "mine.json is not a usable kit")


class TestSave:
    def test_a_kit_with_its_knobs_turned(self, loopnet, own_kits, studio):
        done = loopnet("kits", "save", "dark", "warm-808", "--brightness", "-.2", "--set", "low.depth=.9",
                       "--level", "snare=-6,kick=+1")  # fmt: skip
        path = own_kits / "dark.json"
        assert (done.code, done.stdout, done.stderr) == (0, "", f"saved dark: {path}\n")
        kit = kit_store.find_kit("dark")
        assert kit.shift == pytest.approx({"low.depth": 0.3, "low.brightness": -0.2, "mid.brightness": -0.2,
                                           "high.brightness": -0.2})  # fmt: skip
        assert kit.levels["snare"] == pytest.approx(0.5 * 10 ** (-6 / 20), abs=1e-5)
        assert kit.description == "warm-808 with low.depth 0.9, brightness -0.2, snare -6 dB, kick +1 dB"
        assert entry(path)["made"] == (
            "loopnet kits save dark warm-808 --set=low.depth=0.9,brightness=-0.2 --level=snare=-6,kick=1"
        )
        assert studio.loaded == 0
        # what it says of itself makes it again
        before = path.read_bytes()
        assert loopnet(*entry(path)["made"].split()[1:], "--overwrite").code == 0 and path.read_bytes() == before
        assert "turned  low.depth +0.30" in loopnet("kits", "show", "dark").stdout

    def test_a_mix_with_a_description(self, loopnet, own_kits):
        told = loopnet("kits", "save", "half", "warm-808, dusty-vinyl", "--description", "so\nso", "--json").loops[0]
        assert told == {"name": "half", "description": "so so", "path": str(own_kits / "half.json")}
        assert kit_store.find_kit("half").timbre["low.depth"] == pytest.approx(0.45)

    def test_a_recording(self, loopnet, own_kits, tmp_path, monkeypatch):
        monkeypatch.setattr(
            "loopnet_cli.synthesis.kitcode.kit_from_audio",
            lambda model, audio, rate, pattern, *, name, description: make_kit(name, description, 0.8),
        )
        (tmp_path / "break.wav").write_bytes(encoded(drum_loop(bars=2, bpm=120)))
        done = loopnet("kits", "save", "mine", "break.wav", "--bpm", 120, "--bars", 2, "--low-depth", "+.1")
        assert done.code == 0 and "break.wav: heard 2 bars of 4/4 at 120.00 BPM" in done.stderr
        kit = kit_store.find_kit("mine")
        assert kit.description == "heard in break.wav" and kit.shift == {"low.depth": 0.1}
        assert entry(own_kits / "mine.json")["made"] == (
            "loopnet kits save mine break.wav --bpm=120.0 --bars=2 --set=low.depth=+0.1"
        )

    @pytest.mark.parametrize(
        ("words", "code", "parts"),
        [
            (["warm-808", "tight-studio"], 2, ["built-in"]), (["a/b", "tight-studio"], 2, ["cannot be called"]),
            (["x", "none.wav"], 1, ["none.wav"]), (["x", "warm-809"], 2, ["no file and unknown kit", "warm-808"]),
            (["x", "warm-808", "--bpm", 120], 2, ["--bpm is about recordings"]),
            (["x", "warm-808", "--level", "horn=1"], 2, ["unknown voice 'horn'"]),
            (["x", "warm-808", "--level", "kick=loud"], 2, ["write decibels"]),
            (["x", "warm-808", "--level", "kick=99"], 2, ["between -40 and +40"]),
            (["x", "warm-808", "--level", "kick=1,kick=2"], 2, ["given twice"]),
            (["x", "warm-808", "--level", "kick=40"], 1, ["levels of kick"]),
            (["x", "a.wav", "--start", 2, "--end", 1], 2, ["--end 1 must lie after"]),
            (["x", "*.none"], 2, ["no file matches"]),
        ],
    )  # fmt: skip
    def test_is_refused(self, loopnet, own_kits, words, code, parts):
        loopnet("kits", "save", *words).refused(code, *parts)
        assert not own_kits.exists()

    def test_replaces_only_on_request(self, loopnet):
        assert loopnet("kits", "save", "x", "warm-808", "-q").stderr == ""
        loopnet("kits", "save", "x", "tight-studio").refused(1, "kit x exists", "--overwrite")
        assert loopnet("kits", "save", "x", "tight-studio", "--overwrite").code == 0
        assert kit_store.find_kit("x").timbre["low.depth"] == 0.5


class TestExportAndImport:
    @pytest.fixture(autouse=True)
    def mine(self, own_kits, studio):
        return kit_store.save_kit(make_kit("mine", "one of my own", 0.4), made="so", extra={"tags": ["dry", None]})

    def test_go_around(self, loopnet, own_kits, mine, tmp_path):
        before = mine.read_bytes()
        out = loopnet("kits", "export", "mine")
        assert out.code == 0 and out.stdout_bytes == before and out.stderr == ""
        loopnet("kits", "import", "-", input=before).refused(1, "kit mine exists", "--overwrite, or --name")
        mine.unlink()
        done = loopnet("kits", "import", "-", input=before)
        assert done.stderr == f"imported mine: {mine}\n" and mine.read_bytes() == before
        assert loopnet("kits", "import", "-", "--name", "other", "-q", input=before).code == 0
        assert entry(own_kits / "other.json")["tags"] == ["dry", None]

    def test_to_files(self, loopnet, mine, tmp_path):
        assert loopnet("kits", "export", "mine", "-o", "k.json").stderr == "wrote k.json\n"
        loopnet("kits", "export", "mine", "-o", "k.json").refused(1, "k.json exists")
        assert loopnet("kits", "export", "mine", "-o", "k.json", "--overwrite", "-q").stderr == ""
        assert loopnet("kits", "export", "warm-808:1,mine:3", "-o", "kits/").code == 0
        assert names(tmp_path) == {"k.json", "kits/mine-75+warm-808-25.json"}
        assert (tmp_path / "k.json").read_bytes() == mine.read_bytes()
        done = loopnet("kits", "import", "kits/mine-75+warm-808-25.json", "--json")
        assert list(done.loops[0]["imported"]) == ["mine-75+warm-808-25"]
        loopnet("kits", "export", "nobody").refused(2, "unknown kit")

    def test_built_in_ones_need_another_name(self, loopnet, tmp_path):
        assert loopnet("kits", "export", "warm-808", "-o", "a.json").code == 0
        loopnet("kits", "import", "a.json", "--overwrite").refused(2, "warm-808 is a built-in kit", "--name")
        assert loopnet("kits", "import", "a.json", "--name", "mine-808").code == 0
        assert kit_store.find_kit("mine-808").codes == BANK["warm-808"].codes

    def test_all_or_none(self, loopnet, tmp_path, own_kits, mine):
        assert loopnet("kits", "export", "mine", "-o", "a.json").code == 0
        (tmp_path / "b.json").write_text('{"format": "loopnet-kit"}')
        mine.unlink()
        loopnet("kits", "import", "a.json", "b.json").refused(1, "b.json is not a usable kit")
        loopnet("kits", "import", "a.json", "a.json").refused(2, "two of the kits are called mine")
        loopnet("kits", "import", "a.json", "b.json", "--name", "x").refused(2, "--name names one kit")
        loopnet("kits", "import", "-", "-").refused(2, "once only")
        assert kit_store.own_names() == []

    @pytest.mark.parametrize("name", ["../../up", "a\x00b", "x" * 300, "\U0001f941", "", "..", "a:b", 5, None])
    def test_hostile_names_stay_in_the_folder(self, loopnet, own_kits, mine, name, tmp_path):
        (tmp_path / "k.json").write_text(json.dumps({**entry(mine), "name": name}))
        done = loopnet("kits", "import", "k.json")
        assert done.code == 0 and len(kit_store.own_names()) == 2 and "Traceback" not in done.stderr
        assert names(own_kits.parent) == {f"kits/{name}.json" for name in kit_store.own_names()}

    @pytest.mark.parametrize("format", ["wav", "flac"])
    def test_a_loop_brings_its_kit(self, loopnet, own_kits, mine, tmp_path, format):
        out = f"o.{format}"
        assert loopnet("generate", GRID, "--kit", "mine:1,warm-808:1", "--seed", 1, "-o", out).code == 0
        done = loopnet("kits", "import", out)
        assert done.code == 0, done.stderr
        kit = kit_store.find_kit("mine-50+warm-808-50")
        assert kit.timbre == pytest.approx(kit_store.find_kit("mine,warm-808").timbre)
        content = (tmp_path / out).read_bytes()
        assert loopnet("kits", "import", "-", "--name", "again", input=content).code == 0
        assert loopnet("generate", GRID, "--kit", "warm-808", "--seed", 1, "-o", f"p.{format}").code == 0
        loopnet("kits", "import", f"p.{format}").refused(1, "made with the built-in kit warm-808")

    def test_a_loop_that_tells_nothing(self, loopnet, tmp_path):
        (tmp_path / "a.wav").write_bytes(encoded(drum_loop(bars=1)))
        loopnet("kits", "import", "a.wav").refused(1, "a.wav tells of no kit")
        tagged = riff.wave_bytes(b"\0\0" * 99, sample_rate=44100, channels=1, bits=16, floating=False,
                                 chunks=riff.info_chunk({"ICMT": '{"kit": "gone"}'}))  # fmt: skip
        (tmp_path / "b.wav").write_bytes(tagged)
        loopnet("kits", "import", "b.wav").refused(1, "made with the kit gone", "only its name")

    def test_what_others_wrote_stays_when_a_kit_is_replaced(self, loopnet, mine):
        assert loopnet("kits", "save", "mine", "warm-808", "--overwrite").code == 0
        assert entry(mine)["tags"] == ["dry", None] and entry(mine)["made"] == "loopnet kits save mine warm-808"


class TestMorph:
    def test_prints_the_steps(self, loopnet):
        done = loopnet("kits", "morph", "tight-studio", "warm-808", "--steps", 3)
        assert done.stdout == "tight-studio\ntight-studio:0.5,warm-808:0.5\nwarm-808\n" and done.stderr == ""
        told = loopnet("kits", "morph", "tight-studio", "warm-808", "--steps", 2, "--json").loops[0]
        assert told == {"steps": [{"step": 1, "kit": "tight-studio"}, {"step": 2, "kit": "warm-808"}]}
        assert len(loopnet("kits", "morph", "tight-studio", "warm-808").stdout.splitlines()) == 5

    def test_stores_writes_and_renders(self, loopnet, own_kits, tmp_path, studio):
        words = ("kits", "morph", "tight-studio", "warm-808", "--steps", 3, "-o", "files", "--save", "m")
        done = loopnet(*words, "--render", "loops", "--rhythm", GRID, "--seed", 7)
        assert done.code == 0 and done.stdout == "" and len(done.stderr.splitlines()) == 3
        name = "tight-studio-to-warm-808"
        assert names(tmp_path) == {f"files/{name}-{n}.json" for n in (1, 2, 3)} | {
            f"loops/{name}-{n}.wav" for n in (1, 2, 3)}  # fmt: skip
        assert [call["seed"] for call in studio.calls] == [7, 7, 7]
        assert studio.calls[0]["kit"] is BANK["tight-studio"] and studio.calls[2]["kit"] is BANK["warm-808"]
        first, last = kit_store.find_kit("m-1"), kit_store.find_kit("m-3")
        assert (first.codes, first.levels, first.timbre) == (BANK["tight-studio"].codes, BANK["tight-studio"].levels,
                                                             BANK["tight-studio"].timbre)  # fmt: skip
        assert last.timbre == BANK["warm-808"].timbre
        assert loopnet("kits", "import", f"files/{name}-2.json").code == 0
        loopnet(*words).refused(1, "kit m-1 exists")
        loopnet("kits", "morph", "tight-studio", "warm-808", "--steps", 3, "-o", "files").refused(1, "exists")
        assert loopnet(*words, "--overwrite", "-q").stderr == ""

    @pytest.mark.parametrize(
        ("words", "parts"),
        [(["warm-808"], []), (["warm-808", "none"], ["unknown kit"]), (["warm-808", "x:y"], ["no weight"]),
         (["warm-808", "tight-studio", "--steps", 1], ["--steps"]),
         (["warm-808", "tight-studio", "--rhythm", GRID], ["--render"]),
         (["warm-808", "tight-studio", "--save", "../x"], ["cannot be called"])],
    )  # fmt: skip
    def test_is_refused(self, loopnet, own_kits, words, parts):
        loopnet("kits", "morph", *words).refused(2, *parts)
        assert not own_kits.exists()


class TestPlaySheet:
    def test_one_file(self, loopnet, tmp_path, studio):
        done = loopnet("kits", "play-sheet", "warm-808", "dusty-vinyl", "-o", "s.wav", "--rhythm", GRID, "--seed", 3)
        assert done.code == 0 and done.stderr == "wrote s.wav\n"
        lines = done.stdout.splitlines()
        assert lines[0] == "s.wav" and lines[1].split() == ["0:00.0", "kick", "warm-808"] and len(lines) == 23
        info = soundfile.info(tmp_path / "s.wav")
        assert info.subtype == "PCM_24" and info.samplerate == 44100
        audio = soundfile.read(tmp_path / "s.wav")[0]
        told = loopnet("kits", "play-sheet", "warm-808", "-o", "t.wav", "--rhythm", GRID, "--json").loops[0]
        marks = told["sheets"][0]["marks"]
        assert told["page"] is None and [mark["what"] for mark in marks][-1] == "pattern"
        for mark in marks:  # silence before each, sound from there on
            at = round(mark["seconds"] * 44100)
            assert np.abs(audio[at : at + 4000]).max() > 0.05
            assert at == 0 or np.abs(audio[at - 2000 : at - 10]).max() < 0.01
        assert [call["seed"] for call in studio.calls[:4]] == [3] * 4
        first = studio.calls[0]["pattern"]
        assert {round(hit.velocity, 1) for hit in first.hits if hit.voice == "ride"} == {0.3, 0.6, 1.0}

    def test_the_marks_are_in_the_file(self, loopnet, tmp_path):
        assert loopnet("kits", "play-sheet", "warm-808", "-o", "s.wav", "-q").stdout == ""
        chunks = {c.name + c.body[:4] * (c.name == b"LIST"): c.body for c in
                  riff.walk(io.BytesIO((tmp_path / "s.wav").read_bytes()))}  # fmt: skip
        cues = chunks[b"cue "]
        assert struct.unpack_from("<I", cues)[0] == 11 and struct.unpack_from("<I", cues, 4 + 24 + 20)[0] == 2 * 44100
        assert b"warm-808: kick\0" in chunks[b"LISTadtl"]

    def test_a_folder_of_all_kits_and_a_page(self, loopnet, own_kits, tmp_path):
        kit_store.save_kit(make_kit("mine", "<script>alert(1)</script>", 0.4))
        done = loopnet("kits", "play-sheet")
        assert done.code == 0 and done.stderr == "wrote play-sheet/index.html\n"
        assert names(tmp_path) == {
            f"play-sheet/{name}" for name in (*(f"{kit}.wav" for kit in (*BANK, "mine")), "index.html")
        }
        page = (tmp_path / "play-sheet" / "index.html").read_text()
        assert page.count("<audio") == 4 and "<script>alert" not in page and 'src="warm-808.wav"' in page
        assert page.count("data-at=") == 44 and "http" not in page
        loopnet("kits", "play-sheet").refused(1, "exists", "--overwrite")
        assert loopnet("kits", "play-sheet", "--overwrite", "-q").stderr == ""

    def test_is_refused(self, loopnet, tmp_path):
        loopnet("kits", "play-sheet", "warm-808", "-o", "s.flac").refused(2, ".wav file, or a folder")
        loopnet("kits", "play-sheet", "none", "-o", "s.wav").refused(2, "unknown kit")
        loopnet("kits", "play-sheet", "warm-808", "-o", "s.wav", "--rhythm", "none.mid").refused(1, "none.mid")
        assert names(tmp_path) == set()


class TestShow:
    def test_draws_a_picture(self, loopnet, tmp_path):
        assert loopnet("kits", "show", TONE, "--plot", "k.png").code == 0
        assert (tmp_path / "k.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
        loopnet("kits", "show", TONE, "--plot", "k.png").refused(1, "k.png exists")
        assert loopnet("kits", "show", TONE, "--plot", "k.png", "--overwrite", "--json").loops[0]["name"] == TONE
        loopnet("kits", "show", TONE, "--plot", "k.jpg").refused(2, "call it .png")

    @pytest.mark.parametrize(("encoding", "full"), [("utf-8", "█"), ("ascii", "#")])
    def test_draws_bars_on_a_terminal(self, encoding, full):
        from rich.console import Console

        class Screen(io.StringIO):
            pass

        screen = Screen()
        Screen.encoding = encoding
        kit = make_kit("mine", "a [bold]kit[/bold]", 0.5)
        kits_picture.draw(kit, Console(file=screen, force_terminal=True, color_system=None, width=80))
        text = screen.getvalue()
        assert f"hardness    {full * 7}" in text and text.count(full * 7) == 21 + 10 + 1 * 2
        assert "a [bold]kit[/bold]" in text and max(map(len, text.splitlines())) <= 80

    def test_values_beyond_the_range_fit(self):
        kit = make_kit("wild", "", 7.5)
        assert kits_picture.picture(kit)[:4] == b"\x89PNG"
