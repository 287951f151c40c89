"""``--engine dask``: a local cluster of two worker processes, one of which is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from fake_studio import beat
from running import SCRIPT, digests, environment, lines, run, start, table, wait_for

from loopnet_cli.pattern.write import write_midi

pytest.importorskip("distributed", reason="dask.distributed is not installed: pip install loopnet[dask]")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    from distributed import LocalCluster

    for key, value in environment(FAKE_FOLDER=tmp_path, FAKE_SECONDS=0.4).items():
        monkeypatch.setenv(key, value)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, preload=[str(SCRIPT)],
        local_directory=str(tmp_path / "dask"), silence_logs=50,
    ) as found:  # fmt: skip
        yield found


def test_the_rows_of_a_killed_worker_are_done_by_another(cluster, tmp_path):
    write_midi(beat(), tmp_path / "beat.mid")
    jobs = table(tmp_path, 6)
    address = cluster.scheduler_address
    process = start("batch", jobs, "--engine", "dask", "--scheduler", address, cwd=tmp_path)
    mark = tmp_path / "begun-2"
    wait_for(lambda: mark.exists() and mark.read_text().endswith("\n"))
    os.kill(int(mark.read_text().split()[0]), signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert len(set(mark.read_text().split())) == 2, "another worker did it"
    record = tmp_path / "jobs.csv.record.jsonl"
    assert sorted(line["seed"] for line in lines(record, "done")) == list(range(6))
    over_there = digests(tmp_path / "out")
    # the same record for the local engine: all is complete; and the same bytes
    done = run("batch", jobs, "--resume", "--jobs", 1, cwd=tmp_path)
    assert done.returncode == 0 and "6 rows complete before" in done.stderr
    assert run("batch", jobs, "--overwrite", "--jobs", 1, cwd=tmp_path, FAKE_SECONDS=0).returncode == 0
    assert digests(tmp_path / "out") == over_there
    words = ("grid", "beat.mid", "-s", "kit=warm-808,dusty-vinyl", "-o", "g", "--seed", 1)
    done = run(*words, "--engine", "dask", "--scheduler", address, cwd=tmp_path)
    assert done.returncode == 0 and len(list(Path(tmp_path / "g").glob("*.wav"))) == 2
