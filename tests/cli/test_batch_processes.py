"""``loopnet batch`` with worker processes: the same bytes, and nothing lost by any kind of end."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from fake_studio import beat
from running import digests, lines, run, start, table, wait_for

from loopnet_cli.pattern.write import write_midi


@pytest.fixture
def folder(tmp_path) -> Path:
    write_midi(beat(), tmp_path / "beat.mid")
    return tmp_path


def record(folder: Path) -> Path:
    return folder / "jobs.csv.record.jsonl"


def ended(folder: Path) -> int:
    return record(folder).exists() and len([x for x in record(folder).read_text().splitlines() if '"done"' in x])


def test_the_same_bytes_whatever_the_number_of_workers(folder):
    jobs = table(folder, 6)
    assert run("batch", jobs, "--jobs", 1, cwd=folder).returncode == 0
    one = digests(folder / "out")
    done = run("batch", jobs, "--jobs", 2, "--overwrite", "--json", cwd=folder, FAKE_FOLDER=folder, FAKE_SECONDS=0.1)
    assert done.returncode == 0 and '"done": 6' in done.stdout and "6 loops in" in done.stderr
    assert digests(folder / "out") == one and len(one) == 6
    assert len({(folder / f"begun-{seed}").read_text() for seed in range(6)}) == 2, "both workers had rows"


def test_kill_9_of_everything_loses_nothing_that_was_finished(folder):
    jobs = table(folder, 8)
    process = start("batch", jobs, "--jobs", 2, cwd=folder, FAKE_SECONDS=0.2)
    wait_for(lambda: ended(folder) >= 3)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finished = {line["row"]: line["files"] for line in lines(record(folder), "done")}
    assert 3 <= len(finished) < 8
    there = digests(folder / "out")
    for files in finished.values():
        for path, digest in files.items():
            assert there[Path(path).name] == digest
    done = run("batch", jobs, "--resume", "--jobs", 1, cwd=folder, FAKE_FOLDER=folder)
    assert done.returncode == 0 and f"{len(finished)} rows complete before" in done.stderr
    assert len(list(folder.glob("begun-*"))) == 8 - len(finished)
    assert all(name.endswith(".wav") or name.startswith(".") for name in digests(folder / "out"))
    whole = {name: digest for name, digest in digests(folder / "out").items() if not name.startswith(".")}
    assert run("batch", jobs, "--overwrite", "--jobs", 1, cwd=folder).returncode == 0
    assert {name: digest for name, digest in digests(folder / "out").items() if not name.startswith(".")} == whole


def test_workers_end_when_the_one_who_gave_them_work_is_killed(folder):
    process = start("batch", table(folder, 8), "--jobs", 1, cwd=folder, FAKE_SECONDS=0.3, FAKE_FOLDER=folder)
    wait_for(lambda: ended(folder) >= 1)
    process.kill()
    process.communicate()
    worker = int((folder / "begun-0").read_text())

    def gone() -> bool:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return True
        # nobody may be there to reap it
        return Path(f"/proc/{worker}/stat").exists() and " Z " in Path(f"/proc/{worker}/stat").read_text()

    wait_for(gone)
    begun = len(list(folder.glob("begun-*")))
    assert begun < 8
    assert not [name for name in digests(folder / "out") if not name.endswith(".wav")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_rows_that_run(folder, number):
    process = start("batch", table(folder, 8), "--jobs", 2, cwd=folder, FAKE_SECONDS=0.3, FAKE_FOLDER=folder)
    wait_for(lambda: ended(folder) >= 1)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        os.kill(process.pid, number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 128 + number, err
    assert "finishing the rows that run" in err and "--resume goes on" in err and "Traceback" not in err
    begun = len(list(folder.glob("begun-*")))
    assert begun == ended(folder) == len(digests(folder / "out")) < 8
    assert run("batch", "jobs.csv", "--resume", "--jobs", 1, cwd=folder).returncode == 0
    assert len(digests(folder / "out")) == 8


def test_a_second_ctrl_c_stops_at_once(folder):
    process = start("batch", table(folder, 4), "--jobs", 1, cwd=folder, FAKE_SECONDS=60, FAKE_FOLDER=folder)
    wait_for(lambda: (folder / "begun-0").exists())
    os.kill(process.pid, signal.SIGINT)
    wait_for(lambda: b"finishing" in os.read(process.stderr.fileno(), 1000))
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=50)
    assert process.returncode == 130 and "Traceback" not in err and digests(folder / "out") == {}
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "begun-0").read_text()), 0)


def test_a_worker_that_is_killed_costs_at_most_its_row(folder):
    jobs = table(folder, 4)
    done = run("batch", jobs, "--jobs", 1, cwd=folder, FAKE_FOLDER=folder, FAKE_DEADLY_SEED=1, FAKE_DEATHS=1)
    assert done.returncode == 0, done.stderr
    assert [line["tries"] for line in lines(record(folder), "done") if line["seed"] == 1] == [2]
    for mark in folder.glob("begun-*"):
        mark.unlink()
    done = run(
        "batch", jobs, "--overwrite", "--jobs", 1, cwd=folder,
        FAKE_FOLDER=folder, FAKE_DEADLY_SEED=1, FAKE_DEATHS=9, FAKE_BUG_SEED=2,
    )  # fmt: skip
    assert done.returncode == 1 and "row 2 (line 3): the worker process was killed by SIGKILL" in done.stderr
    assert (
        "row 3 (line 4): beat.mid: unexpected ZeroDivisionError: somewhere" in done.stderr
        and "Traceback" not in done.stderr
    )
    assert [line["seed"] for line in lines(record(folder), "failed")] == [1, 2]
    assert "in render" in lines(record(folder), "failed")[1]["trace"]
    assert [line["seed"] for line in lines(record(folder), "done")] == [0, 3]
    done = run("batch", jobs, "--retry-failed", "--overwrite", "--jobs", 1, cwd=folder)
    assert done.returncode == 0 and "2 rows left out" in done.stderr


def test_a_grid_in_processes(folder):
    words = ("grid", "beat.mid", "--sweep", "brightness=0:1:2", "--sweep", "kit=warm-808,dusty-vinyl", "-o", "g")
    assert run(*words, "--jobs", 2, "--seed", 1, cwd=folder).returncode == 0
    assert len(list((folder / "g").glob("*.wav"))) == 4
