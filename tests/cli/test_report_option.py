"""``--report`` on generate and transfer: what the page holds, and where it may be written."""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest
import soundfile
from fake_studio import GRID, names

from loopnet_cli.controls import TIMBRE_NAMES


def data_of(page: Path) -> dict:
    """Return what a page is told."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(encoding="utf-8"))
    return json.loads(found[1])


def held(page: Path) -> list[tuple]:
    """Return the audio files that a page holds, decoded."""
    sources = re.findall(r'src="data:audio/flac;base64,([^"]+)"', page.read_text(encoding="utf-8"))
    return [soundfile.read(io.BytesIO(b64decode(source))) for source in sources]


class TestGenerate:
    def test_a_page_of_one_loop(self, loopnet, midi, tmp_path):
        done = loopnet("generate", midi, "-o", "a.wav", "--report", "a.html", "--seed", 4, "--low-depth", 0.7)
        assert done.code == 0 and done.stdout == ""
        assert re.search(r"^a.html: a page of 1 loop, 0\.\d MB$", done.stderr, re.M)
        data = data_of(tmp_path / "a.html")
        (item,) = data["items"]
        assert data["title"] == "beat, kit tight-studio" and item["name"] == "a.wav" and item["inputs"] == []
        assert [row[0] for row in item["knobs"]] == list(TIMBRE_NAMES)
        given = [row for row in item["knobs"] if row[3]]
        assert given == [["low.depth", 0.7, 0.25, True]]
        assert dict(item["settings"])["seed"] == "4" and dict(item["settings"])["kit"] == "tight-studio"
        assert data["clips"][0]["file"] == {"name": "a.wav", "href": "./a.wav"}
        ((audio, rate),) = held(tmp_path / "a.html")
        written, _ = soundfile.read(tmp_path / "a.wav")
        assert (rate, audio.shape) == (44100, written.shape) and abs(audio - written).max() <= 2**-15

    def test_a_page_of_many_loops_in_their_order(self, loopnet, midi, tmp_path):
        done = loopnet("generate", midi, GRID, "--variations", 2, "--seed", 1, "--out-dir", "x", "--report", "all.html")
        assert done.code == 0
        data = data_of(tmp_path / "all.html")
        assert [item["name"] for item in data["items"]] == [
            f"{stem}_tight-studio_{seed}.wav" for stem in ("beat", "grid") for seed in (1, 2)
        ]
        assert data["title"] == "beat, grid, kit tight-studio"
        assert data["clips"][0]["file"]["href"] == "./x/beat_tight-studio_1.wav"

    def test_the_same_command_gives_the_same_page(self, loopnet, midi, tmp_path):
        for _ in range(2):
            done = loopnet("generate", midi, "-o", "a.wav", "--report", "a.html", "--seed", 4, "--overwrite")
            assert done.code == 0
            (tmp_path / "a.html").rename(tmp_path / f"{len(names(tmp_path))}.html")
        first, second = (path.read_bytes() for path in tmp_path.glob("*.html"))
        assert first == second

    def test_repeated_loops_show_all_their_bars(self, loopnet, midi, tmp_path):
        assert loopnet("generate", midi, "-o", "a.wav", "--report", "a.html", "--repeat", 3).code == 0
        (clip,) = data_of(tmp_path / "a.html")["clips"]
        assert clip["bars"] == 3 and clip["pattern"]["bars"] == 1 and clip["samples"] == 3 * 88200

    def test_standard_output_and_a_page(self, loopnet, midi, tmp_path):
        done = loopnet("generate", midi, "-o", "-", "--report", "a.html")
        assert done.code == 0 and done.stdout_bytes[:4] == b"RIFF"
        assert data_of(tmp_path / "a.html")["clips"][0]["file"] is None and len(held(tmp_path / "a.html")) == 1

    def test_linked_audio(self, loopnet, midi, tmp_path):
        assert loopnet("generate", midi, "-o", "a.wav", "--report", "a.html", "--report-audio", "link").code == 0
        assert held(tmp_path / "a.html") == [] and 'src="./a.wav"' in (tmp_path / "a.html").read_text()

    def test_json_stays_alone_on_stdout(self, loopnet, midi):
        done = loopnet("generate", midi, "-o", "a.wav", "--report", "a.html", "--json")
        assert done.code == 0 and len(done.loops) == 1

    def test_one_rhythm_that_fails_leaves_a_page_of_the_others(self, loopnet, midi, tmp_path):
        (tmp_path / "bad.mid").write_bytes(b"MThd")
        done = loopnet("generate", "bad.mid", midi, "--report", "a.html", "--seed", 1)
        assert done.code == 1 and len(data_of(tmp_path / "a.html")["items"]) == 1

    def test_no_loop_no_page(self, loopnet, tmp_path):
        done = loopnet("generate", "no.mid", "--report", "a.html")
        assert done.code == 1 and not (tmp_path / "a.html").exists()

    def test_skipped_loops_are_on_the_page(self, loopnet, midi, tmp_path):
        assert loopnet("generate", midi, "--seed", 1).code == 0
        done = loopnet("generate", midi, "--seed", 1, "--variations", 2, "--skip-existing", "--report", "a.html")
        assert done.code == 0
        assert [item["name"] for item in data_of(tmp_path / "a.html")["items"]] == [
            "beat_tight-studio_1.wav",
            "beat_tight-studio_2.wav",
        ]
        before = (tmp_path / "a.html").read_bytes()
        again = loopnet("generate", midi, "--seed", 1, "--variations", 3, "--skip-existing", "--report", "a.html")
        assert again.code == 0 and "a.html exists: left as it is" in again.stderr
        assert (tmp_path / "a.html").read_bytes() == before


class TestRefusals:
    @pytest.mark.parametrize(
        ("words", "code", "parts"),
        [
            (["-o", "a.wav", "--report", "a.png"], 2, ["a.png", ".html"]),
            (["-o", "a.wav", "--report-audio", "link"], 2, ["--report PAGE.html"]),
            (["-o", "-", "--report", "a.html", "--report-audio", "link"], 2, ["link needs files"]),
            (["-o", "a.wav", "--report", "no/such/a.html"], 1, ["no/such", "does not exist"]),
            (["--format", "wav", "-o", "a.html", "--report", "a.html"], 2, ["a.html"]),
            (["-o", "a.wav", "--report", "mine.html"], 1, ["mine.html exists: use --overwrite"]),
            (["-o", "a.wav", "--report", "folder.html", "--overwrite"], 1, ["folder.html", "folder"]),
        ],
    )
    def test_before_anything_is_rendered(self, loopnet, studio, midi, tmp_path, words, code, parts):
        (tmp_path / "mine.html").write_text("mine")
        (tmp_path / "folder.html").mkdir()
        before = names(tmp_path)
        loopnet("generate", midi, *words).refused(code, *parts)
        assert studio.calls == [] and names(tmp_path) == before and (tmp_path / "mine.html").read_text() == "mine"

    def test_an_input_is_not_written_over(self, loopnet, tmp_path):
        (tmp_path / "rhythm.html").write_text(GRID)
        done = loopnet("generate", "rhythm.html", GRID, "--report", "rhythm.html", "--overwrite")
        assert done.code != 0 and (tmp_path / "rhythm.html").read_text() == GRID
        assert "rhythm.html" in done.stderr


class TestTransfer:
    def test_a_written_rhythm_and_a_kit_can_be_heard_beside_the_result(self, loopnet, midi, tmp_path):
        done = loopnet("transfer", "--rhythm", midi, "--timbre", "warm-808", "-o", "a.wav", "--report", "a.html")
        assert done.code == 0, done.stderr
        data = data_of(tmp_path / "a.html")
        (item,) = data["items"]
        assert data["title"] == "beat.mid in the sound of warm-808"
        result, rhythm, sound = (data["clips"][number] for number in (item["clip"], *item["inputs"]))
        assert (rhythm["role"], rhythm["label"]) == ("rhythm", "beat.mid, by kit tight-studio")
        assert (sound["role"], sound["label"]) == ("sound", "kit warm-808")
        assert rhythm["samples"] == result["samples"] == 88200 and len(sound["pattern"]["hits"]) == 10
        assert len(held(tmp_path / "a.html")) == 3

    def test_inputs_of_many_pairs_are_held_once(self, loopnet, midi, tmp_path):
        words = ["--timbre", "warm-808", "--timbre", "dusty-vinyl"]
        done = loopnet("transfer", "--rhythm", midi, *words, "--out-dir", "x", "--report", "a.html")
        assert done.code == 0, done.stderr
        data = data_of(tmp_path / "a.html")
        assert len(data["items"]) == 2 and len(data["clips"]) == 5
        assert data["items"][0]["inputs"][0] == data["items"][1]["inputs"][0]
        assert data["title"] == "beat.mid in the sound of 2 sounds"
