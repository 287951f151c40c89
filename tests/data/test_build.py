from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from dataset_sounds import drum_loop, write

from loopnet_cli.audio.stretch import has_rubberband
from loopnet_cli.data.build import BuildSettings, find_files, parse_range, plan_build, rejected_csv
from loopnet_cli.data.making import make
from loopnet_cli.data.rows import Rejected
from loopnet_cli.data.store import BarStore
from loopnet_cli.data.tempo_table import read_tempo_table
from loopnet_cli.engine import Engine
from loopnet_cli.errors import MissingProgramError, UsageError

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(not has_rubberband(), reason="the program rubberband is not installed")


@pytest.fixture
def loops(tmp_path) -> Path:
    """Six loops at 130 BPM, a text file and one that lies."""
    folder = tmp_path / "loops"
    (folder / "more").mkdir(parents=True)
    for n in range(6):
        where = folder / "more" if n % 2 else folder
        write(where / f"{n}_130bpm.wav", drum_loop(seed=n))
    (folder / "notes.txt").write_text("hello")
    (folder / "bad.wav").write_bytes(b"RIFF????WAVE")
    (folder / ".hidden.wav").write_bytes(b"")
    return folder


def splits(path: Path) -> dict[str, str]:
    with BarStore(path) as store:
        return {loop.name: loop.split for loop in store.loops()}


def test_files_are_found_in_order_and_the_others_named(loops):
    found = [(path.relative_to(loops).as_posix(), problem) for path, problem in find_files([loops])]
    assert found == [
        ("0_130bpm.wav", None), ("2_130bpm.wav", None), ("4_130bpm.wav", None), ("bad.wav", None),
        ("notes.txt", ("not audio by its name", ".txt")),
        ("more/1_130bpm.wav", None), ("more/3_130bpm.wav", None), ("more/5_130bpm.wav", None),
    ]  # fmt: skip


def test_pipes_and_broken_links_are_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.wav")
    (tmp_path / "b.wav").symlink_to(tmp_path / "none.wav")
    reasons = {path.name: problem for path, problem in find_files([tmp_path])}
    assert reasons["a.wav"] == ("not readable", "no regular file") and reasons["b.wav"][0] == "not readable"


def test_a_file_named_by_itself_may_have_any_ending(loops):
    assert list(find_files([loops / "notes.txt"])) == [(loops / "notes.txt", None)]


def test_a_file_met_twice_is_one(loops, tmp_path):
    plan = plan_build([loops, loops / "more"], tmp_path / "a.h5", BuildSettings())
    assert len(plan.tasks) == 7


def test_names_of_any_bytes(tmp_path, quick):
    folder = tmp_path / "in"
    folder.mkdir()
    name = os.fsencode(folder) + b"/\xff\x0a_130bpm.wav"
    write(tmp_path / "a.wav", drum_loop())
    try:
        shutil.move(tmp_path / "a.wav", name)
    except OSError:
        pytest.skip("the file system takes no such names")
    make(plan_build([folder], tmp_path / "a.h5", BuildSettings()))
    with BarStore(tmp_path / "a.h5") as store:
        assert store.loops()[0].name == "\ufffd?_130bpm.wav"


def test_what_is_kept_and_what_is_not(loops, tmp_path, quick):
    summary = make(plan_build([loops], tmp_path / "a.h5", BuildSettings()))
    assert summary.loops.total() == summary.bars.total() == 6
    assert summary.reasons == {"not readable": 1, "not audio by its name": 1}
    with BarStore(tmp_path / "a.h5") as store:
        assert [loop.name[0] for loop in store.loops()] == list("024135")
        assert [one.source for one in store.rejected()] == [str(loops / "bad.wav"), str(loops / "notes.txt")]
        assert store.settings["made_by"] == "dataset build" and store.settings["low"] == 120


def test_more_files_do_not_reshuffle_the_split(loops, tmp_path, quick):
    for n in range(6, 12):
        write(loops / f"{n}_130bpm.wav", drum_loop(seed=n))
    make(plan_build([loops], tmp_path / "many.h5", BuildSettings(seed=4)))
    for n in range(0, 12, 3):
        (loops / f"{n}_130bpm.wav").unlink(missing_ok=True)
    (loops / "2_130bpm.wav").rename(loops / "other_130bpm.wav")
    make(plan_build([loops], tmp_path / "few.h5", BuildSettings(seed=4)))
    many, few = splits(tmp_path / "many.h5"), splits(tmp_path / "few.h5")
    many["other_130bpm.wav"] = many["2_130bpm.wav"]
    assert len(few) == 9 and {name: many[name] for name in few} == few
    assert set(many.values()) == {"train", "test"}


