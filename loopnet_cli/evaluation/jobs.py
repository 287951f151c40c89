"""Measure many numbers with worker processes; what is done is kept on disk, so that an interrupted run resumes."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.bench import Bench
from loopnet_cli.evaluation.report import plain
from loopnet_cli.threads import one_thread_meanwhile

SOURCES = ("analysis", "audio", "data", "evaluation", "pattern", "synthesis")

_bench: Bench | None = None
"""The worker's own, made once by `_start`."""


def measure_all(
    section: str,
    count: int,
    *,
    data: Path,
    weights: Path | None,
    seed: int,
    workers: int,
    state: Path,
    embedding: Path | None = None,
) -> list[dict[str, Any]]:
    """Measure numbers 0 to `count` - 1 of a section.

    Parameters
    ----------
    section : str
        Name of a module of this package with ``measure(bench, number)``.
    count : int
        Loops.
    data : Path
        The training material.
    weights : Path or None
        The model's folder; None for the package's own.
    seed : int
        Of the evaluation.
    workers : int
        Processes of one thread each; 0 measures in this process.
    state : Path
        Folder for rows that are done. A file there is used only by the same weights, seed and code.
    embedding : Path, optional
        The embedding's file, for sections that use one.

    Returns
    -------
    list of dict
        In the order of the numbers, whatever the number of workers.

    Raises
    ------
    LoopnetError
        If a measurement fails, with its number.
    """
    state.mkdir(parents=True, exist_ok=True)
    path = state / f"{section}-{fingerprint(data, weights, seed, embedding)}.jsonl"
    rows = _read(path)
    todo = [number for number in range(count) if number not in rows]
    if todo:
        with path.open("a", encoding="utf-8") as file:
            began = time.monotonic()
            for done, (number, row) in enumerate(
                _measured(section, todo, (data, weights, seed, embedding), workers), start=1
            ):
                rows[number] = plain(row)
                file.write(json.dumps({"number": number, "row": rows[number]}) + "\n")
                file.flush()
                _progress(section, len(todo), done, time.monotonic() - began)
    return [rows[number] for number in range(count)]


def fingerprint(data: Path, weights: Path | None, seed: int, embedding: Path | None = None) -> str:
    """Say in a few letters what rows depend on: seed, weights, the names of the material, the code."""
    from loopnet_cli.synthesis.bank import weights_folder

    digest = hashlib.sha256(f"{seed}".encode())
    digest.update(((weights or weights_folder()) / "manifest.json").read_bytes())
    if embedding is not None:
        try:
            digest.update(embedding.read_bytes())
        except OSError as error:
            raise LoopnetError(f"{embedding}: cannot be read: {error.strerror or error}") from error
    for folder in ("grooves", "oneshots", "tonal"):
        digest.update("\n".join(sorted(path.name for path in (data / folder).glob("*"))).encode())
    package = Path(__file__).resolve().parents[1]
    for folder in SOURCES:
        for path in sorted((package / folder).glob("**/*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _read(path: Path) -> dict[int, dict[str, Any]]:
    rows = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # the line that an interruption cut
            rows[int(entry["number"])] = entry["row"]
    return rows


_Made = tuple[Path, Path | None, int, Path | None]
"""What a bench is made from."""


def _measured(section: str, numbers: list[int], made: _Made, workers: int) -> Iterator[tuple[int, dict[str, Any]]]:
    if workers == 0:
        bench = Bench(*made)
        for number in numbers:
            yield number, _guarded(section, bench, number)
        return
    with (
        one_thread_meanwhile(),
        ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start, initargs=made) as pool,
    ):
        # a few in the queue at a time, so that an interruption loses little and ends soon
        waiting = iter(numbers)
        running: set[Future[tuple[int, dict[str, Any]]]] = set()
        try:
            for number in waiting:
                running.add(pool.submit(_work, section, number))
                if len(running) >= 2 * workers:
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in finished)
            while running:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in finished)
        finally:
            for future in running:
                future.cancel()


def _start(data: Path, weights: Path | None, seed: int, embedding: Path | None) -> None:
    global _bench
    _bench = Bench(data, weights, seed, embedding)


def _work(section: str, number: int) -> tuple[int, dict[str, Any]]:
    assert _bench is not None
    return number, _guarded(section, _bench, number)


def _guarded(section: str, bench: Bench, number: int) -> dict[str, Any]:
    measure: Callable[[Bench, int], dict[str, Any]] = import_module(f"loopnet_cli.evaluation.{section}").measure
    try:
        return measure(bench, number)
    except Exception as error:
        # leaving a loop out would flatter the figures
        raise LoopnetError(f"{section}: loop {number} cannot be measured: {type(error).__name__}: {error}") from error


def _progress(section: str, total: int, done: int, seconds: float) -> None:
    left = seconds / done * (total - done)
    end = "\n" if done == total or not sys.stderr.isatty() else "\r"
    if end == "\r" or done == total or done % max(1, total // 20) == 0:
        print(f"{section}: {done} of {total} loops, {left:.0f} s to go   ", end=end, file=sys.stderr, flush=True)
