"""Measures the paper's tables on a data set and writes them: what ``loopnet evaluate tables`` does."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.errors import DatasetError, LoopnetError, UsageError, WeightsError
from loopnet_cli.evaluation import contenders, embeddings, paper_tasks
from loopnet_cli.evaluation.contenders import GRIFFIN_LIM, LOW, ORIGINALS, SAMPLER, STUDIO, STUDIO_AUDIO, TRAINING
from loopnet_cli.evaluation.paper_coherence import coherence_section
from loopnet_cli.evaluation.paper_distances import distance_section
from loopnet_cli.evaluation.paper_published import speed_section
from loopnet_cli.evaluation.paper_tasks import Setup, Task, do
from loopnet_cli.evaluation.report import PICTURES, Section, write_page, write_section
from loopnet_cli.synthesis.papernet import PAPER_MODELS

if TYPE_CHECKING:
    from loopnet_cli.data.store import BarStore

TABLES: dict[str, str] = {"1": "paper-table-1", "2": "paper-table-2", "speed": "paper-speed"}
"""What can be measured, and the key of each section."""
DEFAULT_MODELS = (*PAPER_MODELS, STUDIO)
LEAST_BARS = 8
WARM_BARS, TIMED_BARS = 2, 10

Step = Callable[[str, int, int], None]
"""Told what is measured, how many tasks of it are done, and of how many."""


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes
    ----------
    setup : Setup
    models : tuple of str, or None
        Paper models by name or path, ``studio``, ``studio-audio``; None for all that come with the package.
    bars, loops, full : int
        Test bars of Table 1; loops of Table 2, and how many of them have all features turned.
    tables : tuple of str
        Some of `TABLES`.
    workers : int
        Processes; 0 measures in this one.
    out : Path
        Folder for results.json, RESULTS.md and img.
    """

    setup: Setup
    models: tuple[str, ...] | None
    bars: int = 300
    loops: int = 100
    full: int = 16
    tables: tuple[str, ...] = ("1", "2", "speed")
    workers: int = 1
    out: Path = Path()


def run(plan: Plan, step: Step) -> dict[str, Section]:
    """Measure, and write each table as soon as it is there.

    Returns
    -------
    dict of key to Section

    Raises
    ------
    LoopnetError
        If something cannot be read, or measured.
    """
    from loopnet_cli.data.store import BarStore

    unknown = [name for name in plan.tables if name not in TABLES]
    if unknown:
        raise UsageError(f"no table {unknown[0]!r}: use {', '.join(TABLES)}")
    found, missing = available(plan.models)
    # files that cannot be used are told before hours of work
    known = embeddings.all_embeddings(plan.setup.yamnet, plan.setup.vggish)
    models = labelled(found)
    sections = {}
    with BarStore(plan.setup.dataset) as store:
        if "1" in plan.tables:
            sections[TABLES["1"]] = _distances(plan, store, models, known, list(missing), step)
        if "2" in plan.tables:
            sections[TABLES["2"]] = _coherence(plan, store, models, list(missing), step)
        if "speed" in plan.tables:
            sections[TABLES["speed"]] = _speed(plan, store, models, step)
    return sections


def available(models: Sequence[str] | None) -> tuple[list[str], list[str]]:
    """Return the models to compare, and sentences on those that come without weights.

    Raises
    ------
    LoopnetError
        If a model that was named is not there.
    """
    found, missing = [], []
    for name in models or DEFAULT_MODELS:
        try:
            paper_tasks.weights_of(name)
            found.append(name)
        except WeightsError as error:
            if models:
                raise
            missing.append(f"Left out: {contenders.title_of(name)} ({error}).")
    return list(dict.fromkeys(found)), missing


def labelled(models: Sequence[str]) -> dict[str, str]:
    """Name contenders: weights of the user's by the paper's name for their model, where that tells them apart.

    Returns
    -------
    dict of name in tables to contender

    Raises
    ------
    WeightsError
        If weights cannot be used.
    """
    labels = [name if name in (STUDIO, STUDIO_AUDIO) else contenders.paper(name).config.model for name in models]
    return {
        label if labels.count(label) == 1 or label == name else name: name
        for label, name in zip(labels, models, strict=True)
    }


def choose(store: BarStore, split: str, count: int, seed: int) -> NDArray[np.int64]:
    """Draw bars of one side; a larger count begins with the same ones."""
    rows = store.indices(split)
    return np.random.default_rng(seed).permutation(rows)[:count]


