"""The measuring behind the paper's tables, cut into tasks that worker processes do and that a later run finds done.

A task's file lies under a name made from all that it depends on: the data set, the weights, the code, the seed, the
bars. An interrupted run goes on where it was; another N uses what is there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import ATTRIBUTES, BANDS, TIMBRE_NAMES, Knob
from loopnet_cli.errors import AudioError, LoopnetError
from loopnet_cli.evaluation import contenders, embeddings
from loopnet_cli.evaluation.contenders import GRIFFIN_LIM, LOW, ORIGINALS, SAMPLER, STUDIO, STUDIO_AUDIO, TRAINING

if TYPE_CHECKING:
    from loopnet_cli.analysis.normalise import Normalisation
    from loopnet_cli.evaluation.embeddings import Embedding

CHUNK = 20
"""Bars of a task of Table 1; a task of Table 2 is one loop."""
SETTINGS = (0.2, 0.5, 0.8)
UNCHANGED = {ORIGINALS, TRAINING, LOW}
_OURS = (
    "evaluation/contenders.py", "evaluation/embedding*.py", "evaluation/vggish.py", "evaluation/distances.py",
    "evaluation/paper_tasks.py", "audio/resample.py",
)  # fmt: skip
_FEATURES = ("analysis/timbre*.py", "analysis/filters.py", "analysis/loudness.py", "analysis/onsets.py",
             "analysis/specific_loudness.py")  # fmt: skip
_SOURCES = {
    STUDIO: ("synthesis/*.py", "analysis/*.py", "audio/*.py", "dynamics.py"),
    STUDIO_AUDIO: ("synthesis/*.py", "analysis/*.py", "audio/*.py", "dynamics.py"),
    SAMPLER: ("data/renderer.py", "data/corpus.py", "data/processing.py", "dynamics.py"),
    GRIFFIN_LIM: ("synthesis/griffin_lim.py",),
    **dict.fromkeys(UNCHANGED, ()),
}
_PAPER_SOURCES = ("synthesis/paper*.py", "synthesis/griffin_lim.py", "analysis/transcription.py")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Setup:
    """What all tasks of a run share.

    Attributes
    ----------
    dataset : Path
    seed : int
    material : Path or None
        One-shots for the sampler.
    yamnet, vggish : Path or None
        Weights of embeddings.
    state : Path
        Folder of finished tasks.
    """

    dataset: Path
    seed: int
    material: Path | None
    yamnet: Path | None
    vggish: Path | None
    state: Path


@dataclass(frozen=True)
class Task:
    """A contender and some bars.

    Attributes
    ----------
    setup : Setup
    contender : str
    rows : tuple of int
        Bars of the data set.
    features : tuple of (int, bool), or None
        For Table 2: which features to turn, and whether to measure all bands or the feature's own alone.
        None for Table 1.
    path : Path
        Where the result goes.
    """

    setup: Setup
    contender: str
    rows: tuple[int, ...]
    features: tuple[tuple[int, bool], ...] | None
    path: Path


def embedding_tasks(setup: Setup, contender: str, rows: Sequence[int]) -> list[Task]:
    """Return the tasks that embed what a contender makes of these bars."""
    chunks = [tuple(rows[first : first + CHUNK]) for first in range(0, len(rows), CHUNK)]
    mark = f"1-{fingerprint(setup, contender, with_embeddings=True)}"
    return [Task(setup, contender, chunk, None, setup.state / f"{mark}-{_digest(chunk)}.npz") for chunk in chunks]


def knob_tasks(setup: Setup, contender: str, rows: Sequence[int], full: int) -> list[Task]:
    """Return the tasks that turn knobs of a contender, a loop each.

    Loop n has one attribute turned in each band, so that every seventh loop has the same ones; the first `full` loops
    have all 21 turned.
    """
    mark = f"2-{fingerprint(setup, contender, with_embeddings=False)}"
    tasks = []
    for number, row in enumerate(rows):
        turned = {len(ATTRIBUTES) * band + (number + 2 * band) % len(ATTRIBUTES) for band in range(len(BANDS))}
        rest = set(range(len(TIMBRE_NAMES))) - turned if number < full else set()
        features = tuple(sorted([(index, True) for index in turned] + [(index, False) for index in rest]))
        path = setup.state / f"{mark}-{_digest((row, features))}.npz"
        tasks.append(Task(setup, contender, (row,), features, path))
    return tasks


def do(task: Task) -> Task:
    """Do a task unless it is done, and leave its result in its file.

    Raises
    ------
    LoopnetError
        If it fails, with the bars.
    """
    if task.path.exists():
        return task
    from loopnet_cli.data.store import BarStore

    try:
        with BarStore(task.setup.dataset) as store:
            bars = contenders.TestBars.read(store, task.rows)
        result = _embedded(task, bars) if task.features is None else _turned(task, bars)
    except LoopnetError:
        raise
    except Exception as error:
        # leaving a bar out would flatter the figures
        where = f"{contenders.title_of(task.contender)}: bars {task.rows[0]} to {task.rows[-1]}"
        raise LoopnetError(f"{where} cannot be measured: {type(error).__name__}: {error}") from error
    task.path.parent.mkdir(parents=True, exist_ok=True)
    partial = task.path.with_name(f".{task.path.name}.{os.getpid()}")
    with partial.open("wb") as stream:
        np.savez(stream, **result)  # type: ignore[arg-type]
    partial.replace(task.path)
    return task


def result_of(task: Task) -> dict[str, NDArray[Any]]:
    """Read what a task found."""
    with np.load(task.path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def joined(tasks: Iterable[Task]) -> dict[str, NDArray[np.float32]]:
    """Read the embeddings of all bars of a contender by embedding, shape (bars, patches, dimension)."""
    parts = [result_of(task) for task in tasks]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def fingerprint(setup: Setup, contender: str, *, with_embeddings: bool) -> str:
    """Say in a few letters what a contender's results depend on."""
    digest = hashlib.sha256(json.dumps([contender, setup.seed]).encode())
    files: list[Path | None] = [setup.dataset]
    if with_embeddings:
        files += [setup.yamnet, setup.vggish]
    for path in files:
        # their content is gigabytes: size and date do
        facts = None if path is None else path.stat()
        digest.update(json.dumps(None if facts is None else [facts.st_size, facts.st_mtime_ns]).encode())
    package = Path(__file__).resolve().parents[1]
    for pattern in (*_OURS, *_FEATURES, *_SOURCES.get(contender, _PAPER_SOURCES)):
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    for part in weights_of(contender):
        digest.update(part.read_bytes())
    if contender == SAMPLER and setup.material is not None:
        digest.update("\n".join(sorted(path.name for path in (setup.material / "oneshots").glob("*"))).encode())
    return digest.hexdigest()[:12]


