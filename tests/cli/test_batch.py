"""``loopnet batch`` but for its processes: rows, errors, flags, the record. Rows are done in this process."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from fake_studio import GRID, names
from running import lines

from loopnet_cli.engine import Ended
from loopnet_cli.jobs import run as jobs_run
from loopnet_cli.jobs import worker
from loopnet_cli.pattern.write import write_midi


@pytest.fixture
def batch(loopnet, midi, monkeypatch):
    """Run ``loopnet batch`` with a worker that is this very process."""

    def inline(function, tasks, engine, *, begin, stop, say):
        inline.engine = engine
        for index, task in enumerate(tasks):
            if stop():
                return
            if begin(index):
                yield Ended(index, function(task))

    def in_turn(*args, **rest):
        yield from inline(*args, **rest)

    monkeypatch.setattr(jobs_run, "run_tasks", in_turn)
    worker._kept.cache_clear()

    def run(*words, jobs=None, **rest):
        if jobs is not None:
            Path("jobs.csv").write_text(jobs)
        return loopnet("batch", "jobs.csv" if jobs is not None else words[0], *words[jobs is None :], **rest)

    run.inline = inline
    yield run
    worker._kept.cache_clear()


def problems(done) -> list[str]:
    assert "Traceback" not in done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("loopnet: error: ")]


TWO = "inputs,output,seed,bpm\nbeat.mid,a.wav,1,100\nbeat.mid,b.wav,2,\n"


def test_a_row_is_what_generate_makes_of_the_same_options(batch, loopnet, studio):
    assert batch(jobs=TWO).code == 0
    assert studio.loaded == 1, "the model is loaded once for all rows"
    assert loopnet("generate", "beat.mid", "-o", "c.wav", "--seed", 1, "--bpm", 100).code == 0
    assert Path("a.wav").read_bytes() == Path("c.wav").read_bytes()
    assert [call["seed"] for call in studio.calls] == [1, 2, 1]


def test_any_option_is_a_column(batch, studio):
    rows = [
        {
            "inputs": ["beat.mid", GRID], "out-dir": "o", "name": "{stem}-{seed}-{variation}", "kit": "warm-808",
            "low.depth": ".3", "set": ["warmth=+.1"], "chroma": "Am", "variations": 2, "seed": 7, "stems": "stems",
            "plot": "p/{stem}-{seed}.png", "format": "flac", "subtype": "16", "bars": 2, "overwrite": False,
            "normalize": "lufs:-20",
        },
        {"rhythm": "beat.mid", "timbre": "warm-808", "output": "t.wav", "amount": 0.5, "seed": 1},
    ]  # fmt: skip
    Path("p").mkdir()
    Path("jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = batch("jobs.jsonl")
    assert done.code == 0, done.stderr
    assert {"o/beat-7-1.flac", "o/beat-8-2.flac", "o/grid-7-1.flac", "t.wav", "p/beat-8.png"} <= names(Path())
    assert len(list(Path("stems").iterdir())) == 16
    call = studio.calls[0]
    assert call["kit"].name == "warm-808" and call["timbre"]["low.depth"].value == 0.3 and call["pattern"].bars == 2
    entry = lines(Path("jobs.jsonl.record.jsonl"), "done")[0]
    assert len(entry["loops"]) == 4 and len(entry["files"]) == 4 + 16 + 4


def test_the_record_says_what_became_of_each_row(batch):
    done = batch("--json", jobs=TWO + "none.mid,c.wav,3,\n")
    assert done.code == 1
    first, second, third = lines(Path("jobs.csv.record.jsonl"))[1::2]
    assert (first["status"], first["row"], first["path"], first["seed"]) == ("done", 1, "a.wav", 1)
    assert first["files"] == {"a.wav": hashlib.sha256(Path("a.wav").read_bytes()).hexdigest()}
    assert first["inputs"] == {"beat.mid": hashlib.sha256(Path("beat.mid").read_bytes()).hexdigest()}
    assert first["error"] is None and first["seconds"] > 0 and second["path"] == "b.wav"
    assert third["status"] == "failed" and "none.mid" in third["error"] and third["files"] == {}
    assert problems(done) == [f"loopnet: error: row 3 (line 4): {third['error']}"]
    (told,) = done.loops
    assert (told["rows"], told["done"], told["failed"], told["loops"]) == (3, 2, 1, 2)
    assert told["failures"] == [{"row": 3, "line": 4, "error": third["error"]}]
    assert told["record"] == "jobs.csv.record.jsonl"


def test_every_bad_row_is_told_and_nothing_is_rendered(batch, studio):
    done = batch(
        jobs="inputs,output,bpm,kit,seed\n"
        "beat.mid,a.wav,fast,,\nbeat.mid,b.wav,,nokit,\n,c.wav,,,\nbeat.mid,d.wav,,,1\nbeat.mid,./d.wav,,,2\n"
        "beat.mid,e.mp3,,,\nbeat.mid,beat.mid,,,\nbeat.mid,f.wav,1000,,\n"
    )
    assert done.code == 2 and studio.calls == [] and names(Path()) == {"beat.mid", "jobs.csv"}
    found = problems(done)
    wanted = [
        ("row 1 (line 2), column bpm: 'fast'",),
        ("row 2 (line 3), column kit:", "nokit"),
        ("row 3 (line 4): there is no inputs",),
        ("row 5 (line 6): writes d.wav, as row 4 (line 5) does",),
        ("row 6 (line 7)", ".mp3"),
        ("row 7 (line 8)", ".mid"),
        ("row 8 (line 9), column bpm: '1000'",),
    ]
    assert len(found) == len(wanted), found
    for parts, line in zip(wanted, found, strict=True):
        assert all(part in line for part in parts), (parts, line)


def test_what_is_read_is_not_written_over(batch):
    Path("x.wav").write_bytes(b"RIFF")
    done = batch("--overwrite", jobs="rhythm,timbre,output\nx.wav,warm-808,x.wav\nbeat.mid,x.wav,y.wav\n")
    assert done.code == 2 and "row 1 (line 2)" in done.stderr and "x.wav is an input" in done.stderr
    done = batch("--overwrite", jobs="rhythm,timbre,output\nbeat.mid,warm-808,x.wav\nbeat.mid,x.wav,y.wav\n")
    assert done.code == 2 and "row 1 (line 2): would write over x.wav, which a row reads" in done.stderr


def test_many_bad_rows_are_told_in_few_lines(batch):
    done = batch(jobs="inputs,bpm\n" + "beat.mid,x\n" * 100)
    assert done.code == 2 and len(problems(done)) == 21 and "80 more rows" in problems(done)[-1]


@pytest.mark.parametrize("column", ["inputs", "timbre", "kit", "output", "name"])
def test_a_wrong_column_is_told_with_its_row(batch, column):
    done = batch(jobs=f"inputs,{column}x\nbeat.mid,1\n")
    assert done.code == 2 and f"column '{column}x'" in done.stderr and "row 1 (line 2)" in done.stderr


def test_files_that_exist_are_never_replaced_unasked(batch, studio):
    Path("b.wav").write_text("mine")
    done = batch(jobs=TWO)
    assert done.code == 2 and problems(done) == [
        "loopnet: error: row 2 (line 3): b.wav exists: use --overwrite, or --resume to go on with an earlier run"
    ]
    assert studio.calls == [] and Path("b.wav").read_text() == "mine"
    assert batch("--overwrite", jobs=TWO).code == 0 and Path("b.wav").read_bytes()[:4] == b"RIFF"


def test_a_file_that_appears_meanwhile_is_not_replaced_either(batch, studio, monkeypatch):
    render = studio.render

    def slow(pattern, **how):
        Path("b.wav").write_text("mine")
        return render(pattern, **how)

    monkeypatch.setattr(studio, "render", slow)
    done = batch(jobs=TWO)
    assert done.code == 1 and "row 2 (line 3): b.wav exists by now" in done.stderr
    assert Path("b.wav").read_text() == "mine" and Path("a.wav").exists()


def test_rows_of_their_own_mind(batch, studio):
    Path("a.wav").write_text("old")
    Path("b.wav").write_text("old")
    done = batch(jobs="inputs,output,overwrite,skip-existing\nbeat.mid,a.wav,yes,\nbeat.mid,b.wav,,yes\n")
    assert done.code == 0, done.stderr
    assert Path("a.wav").read_bytes()[:4] == b"RIFF" and Path("b.wav").read_text() == "old"


def test_the_table_and_the_record_are_not_written_over(batch):
    for name in ("jobs.csv", "jobs.csv.record.jsonl"):
        done = batch("--overwrite", jobs=f"inputs,stems,output,plot,format\nbeat.mid,,{name},,wav\n")
        assert done.code == 2 and Path("jobs.csv").read_text().startswith("inputs"), done.stderr


def test_an_earlier_record_is_not_lost(batch):
    assert batch(jobs=TWO).code == 0
    before = Path("jobs.csv.record.jsonl").read_bytes()
    batch(jobs=TWO).refused(2, "jobs.csv.record.jsonl is the record of an earlier run", "--resume")
    assert Path("jobs.csv.record.jsonl").read_bytes() == before
    Path("x").write_text("a diary")
    batch("--record", "x", jobs=TWO).refused(2, "x is no record of loopnet")
    assert Path("x").read_text() == "a diary"
    assert batch("--overwrite", jobs=TWO).code == 0
    assert len(lines(Path("jobs.csv.record.jsonl"), "done")) == 2


def test_resume_does_what_is_not_complete(batch, studio):
    assert batch("--resume", jobs=TWO).code == 0, "there need not be a record"
    assert batch("--resume", jobs=TWO).code == 0 and len(studio.calls) == 2
    Path("a.wav").unlink()
    done = batch("--resume", jobs=TWO + "beat.mid,c.wav,3,\n")
    assert done.code == 0 and "1 row complete before" in done.stderr
    assert [call["seed"] for call in studio.calls[2:]] == [1, 3]
    assert batch("--resume", "--json", jobs=TWO).loops[0]["complete_before"] == 2


def test_resume_knows_a_row_by_what_it_asks_for(batch, studio):
    assert batch(jobs=TWO).code == 0
    moved = "bpm,seed,output,inputs\n,2,b.wav,beat.mid\n120,3,c.wav,beat.mid\n100,1,a.wav,beat.mid\n"
    assert batch("--resume", jobs=moved).code == 0
    assert [call["seed"] for call in studio.calls[2:]] == [3]


def test_resume_does_changed_rows_but_replaces_nothing_unasked(batch, studio):
    assert batch(jobs=TWO).code == 0
    changed = TWO.replace("1,100", "1,110")
    done = batch("--resume", jobs=changed)
    assert done.code == 2 and "row 1 (line 2): a.wav exists" in done.stderr and len(studio.calls) == 2
    assert batch("--resume", "--overwrite", jobs=changed).code == 0 and len(studio.calls) == 3


def test_resume_does_not_replace_what_was_changed_by_hand(batch):
    assert batch(jobs=TWO).code == 0
    Path("a.wav").write_text("cut by hand")
    done = batch("--resume", jobs=TWO)
    assert done.code == 2 and Path("a.wav").read_text() == "cut by hand"
    assert "row 1 (line 2): a.wav exists and is not what this row has made: use --overwrite" in done.stderr


def test_resume_sees_that_a_rhythm_has_changed(batch, studio, midi):
    from fake_studio import beat

    assert batch(jobs=TWO).code == 0
    write_midi(beat(2), midi)
    assert batch("--resume", jobs=TWO).code == 0 and len(studio.calls) == 4
    assert studio.calls[-1]["pattern"].bars == 2


def test_what_an_interrupted_row_left_is_its_own(batch, studio):
    assert batch(jobs=TWO).code == 0
    record = Path("jobs.csv.record.jsonl")
    kept = [line for line in record.read_text().splitlines() if '"done"' not in line or '"a.wav"' in line]
    record.write_text("\n".join(kept) + '\n{"status": "done", "ke')  # killed after b.wav, before its line was whole
    assert batch("--resume", jobs=TWO).code == 0
    assert [call["seed"] for call in studio.calls[2:]] == [2]
    assert batch("--resume", jobs=TWO).code == 0 and len(studio.calls) == 3


def test_what_a_killed_process_left_half_written_is_removed(batch):
    old, new, other = (Path("o") / name for name in (f".{'0a' * 8}.part", f".{'1b' * 8}.part", ".mine.part"))
    table = "inputs,output\nbeat.mid,o/a.wav\n"
    Path("o").mkdir()
    assert batch(jobs=table).code == 0
    record = Path("jobs.csv.record.jsonl")
    record.write_text("\n".join(record.read_text().splitlines()[:2]) + "\n")  # begun, and not ended
    for path in (old, new, other):
        path.write_text("half")
    for path in (old, other):
        os.utime(path, (0, 0))
    assert batch("--resume", jobs=table).code == 0
    assert names(Path("o")) == {"a.wav", new.name, other.name}


def test_where_nobody_looks_a_line_says_how_far_it_is(batch, monkeypatch):
    monkeypatch.setattr(jobs_run, "TOLD_EVERY", 0)
    assert "1 of 2 rows, 0:00:" in batch(jobs=TWO).stderr


def test_retry_failed_does_these_alone(batch, studio):
    table = TWO.replace("beat.mid,b", "later.mid,b")
    assert batch(jobs=table).code == 1
    write_midi_copy("later.mid")
    Path("a.wav").unlink()
    done = batch("--retry-failed", jobs=table + "beat.mid,c.wav,3,\n")
    assert done.code == 0 and "2 rows left out" in done.stderr
    assert [call["seed"] for call in studio.calls] == [1, 2] and not Path("a.wav").exists()
    assert batch("--retry-failed", jobs=table).code == 0 and len(studio.calls) == 2


def write_midi_copy(name: str) -> None:
    Path(name).write_bytes(Path("beat.mid").read_bytes())


def test_going_on_needs_a_record(batch):
    for flag in ("--resume", "--retry-failed"):
        done = batch("-", "--format", "csv", flag, input=TWO.encode())
        done.refused(2, "need a record")


def test_dry_run_writes_nothing(batch, studio):
    done = batch("--dry-run", jobs=TWO + "none.mid,o/c.wav,3,\n")
    assert done.code == 0 and studio.calls == [] and names(Path()) == {"beat.mid", "jobs.csv"}
    assert done.stdout.splitlines() == [
        "row 1 (line 2): make a.wav",
        "row 2 (line 3): make b.wav",
        "row 3 (line 4): would fail: cannot read none.mid: No such file or directory",
    ]
    told = batch("-n", "--json", jobs=TWO).loops
    assert [(row["row"], row["state"], row["files"]) for row in told] == [
        (1, "todo", ["a.wav"]),
        (2, "todo", ["b.wav"]),
    ]
    assert batch(jobs=TWO).code == 0
    assert batch("-n", "--resume", jobs=TWO).stdout.count("complete") == 2


def test_fail_fast_begins_nothing_more(batch, studio):
    table = "inputs,output\nnone.mid,a.wav\nbeat.mid,b.wav\nbeat.mid,c.wav\n"
    done = batch("--fail-fast", jobs=table)
    assert done.code == 1 and studio.calls == [] and "2 rows not begun" in done.stderr
    assert batch("--resume", jobs=table).code == 1 and len(studio.calls) == 2


def test_seeds_that_are_not_given_are_kept(batch, studio):
    table = "inputs,output\nbeat.mid,a.wav\nbeat.mid,b.wav\n"
    assert batch(jobs=table).code == 0
    seeds = [call["seed"] for call in studio.calls]
    assert seeds == [line["seed"] for line in lines(Path("jobs.csv.record.jsonl"), "done")]
    Path("a.wav").unlink()
    assert batch("--resume", jobs=table).code == 0 and studio.calls[-1]["seed"] == seeds[0]


def test_seeds_by_number(batch, studio):
    table = "inputs,output,seed\nbeat.mid,a.wav,\nbeat.mid,b.wav,\nbeat.mid,c.wav,5\n"
    assert batch("--seed", 2**32 - 1, jobs=table).code == 0
    assert [call["seed"] for call in studio.calls] == [2**32 - 1, 0, 5]


def test_equal_rows_are_told_apart(batch, studio):
    table = "inputs,out-dir\nbeat.mid,o\nbeat.mid,o\n"
    assert batch(jobs=table).code == 0 and len(names(Path("o"))) == 2
    assert batch("--resume", jobs=table).code == 0 and len(studio.calls) == 2


def test_standard_input_and_a_record_by_name(batch, studio):
    done = batch("-", "--format", "jsonl", input=b'{"inputs": "beat.mid", "output": "a.wav"}\n')
    assert done.code == 0 and names(Path()) == {"beat.mid", "a.wav"}
    Path("a.wav").unlink()
    yaml = b"- {inputs: beat.mid, output: a.wav, seed: 1}\n"
    assert batch("-", "--format", "yaml", "--record", "r", input=yaml).code == 0
    assert batch("-", "--format", "yaml", "--record", "r", "--resume", input=yaml).code == 0 and len(studio.calls) == 2
    batch("-", input=b"").refused(2, "say --format")
    Path("jobs").write_text("")
    batch("jobs").refused(2, "cannot tell the format of jobs")


def test_folders(batch, tmp_path, monkeypatch):
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    (tmp_path / "jobs.csv").write_text("inputs,seed,output\nbeat.mid,1,\nbeat.mid,2,x.wav\n")
    done = batch("../jobs.csv", "-C", "..", "-d", "loops", "--quiet")
    assert done.code == 0 and done.stderr == "" and done.stdout == ""
    assert names(tmp_path) == {
        "jobs.csv",
        "jobs.csv.record.jsonl",
        "beat.mid",
        "x.wav",
        "loops/beat_tight-studio_1.wav",
    }
    assert Path.cwd() == tmp_path / "other"
    batch("../jobs.csv", "-C", "none").refused(2, "no such folder")


def test_a_bug_fails_its_row_and_is_kept(batch, studio, monkeypatch):
    render = studio.render

    def broken(pattern, **how):
        return 1 // 0 if how["seed"] == 1 else render(pattern, **how)

    monkeypatch.setattr(studio, "render", broken)
    done = batch(jobs=TWO)
    assert done.code == 1 and "row 1 (line 2)" in done.stderr and "ZeroDivisionError" in done.stderr
    assert Path("b.wav").exists() and not Path("a.wav").exists()


def test_a_page_of_all_loops(batch):
    table = TWO + "none.mid,c.wav,3,\n"
    assert batch("--report", "page.html", "--report-audio", "link", jobs=table).code == 1
    page = Path("page.html").read_text()
    assert "a.wav" in page and "b.wav" in page and "cannot read none.mid" in page
    measured = lines(Path("jobs.csv.record.jsonl"), "done")[0]["measured"]
    assert measured[0]["low.depth"] == 0.25
    Path("b.wav").unlink()
    done = batch("--resume", "--report", "page.html", "--report-audio", "link", "--json", jobs=table)
    assert done.loops[0]["report"] == "page.html" and "a.wav" in Path("page.html").read_text()
    batch("--report", "page.png", "--resume", jobs=table).refused(2, ".html")


def test_engines(batch):
    assert batch("--jobs", 3, jobs=TWO).code == 0 and batch.inline.engine.workers == 3
    batch("--engine", "dask", "--resume", jobs=TWO).refused(2, "--scheduler")
    batch("--scheduler", "tcp://x", "--resume", jobs=TWO).refused(2, "--engine dask")
    assert batch("--engine", "dask", "--scheduler", "tcp://x:1", "--overwrite", jobs=TWO).code == 0
    assert batch.inline.engine.scheduler == "tcp://x:1"


def test_odd_names(batch):
    rows = [
        {"inputs": "beat.mid", "output": "\U0001f941 \u00e4 b.wav", "seed": 1},
        {"inputs": "beat.mid", "output": "-a.wav", "seed": 1},
        {"inputs": "beat.mid", "output": "x" * 300 + ".wav", "seed": 1},
        {"inputs": "beat.mid", "name": "../x", "seed": 1},
    ]
    Path("jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = batch("jobs.jsonl")
    assert done.code == 2 and len(problems(done)) == 1
    assert "row 4 (line 4), column name: --name ../x: no path separators here" in done.stderr
    Path("jobs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:3]))
    done = batch("jobs.jsonl")
    assert done.code == 1 and len(problems(done)) == 1 and "too long" in done.stderr
    assert {"\U0001f941 \u00e4 b.wav", "-a.wav"} <= names(Path())


def test_where_nothing_can_be_written(batch):
    done = batch(jobs="inputs,output\nbeat.mid,beat.mid/a.wav\nbeat.mid,none/a.wav\nbeat.mid,b.wav\n")
    assert done.code == 1 and len(problems(done)) == 2 and Path("b.wav").exists()
    assert "the folder none does not exist" in done.stderr


def test_a_folder_that_is_missing_is_seen_before_anything_is_rendered(batch, studio):
    rows = "inputs,output,out-dir\nbeat.mid,none/a.wav,\nbeat.mid,,made/here\n"
    done = batch("--dry-run", jobs=rows)
    assert "row 1 (line 2): would fail: cannot write none/a.wav: the folder none does not exist" in done.stdout
    assert "row 2 (line 3): make made/here/" in done.stdout
    assert batch(jobs=rows).code == 1 and len(studio.calls) == 1
