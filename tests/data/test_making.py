from __future__ import annotations

import tracemalloc
import weakref
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from dataset_sounds import fake_loop, fake_rows

from loopnet_cli.data import making
from loopnet_cli.data.making import EmptyDatasetError, Plan, make
from loopnet_cli.data.parts import Part, PartsFolder, encode_part, read_part
from loopnet_cli.data.rows import Rejected
from loopnet_cli.data.store import BarStore
from loopnet_cli.engine import Ended, Engine, WorkerLostError
from loopnet_cli.errors import DatasetError


@dataclass(frozen=True)
class FakeTask:
    """Leaves a part of `bars` bars."""

    folder: PartsFolder
    number: int
    bars: int = 1
    sha256: str = ""

    @property
    def key(self) -> str:
        return f"task-{self.number:03d}"

    def died(self, how: str) -> Part:
        return Part(rejected=(Rejected(self.key, "not readable", how),))

    def part(self) -> Part:
        split = "test" if self.number % 3 == 2 else "train"
        loop = fake_loop(f"{self.number}.wav", split=split, bars=self.bars, sha256=self.sha256)
        return Part((loop,), fake_rows(self.bars, seed=self.number), (), 0.5)


class Work:
    """Does tasks and remembers which; may stop before one."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.done: list[int] = []
        self.stop_at = stop_at

    def __call__(self, task: FakeTask) -> None:
        if task.number == self.stop_at:
            raise KeyboardInterrupt
        task.folder.save(task.key, task.part())
        self.done.append(task.number)


def plan(target: Path, work, count: int = 4, settings=None, *, bars: int = 1, **how) -> Plan:
    tasks = [FakeTask(PartsFolder(target), number, bars) for number in range(count)]
    return Plan(target, settings or {"seed": 1}, tasks, work, True, {"activations": True, "patterns": True}, **how)


def test_a_run_that_stopped_goes_on(tmp_path):
    target = tmp_path / "a.h5"
    whole = tmp_path / "b.h5"
    make(plan(whole, Work()))
    with pytest.raises(KeyboardInterrupt):
        make(plan(target, Work(stop_at=2)))
    assert not target.exists() and (tmp_path / "a.h5.parts").is_dir()
    (tmp_path / "a.h5.parts" / ".half.tmp").write_bytes(b"half a part")
    work, steps = Work(), []
    summary = make(plan(target, work), advance=lambda: steps.append(1))
    assert work.done == [2, 3] and len(steps) == 4 and summary.resumed == 2
    assert target.read_bytes() == whole.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.h5", "b.h5"]


def test_a_run_killed_while_the_parts_are_joined_goes_on(tmp_path, monkeypatch):
    target = tmp_path / "a.h5"
    real, reads = making.read_part, []

    def read(path):
        reads.append(path)
        if len(reads) == 3:
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(making, "read_part", read)
    with pytest.raises(KeyboardInterrupt):
        make(plan(target, Work()))
    assert not target.exists()
    work = Work()
    make(plan(target, work))
    assert work.done == []
    with BarStore(target) as store:
        assert len(store) == 4


def test_a_run_killed_after_all_was_joined_is_done(tmp_path):
    target = tmp_path / "a.h5"
    make(plan(target, Work()))
    PartsFolder(target).open({"seed": 1})
    summary = make(plan(target, Work(stop_at=0)))
    assert sum(summary.bars.values()) == 4 and not (tmp_path / "a.h5.parts").exists()


def test_what_exists_is_replaced_only_if_asked(tmp_path):
    target = tmp_path / "a.h5"
    make(plan(target, Work()))
    with pytest.raises(DatasetError, match="--overwrite"):
        make(plan(target, Work(), 2))
    make(plan(target, Work(), 2), overwrite=True)
    with BarStore(target) as store:
        assert len(store) == 2


def test_other_settings_do_not_continue_it(tmp_path):
    target = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        make(plan(target, Work(stop_at=2)))
    with pytest.raises(DatasetError, match=r"other settings.*seed: 1"):
        make(plan(target, Work(), settings={"seed": 2}))


def test_two_runs_do_not_make_the_same_data_set(tmp_path):
    target = tmp_path / "a.h5"
    folder = PartsFolder(target)
    folder.open({"seed": 1})
    with folder.alone(), pytest.raises(DatasetError, match="another run"):
        make(plan(target, Work()))
    make(plan(target, Work()))


def test_a_damaged_part_is_named(tmp_path):
    target = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        make(plan(target, Work(stop_at=2)))
    part = PartsFolder(target).file("task-001")
    part.write_bytes(part.read_bytes()[:500])
    with pytest.raises(DatasetError, match=r"task-001.*delete it"):
        make(plan(target, Work()))


def test_a_part_is_read_as_it_was_written(tmp_path):
    part = replace(FakeTask(PartsFolder(tmp_path / "a.h5"), 5, 2).part(), rejected=(Rejected("a", "b", "c"),))
    (tmp_path / "p.npz").write_bytes(encode_part(part))
    found = read_part(tmp_path / "p.npz")
    assert (found.loops, found.rejected, found.seconds) == (part.loops, part.rejected, part.seconds)
    assert (found.rows.audio_paper == part.rows.audio_paper).all() and found.rows.patterns == part.rows.patterns


def test_the_same_content_counts_once(tmp_path):
    target = tmp_path / "a.h5"
    tasks = [FakeTask(PartsFolder(target), n, 1, sha) for n, sha in enumerate(["x", "y", "x", ""])]
    summary = make(replace(plan(target, Work()), tasks=tasks))
    assert summary.loops.total() == 3 and summary.rejected == [
        Rejected("in/2.wav", "same content as another file", "in/0.wav")
    ]
    with BarStore(target) as store:
        assert [loop.name for loop in store.loops()] == ["0.wav", "1.wav", "3.wav"]
        assert store.loop_of(range(3)).tolist() == [0, 1, 2]


def test_nothing_kept_is_an_error_that_says_why(tmp_path):
    left_out = (Rejected("a.wav", "silent", "never"),)
    with pytest.raises(EmptyDatasetError) as caught:
        make(plan(tmp_path / "a.h5", Work(), 0, rejected=left_out))
    assert caught.value.summary.reasons == {"silent": 1}
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_kills_its_process_is_left_out(tmp_path, monkeypatch):
    target = tmp_path / "a.h5"

    def run(work, tasks, engine):
        assert engine == Engine(workers=2)
        for index, task in enumerate(tasks):
            if index == 1:
                yield Ended(index, None, WorkerLostError("killed by SIGSEGV"))
            else:
                work(task)
                yield Ended(index)

    monkeypatch.setattr(making, "run_tasks", run)
    summary = make(plan(target, Work()), Engine(workers=2))
    assert summary.rejected == [Rejected("task-001", "not readable", "killed by SIGSEGV")]
    assert summary.loops.total() == 3


def test_an_error_of_all_tasks_stops_the_run(tmp_path, monkeypatch):
    error = DatasetError("the disk is full")
    monkeypatch.setattr(making, "run_tasks", lambda *a: iter([Ended(0, None, error)]))
    with pytest.raises(DatasetError, match="disk is full"):
        make(plan(tmp_path / "a.h5", Work()), Engine(workers=2))


def test_parts_are_joined_one_at_a_time(tmp_path, monkeypatch):
    real, alive, most = making.read_part, [], []

    def read(path):
        part = real(path)
        alive.append(weakref.ref(part.rows))
        most.append(sum(ref() is not None for ref in alive))
        return part

    monkeypatch.setattr(making, "read_part", read)
    make(plan(tmp_path / "a.h5", Work(), 12))
    assert len(most) == 12 and max(most) <= 3


def test_memory_does_not_grow_with_the_data_set(tmp_path):
    def peak(count: int) -> int:
        tracemalloc.start()
        make(plan(tmp_path / f"{count}.h5", Work(), count, bars=8))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few = peak(3)
    many = peak(24)
    size = (tmp_path / "24.h5").stat().st_size
    assert size > 40e6 and many < few + size / 10