def weights_of(contender: str) -> list[Path]:
    """Return the files of weights that a contender needs.

    Raises
    ------
    LoopnetError
        If there is no such contender, or it has no weights.
    """
    if contender in (STUDIO, STUDIO_AUDIO):
        from loopnet_cli.synthesis.bank import weights_folder

        return [weights_folder() / "manifest.json"]
    if contender in _SOURCES:
        return []
    from loopnet_cli.synthesis.paper import find_paper

    return [find_paper(contender).path]


@cache
def _embeddings(yamnet: Path | None, vggish: Path | None) -> dict[str, Embedding]:
    return embeddings.all_embeddings(yamnet, vggish)


def _embedded(task: Task, bars: contenders.TestBars) -> dict[str, NDArray[np.float32]]:
    """Embed what the contender makes of these bars."""
    setup = task.setup
    known = _embeddings(setup.yamnet, setup.vggish)
    if bars.studio is None:
        # bars without highs would make a full-band distance that is none
        known = {name: each for name, each in known.items() if each.sample_rate <= embeddings.LOW_RATE}
    made = contenders.make(task.contender, bars, seed=setup.seed, material=setup.material)
    if task.contender not in (ORIGINALS, TRAINING):
        return embeddings.embed_bars(made.bars, made.sample_rate, known)
    # the data set has the originals at both rates
    low = contenders.make(LOW, bars, seed=setup.seed)
    found: dict[str, NDArray[np.float32]] = {}
    for name, each in known.items():
        source = low if each.sample_rate <= embeddings.LOW_RATE else made
        found |= embeddings.embed_bars(source.bars, source.sample_rate, {name: each})
    return found


def _turned(task: Task, bars: contenders.TestBars) -> dict[str, NDArray[Any]]:
    """Turn knobs of one loop, one at a time; measure on the scale of the knobs.

    Returns
    -------
    dict
        ``features``: shape (turned,), indices of `TIMBRE_NAMES`; ``everywhere``: whether all bands were measured at
        the outer settings, or the feature's own alone; ``measured``: shape (turned, settings, 21), NaN where
        not measured, or where the result is silent.
    """
    assert task.features is not None
    measured = np.full((len(task.features), len(SETTINGS), len(TIMBRE_NAMES)), np.nan)
    for place, (feature, everywhere) in enumerate(task.features):
        for step, value in enumerate(SETTINGS):
            # leakage is read off the outer settings
            extreme = value in (SETTINGS[0], SETTINGS[-1])
            bands = BANDS if everywhere and extreme else (TIMBRE_NAMES[feature].partition(".")[0],)
            measured[place, step] = _with_knob(task, bars, feature, value, bands)
    features, marks = zip(*task.features, strict=True)
    return {"features": np.array(features), "everywhere": np.array(marks), "measured": measured}


def _with_knob(task: Task, bars: contenders.TestBars, feature: int, value: float, bands: Sequence[str]) -> Array:
    name, seed = TIMBRE_NAMES[feature], task.setup.seed
    if task.contender == STUDIO:
        model = contenders.studio()
        rng = np.random.default_rng([seed, task.rows[0]])
        kit = model.kit(model.kit_names[int(rng.integers(len(model.kit_names)))])
        if not bars.patterns[0].hits:
            return np.full(len(TIMBRE_NAMES), np.nan)
        audio = model.render(bars.patterns[0], kit=kit, timbre={name: Knob(value)}, seed=task.rows[0]).audio
        return features_of(audio, embeddings.FULL_RATE, model.normalisation, bands)
    paper = contenders.paper(task.contender)
    points = bars.timbre[0].astype(np.float64)
    points[feature] = paper.timbre.from_unit({name: value})[name]
    audio = contenders.paper_bar(paper, bars, 0, points.astype(np.float32), seed=seed)
    return features_of(audio, embeddings.LOW_RATE, paper.timbre, bands)


def features_of(
    audio: NDArray[np.float32], sample_rate: int, normalisation: Normalisation, bands: Sequence[str] = BANDS
) -> Array:
    """Measure the features of a loop at 44.1 kHz, on the scale of the knobs.

    Returns
    -------
    ndarray, shape (21,)
        NaN for bands not asked for, and throughout for silence.
    """
    from loopnet_cli.analysis.timbre import timbre_features

    found = np.full(len(TIMBRE_NAMES), np.nan)
    try:
        full = embeddings.at_rate(audio, sample_rate, embeddings.FULL_RATE)
        points = timbre_features(full, embeddings.FULL_RATE, only=bands)
    except AudioError:
        return found
    for name, value in normalisation.to_unit(points).items():
        found[TIMBRE_NAMES.index(name)] = value
    return found


def _digest(what: object) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()[:12]