def one_a_loop(store: BarStore, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep the first bar of each loop, in the order given."""
    _, first = np.unique(store.loop_of(rows), return_index=True)
    return rows[np.sort(first)]


def _distances(
    plan: Plan,
    store: BarStore,
    models: Mapping[str, str],
    known: Mapping[str, embeddings.Embedding],
    missing: list[str],
    step: Step,
) -> Section:
    setup = plan.setup
    rows = choose(store, "test", plan.bars, setup.seed)
    if len(rows) < LEAST_BARS:
        raise DatasetError(f"{setup.dataset}: {len(rows)} test bars are too few for distances: make a larger data set")
    if len(rows) < plan.bars:
        missing.append(f"The data set has only {len(rows)} test bars.")
    missing = [*_training_said(models), *missing]
    names = [ORIGINALS, GRIFFIN_LIM, *models, TRAINING]
    if store.has_studio_audio:
        names.insert(1, LOW)
    else:
        missing.append("The data set holds no 44.1 kHz audio, so that there is no full-band distance.")
    if setup.material is not None:
        names.insert(-1, SAMPLER)
    else:
        missing.append("No sampler: it needs one-shots, named by `--material`.")
    if setup.vggish is None:
        missing.append("No VGGish: its weights were not named (`--vggish-weights`).")
    training = choose(store, "train", len(rows), setup.seed)
    if len(training) < LEAST_BARS:
        names.remove(TRAINING)
        missing.append("The data set has too few training bars for a row of their own.")
    began = time.monotonic()
    tasks = {
        name: paper_tasks.embedding_tasks(
            setup, models.get(name, name), (training if name == TRAINING else rows).tolist()
        )
        for name in names
    }
    _do_all(plan, tasks, "table 1", step)
    found = {name: paper_tasks.joined(own) for name, own in tasks.items()}
    section = distance_section(found, known, store.loop_of(rows), seed=setup.seed, missing=missing)
    _write(plan, store, "1", section, f"{len(rows)} test bars", time.monotonic() - began)
    return section


def _training_said(models: Mapping[str, str]) -> list[str]:
    """Say how long the paper's models were trained: without it their figures say nothing."""
    steps = {
        label: contenders.paper(name).steps for label, name in models.items() if name not in (STUDIO, STUDIO_AUDIO)
    }
    said = [f"{contenders.title_of(label)} {count:,}" for label, count in steps.items() if count is not None]
    more = "how little that is, and why the order is as it is, is in `weights/paper.md` for the models of the package"
    return [f"Steps of training, up to the epoch that was kept: {', '.join(said)}; {more}."] if said else []


def _coherence(plan: Plan, store: BarStore, models: Mapping[str, str], missing: list[str], step: Step) -> Section:
    setup = plan.setup
    everything = choose(store, "test", len(store), setup.seed)
    rows = one_a_loop(store, everything)[: plan.loops]
    if not len(rows):
        raise DatasetError(f"{setup.dataset}: holds no test bars")
    if len(rows) < plan.loops:
        missing.append(f"The data set has only {len(rows)} test loops.")
    began = time.monotonic()
    tasks = {
        name: paper_tasks.knob_tasks(setup, contender, rows.tolist(), plan.full)
        for name, contender in models.items()
        if name != STUDIO_AUDIO
    }
    _do_all(plan, tasks, "table 2", step)
    turned = {name: [paper_tasks.result_of(task) for task in own] for name, own in tasks.items()}
    missing = [*_training_said(models), *missing]
    full = min(plan.full, len(rows))
    section = coherence_section(turned, full=full, seed=setup.seed, missing=missing)
    _write(plan, store, "2", section, f"{len(rows)} test loops, a bar of each", time.monotonic() - began)
    return section


def _speed(plan: Plan, store: BarStore, models: Mapping[str, str], step: Step) -> Section:
    setup = plan.setup
    rows = choose(store, "test", WARM_BARS + TIMED_BARS, setup.seed)
    if len(rows) <= WARM_BARS:
        raise DatasetError(f"{setup.dataset}: holds no test bars to be timed")
    bars = contenders.TestBars.read(store, rows)
    seconds = {}
    began = time.monotonic()
    for place, (name, contender) in enumerate(models.items()):
        contenders.paper.cache_clear()
        contenders.studio.cache_clear()
        step(f"speed: {contenders.title_of(name)}", place, len(models))
        seconds[name] = [_timed(contender, bars, number, setup.seed) for number in range(len(rows))]
    threads = os.environ.get("OMP_NUM_THREADS") or "as many as there are cores"
    length = bars.audio.shape[1] / embeddings.LOW_RATE
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    facts = f"Threads: {threads}. Load average of the machine: {load} (0 is idle)."
    section = speed_section(seconds, WARM_BARS, length, facts, setup.seed)
    _write(plan, store, "speed", section, f"{len(rows)} test bars", time.monotonic() - began)
    return section


def _timed(name: str, bars: contenders.TestBars, number: int, seed: int) -> tuple[float, float]:
    """Return the seconds that one bar takes, and those of the processor."""
    began = time.perf_counter(), time.process_time()
    if name in (STUDIO, STUDIO_AUDIO):
        contenders.studio_bar(bars, number, seed=seed, listen=name == STUDIO_AUDIO)
    else:
        contenders.paper_bar(contenders.paper(name), bars, number, bars.timbre[number], seed=seed)
    return time.perf_counter() - began[0], time.process_time() - began[1]


def _do_all(plan: Plan, tasks: Mapping[str, Sequence[Task]], what: str, step: Step) -> None:
    """Do what is not yet done, contender by contender."""
    everything = [task for own in tasks.values() for task in own]
    left = [task for task in everything if not task.path.exists()]
    done = len(everything) - len(left)
    step(f"{what}: {done} of {len(everything)} parts were there" if done else what, done, len(everything))
    for task in _done(left, plan.workers):
        done += 1
        step(f"{what}: {contenders.title_of(task.contender)}", done, len(everything))


def _done(tasks: Sequence[Task], workers: int) -> Iterator[Task]:
    if not workers:
        yield from map(do, tasks)
        return
    from loopnet_cli.engine import Engine, run_tasks

    for ended in run_tasks(do, tasks, Engine(workers=workers)):
        if ended.error is not None:
            raise ended.error
        yield tasks[ended.index]


def _write(plan: Plan, store: BarStore, table: str, section: Section, what: str, seconds: float) -> None:
    """Put a section among the results, draw its picture, and render the page again."""
    from loopnet_cli.evaluation.command import machine
    from loopnet_cli.evaluation.paper_pictures import draw

    facts = machine()
    made = str(store.settings.get("made_by", "unknown"))
    run: dict[str, Any] = {
        "command": command(plan),
        "dataset": dict(store.settings),
        "seed": plan.setup.seed,
        **facts,
        "minutes": round(seconds / 60, 1),
    }
    run["summary"] = (
        f"{what[0].upper()}{what[1:]} of a data set made by {made}; seed {plan.setup.seed}; {facts['cpu']}, "
        f"{facts['cores']} cores; {facts['versions']}."
    )
    try:
        write_section(plan.out, TABLES[table], section, run, _order())
        picture = draw(table, section)
        if picture is not None:
            folder = plan.out / PICTURES
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{TABLES[table].replace('-', '_')}.png").write_bytes(picture)
            write_page(plan.out)
    except OSError as error:
        raise LoopnetError(f"{plan.out}: the results cannot be written: {error.strerror or error}") from error


def command(plan: Plan) -> str:
    """Return the command that makes these tables; where files lie on this machine is nobody else's business."""
    setup = plan.setup
    words = ["loopnet evaluate tables DATASET", f"--bars {plan.bars}", f"--loops {plan.loops}", f"--seed {setup.seed}"]
    words += [] if plan.models is None else [f"--models {','.join(_public(name) for name in plan.models)}"]
    words += [] if set(plan.tables) == set(TABLES) else [f"--tables {','.join(plan.tables)}"]
    words += ["--material DATA"] if setup.material is not None else []
    words += ["--embedding-weights YAMNET"] if setup.yamnet is not None else []
    words += ["--vggish-weights VGGISH"] if setup.vggish is not None else []
    return " ".join(words)


def _public(name: str) -> str:
    return name if name in (*PAPER_MODELS, STUDIO, STUDIO_AUDIO) else Path(name).name


def _order() -> tuple[str, ...]:
    from loopnet_cli.evaluation.command import SECTIONS

    return (*SECTIONS, *TABLES.values())