def test_a_table_comes_before_the_name(loops, tmp_path, quick):
    (tmp_path / "t.csv").write_text("file,bpm\nmore/1_130bpm.wav,65\n")
    table = read_tempo_table(tmp_path / "t.csv")
    summary = make(plan_build([loops], tmp_path / "a.h5", BuildSettings(), table))
    assert summary.reasons["tempo out of range"] == 1 and summary.loops.total() == 5


def test_a_file_that_changed_is_done_again(loops, tmp_path):
    target = tmp_path / "a.h5"
    before = [task.key for task in plan_build([loops], target, BuildSettings()).tasks]
    write(loops / "0_130bpm.wav", drum_loop(seed=99)[:-1])
    after = [task.key for task in plan_build([loops], target, BuildSettings()).tasks]
    assert before[0] != after[0] and before[1:] == after[1:]


@pytest.mark.parametrize("text", ["", "120", "140:120", "a:b", "120:9999", "nan:130", "-1:140"])
def test_ranges_that_are_none(text):
    with pytest.raises(UsageError, match="120:140"):
        parse_range(text)


def test_ranges():
    assert parse_range("120:140") == (120.0, 140.0) and parse_range("99.5:99.5") == (99.5, 99.5)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        plan_build([tmp_path / "none"], tmp_path / "a.h5", BuildSettings())
    with pytest.raises(UsageError, match="no files"):
        plan_build([tmp_path], tmp_path / "a.h5", BuildSettings())


def test_without_rubberband_nothing_is_begun(loops, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingProgramError, match="apt install rubberband-cli"):
        plan_build([loops], tmp_path / "a.h5", BuildSettings())


def test_the_list_of_what_was_left_out():
    content = rejected_csv([Rejected('a "b", c.wav', "silent", "never")])
    assert content == b'source,reason,detail\n"a ""b"", c.wav",silent,never\n'


@pytest.mark.slow
def test_the_same_bytes_whatever_the_number_of_workers(loops, tmp_path):
    for name, engine in (("here", None), ("one", Engine(workers=1)), ("two", Engine(workers=2))):
        make(plan_build([loops], tmp_path / f"{name}.h5", BuildSettings()), engine)
    contents = [(tmp_path / f"{name}.h5").read_bytes() for name in ("here", "one", "two")]
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.slow
def test_the_same_bytes_by_dask_though_a_worker_is_killed(loops, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    target, parts = tmp_path / "a.h5", tmp_path / "a.h5.parts"
    how = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with (
        distributed.LocalCluster(**how, local_directory=str(tmp_path / "dask"), silence_logs=50) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = next(iter(client.run(os.getpid).values()))
        words = ["dataset", "build", str(loops), "-o", str(target), "--engine", "dask"]
        command = [sys.executable, "-m", "loopnet_cli", *words, "--scheduler", cluster.scheduler_address]
        run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 120
        while not list(parts.glob("file-*.npz")) and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert run.poll() is None, "it has not ended yet"
        os.kill(victim, signal.SIGKILL)
        _, said = run.communicate(timeout=300)
    assert run.returncode == 0, said
    make(plan_build([loops], tmp_path / "b.h5", BuildSettings()), None)
    assert target.read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.slow
def test_a_killed_run_goes_on(loops, tmp_path):
    target, parts = tmp_path / "a.h5", tmp_path / "a.h5.parts"
    command = [sys.executable, "-m", "loopnet_cli", "dataset", "build", str(loops), "-o", str(target), "--workers", "1"]
    run = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while len(list(parts.glob("file-*.npz"))) < 2 and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    done = {path.name: path.stat().st_mtime_ns for path in parts.glob("file-*.npz")}
    assert done and not target.exists(), "the run ended before it was killed"
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "tasks had been done before" in again.stderr and not parts.exists()
    make(plan_build([loops], tmp_path / "b.h5", BuildSettings()))
    assert target.read_bytes() == (tmp_path / "b.h5").read_bytes()
