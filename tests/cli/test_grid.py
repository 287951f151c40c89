"""``loopnet grid``: every combination, named by its values, with an index and a page."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from fake_studio import GRID, names

from loopnet_cli.engine import Ended
from loopnet_cli.jobs import run as jobs_run
from loopnet_cli.jobs import worker

SWEEPS = ("--sweep", "brightness=0:1:3", "-s", "kit=warm-808,dusty-vinyl")


@pytest.fixture
def grid(loopnet, midi, monkeypatch):
    """Run ``loopnet grid`` with a worker that is this very process."""

    def in_turn(function, tasks, engine, *, begin, stop, say):
        for index, task in enumerate(tasks):
            if not stop() and begin(index):
                yield Ended(index, function(task))

    monkeypatch.setattr(jobs_run, "run_tasks", in_turn)
    worker._kept.cache_clear()
    yield lambda *words, **rest: loopnet("grid", *words, **rest)
    worker._kept.cache_clear()


def test_every_combination_in_its_file(grid, studio):
    done = grid("beat.mid", *SWEEPS, "-o", "g", "--bpm", 100, "--low-depth", ".3", "--set", "warmth=+.1", "--json")
    assert done.code == 0, done.stderr
    wanted = {f"beat_brightness-{b}_kit-{k}.wav" for b in ("0", "0.5", "1") for k in ("warm-808", "dusty-vinyl")}
    assert names(Path("g")) == {*wanted, "index.json", "index.record.jsonl"}
    assert done.loops[0]["done"] == 6 and len(studio.calls) == 6
    assert len({call["seed"] for call in studio.calls}) == 1, "the same seed for all: what differs is what is swept"
    for call in studio.calls:
        assert call["pattern"].tempo == 100 and call["timbre"]["low.depth"].value == 0.3
        assert call["timbre"]["mid.warmth"].relative
    assert [call["timbre"]["low.brightness"].value for call in studio.calls] == [0, 0, 0.5, 0.5, 1, 1]


def test_the_index_says_which_loop_is_which(grid):
    assert grid("beat.mid", *SWEEPS, "-o", "g", "--seed", 5).code == 0
    index = json.loads(Path("g/index.json").read_text())
    assert index["sweeps"] == {"brightness": ["0", "0.5", "1"], "kit": ["warm-808", "dusty-vinyl"]}
    loop = index["loops"][1]
    assert (
        loop["values"] == {"brightness": "0", "kit": "dusty-vinyl"} and loop["status"] == "done" and loop["seed"] == 5
    )
    (file,) = loop["files"]
    assert file["sha256"] == hashlib.sha256((Path("g") / file["path"]).read_bytes()).hexdigest()


def test_it_goes_on(grid, studio):
    assert grid("beat.mid", *SWEEPS, "-o", "g").code == 0
    grid("beat.mid", *SWEEPS, "-o", "g").refused(1, "index.json exists")
    Path("g/beat_brightness-1_kit-warm-808.wav").unlink()
    done = grid("beat.mid", *SWEEPS, "-o", "g", "--resume")
    assert done.code == 0 and len(studio.calls) == 7 and studio.calls[-1]["seed"] == studio.calls[0]["seed"]
    assert {loop["status"] for loop in json.loads(Path("g/index.json").read_text())["loops"]} == {"done"}
    assert grid("beat.mid", *SWEEPS, "-o", "g", "--overwrite", "--fail-fast").code == 0 and len(studio.calls) == 13


def test_a_failure_is_in_the_index_and_can_be_retried(grid, studio, monkeypatch):
    render = studio.render

    def broken(pattern, **how):
        if how["kit"].name == "warm-808":
            raise ValueError("no")
        return render(pattern, **how)

    monkeypatch.setattr(studio, "render", broken)
    words = ("beat.mid", "-s", "kit=warm-808,dusty-vinyl", "-o", "g", "--seed", 1)
    done = grid(*words)
    assert done.code == 1 and "kit=warm-808: " in done.stderr
    first, second = json.loads(Path("g/index.json").read_text())["loops"]
    assert (first["status"], first["files"], second["status"]) == ("failed", [], "done") and "no" in first["error"]
    monkeypatch.setattr(studio, "render", render)
    assert grid(*words, "--retry-failed").code == 0 and len(studio.calls) == 2
    assert [loop["status"] for loop in json.loads(Path("g/index.json").read_text())["loops"]] == ["done", "done"]


def test_dry_run(grid, studio):
    done = grid("beat.mid", *SWEEPS, "-o", "g", "--dry-run")
    assert done.code == 0 and studio.calls == [] and not Path("g").exists()
    assert done.stdout.splitlines()[0] == "brightness=0 kit=warm-808: make g/beat_brightness-0_kit-warm-808.wav"
    assert len(done.stdout.splitlines()) == 6


def test_many_rhythms_names_and_variations(grid, studio):
    done = grid(
        "beat.mid", GRID, "-s", "seed=1:2:2", "-o", "g", "--name", "{seed:03}-{stem}-{kit}", "--kit", "warm-808"
    )
    assert done.code == 0, done.stderr
    made = {f"g/00{seed}-{stem}-warm-808.wav" for seed in (1, 2) for stem in ("beat", "grid")}
    assert made <= names(Path())
    assert json.loads(Path("g/index.json").read_text())["loops"][0]["values"] == {"input": "beat", "seed": "1"}
    done = grid(
        "beat.mid", "-s", "kit=warm-808,dusty-vinyl", "-o", "h", "--variations", 2, "--plot", "h/{kit}-{seed}.png"
    )
    assert done.code == 0 and len(list(Path("h").glob("*.wav"))) == len(list(Path("h").glob("*.png"))) == 4
    assert len(json.loads(Path("h/index.json").read_text())["loops"][0]["files"]) == 2


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("-s", "brightness=0:2:3"), ("--sweep brightness=2", "out of range")),
        (("-s", "kit=warm-808,nokit"), ("--sweep kit=nokit", "nokit")),
        (("-s", "brightnes=0:1:3"), ("no column 'brightnes'", "did you mean brightness")),
        (("-s", "seed=0:1:3"), ("--sweep seed=0.5", "integer")),
        (("-s", "output=a,b"), ("-o", "--out-dir")),
        (("-s", "kit=warm-808", "--name", "{kitt}"), ("{kitt}", "did you mean {kit}")),
        (("-s", "brightness=0:1:100", "-s", "depth=0:1:100"), ("100 x 100 = 10000 loops", "--max allows 1000")),
        (("-s", "brightness=0:1:3", "--max", "2"), ("--max allows 2",)),
        (("-s", "brightness=0:1:3", "--name", "x"), ("writes g/x.wav",)),
        (("-s", "brightness"), ("write an option and its values",)),
        (("-s", "kit=warm-808", "--engine", "dask"), ("--scheduler",)),
        (("-s", "kit=warm-808", "--report", "x.png"), (".html",)),
    ],
)
def test_what_is_refused_before_anything_is_made(grid, studio, words, parts):
    done = grid("beat.mid", *words, "-o", "g")
    assert done.code == 2 and studio.calls == [] and not Path("g").exists(), done
    errors = [line for line in done.stderr.splitlines() if line.startswith("loopnet: error: ")]
    assert 1 <= len(errors) <= 2 and all(part in errors[0] for part in parts), errors


def test_standard_input_cannot_be_read_many_times(grid):
    grid("-", "-s", "kit=warm-808", "-o", "g", input=b"").refused(2, "name a file")


def test_a_page_in_the_order_of_the_sweeps(grid):
    done = grid("beat.mid", *SWEEPS, "-o", "g", "--report", "page.html", "--report-audio", "link", "--quiet", "-j", 1)
    assert done.code == 0 and done.stderr == ""
    page = Path("page.html").read_text()
    assert '"brightness"' in page and "beat_brightness-0.5_kit-warm-808.wav" in page


def test_all_options_of_generate_are_there(loopnet):
    from loopnet_cli.cli.grid import NOT_PASSED_ON
    from loopnet_cli.jobs.columns import commands

    text = Path(__file__).parents[2].joinpath("docs", "commands", "grid.md").read_text()
    for parameter in commands()["generate"].params:
        if parameter.name not in NOT_PASSED_ON and parameter.param_type_name == "option":
            assert f"`{parameter.opts[0]}`" in text
