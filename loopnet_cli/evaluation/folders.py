"""Distances between folders of audio: pairs by name, or whatever lies in them.

A file is taken as a loop: its end joins its start. Channels are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.read import read_audio
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.evaluation.distances import log_mel_distance, rms
from loopnet_cli.evaluation.embeddings import FULL_RATE, Embedding, at_rate, same_patches
from loopnet_cli.evaluation.frechet import Accumulator, Axes, Gaussian, frechet_interval
from loopnet_cli.evaluation.statistics import Estimate, mean_of

if TYPE_CHECKING:
    from loopnet_cli.analysis.transcriber import Transcriber

ENDINGS = (".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3")
MAX_SECONDS = 120.0
FLOOR_DB = -60.0
LENGTHS_DIFFER = 0.01
"""Files whose lengths differ by more, as a share, are said to."""
GROUPS = ("kick", "snare", "hat")
TOLERANCE = 0.05

Audio = NDArray[np.float32]
Step = Callable[[str], None]


@dataclass(frozen=True)
class Pair:
    """A file and the one that it stands for.

    Attributes
    ----------
    name : str
        Path within the folders, without its ending.
    log_mel : float
        Log-mel distance in dB (`loopnet_cli.evaluation.distances`), at one RMS, floor 60 dB under the reference.
    hits : dict of str to (int, int, int)
        For kick, snare and hat: hits that agree within 50 ms, hits heard in the file, and in the reference.
    late : tuple of float
        Seconds by which each hit that agrees comes after the reference's.
    warning : str
        What is odd about them; empty if nothing is.
    """

    name: str
    log_mel: float
    hits: dict[str, tuple[int, int, int]]
    late: tuple[float, ...]
    warning: str = ""


@dataclass(frozen=True)
class Distance:
    """A Fréchet distance and what it was taken from.

    Attributes
    ----------
    estimate : Estimate
    vectors : int
        Of each side.
    dimension : int
        In which it was taken.
    axes_of : int or None
        Dimension of the embedding, where it was projected on principal axes.
    """

    estimate: Estimate
    vectors: int
    dimension: int
    axes_of: int | None = None


def audio_files(folder: Path) -> dict[str, Path]:
    """Return the audio files in a folder and those in it, by path without ending, sorted.

    Raises
    ------
    UsageError
        If it is no folder, or two files have the same name.
    AudioError
        If it holds no audio.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: is no folder of audio files")
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS and path.is_file():
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in found:
                raise UsageError(f"{folder}: {found[name].name} and {path.name} have the same name: leave one of them")
            found[name] = path
    if not found:
        raise AudioError(f"{folder}: holds no audio ({', '.join(ENDINGS)})")
    return found


def paired_files(generated: Path, reference: Path) -> tuple[dict[str, tuple[Path, Path]], list[str]]:
    """Pair the files of two folders by name.

    Returns
    -------
    pairs : dict of name to (generated, reference)
    alone : list of str
        Files without a partner.

    Raises
    ------
    UsageError, AudioError
        See `audio_files`; or if there is no pair.
    """
    mine, theirs = audio_files(generated), audio_files(reference)
    both = [name for name in mine if name in theirs]
    if not both:
        raise UsageError(f"{generated} and {reference}: no file is called the same in both folders")
    alone = [
        str(path) for side, other in ((mine, theirs), (theirs, mine)) for n, path in side.items() if n not in other
    ]
    return {name: (mine[name], theirs[name]) for name in both}, alone


def compare_pair(name: str, one: tuple[Audio, int], two: tuple[Audio, int], ears: Transcriber) -> Pair:
    """Compare a loop with its reference; each is audio and its sample rate.

    Raises
    ------
    AudioError
        If the reference is silent.
    """
    mine, theirs = (at_rate(audio, rate, FULL_RATE) for audio, rate in (one, two))
    length = min(len(mine), len(theirs))
    away = abs(len(mine) - len(theirs)) / max(len(mine), len(theirs))
    warning = f"{name}: lengths differ by {100 * away:.0f} %, the shorter counts" if away > LENGTHS_DIFFER else ""
    mine, theirs = mine[:length], theirs[:length]
    if not rms(theirs):
        raise AudioError(f"{name}: the reference is silent, nothing can be compared with it")
    hits, late = _timing(mine, theirs, ears)
    return Pair(name, log_mel_distance(mine, theirs, floor_db=FLOOR_DB), hits, late, warning)


def compare_folders(
    generated: Path, reference: Path, embeddings: Mapping[str, Embedding], *, seed: int, step: Step = lambda name: None
) -> tuple[list[Pair], dict[str, Distance], list[str]]:
    """Compare two folders whose files are pairs by name.

    Returns
    -------
    pairs : list of Pair
    distances : dict of embedding to Distance
    alone : list of str
        Files without a partner, which were left out.

    Raises
    ------
    LoopnetError
        If a folder or a file cannot be used.
    """
    both, alone = paired_files(generated, reference)
    pairs: list[Pair] = []
    vectors: dict[str, tuple[list[Any], list[Any]]] = {name: ([], []) for name in embeddings}
    for name, paths in both.items():
        sides = [read_audio(path, mono=True, max_seconds=MAX_SECONDS) for path in paths]
        pairs.append(compare_pair(name, sides[0], sides[1], _ears()))
        for each in embeddings:
            for side, (audio, rate) in zip(vectors[each], sides, strict=True):
                side.append(embeddings[each].of(audio, rate))
        step(name)
    distances = {}
    for name, (mine, theirs) in vectors.items():
        together = same_patches([*mine, *theirs])
        distances[name] = distance(
            together[: len(mine)], together[len(mine) :], embeddings[name].axes_for, seed=seed, paired=True
        )
    return pairs, distances, alone


def distance(
    found: NDArray[np.floating],
    reference: NDArray[np.floating],
    axes_for: Callable[[int], int | None],
    *,
    seed: int,
    paired: bool,
) -> Distance:
    """Return the Fréchet distance of two sets of files, shape (files, vectors, dimension), with its interval."""
    count, size = reference.shape[0] * reference.shape[1], reference.shape[2]
    axes = axes_for(min(count, found.shape[0] * found.shape[1]))
    if axes is not None:
        along = Axes.of(Gaussian.of(reference.reshape(count, size)), axes)
        found, reference = along.project(found), along.project(reference)
    estimate = frechet_interval(found, reference, seed=seed, paired=paired)
    return Distance(estimate, count, axes or size, None if axes is None else size)


def embed_folder(folder: Path, embedding: Embedding, step: Step = lambda name: None) -> list[NDArray[np.float32]]:
    """Embed every file of a folder; one array of shape (vectors, dimension) a file."""
    parts = []
    for name, path in audio_files(folder).items():
        audio, rate = read_audio(path, mono=True, max_seconds=MAX_SECONDS)
        parts.append(embedding.of(audio, rate))
        step(name)
    return parts


def folder_statistics(folder: Path, embedding: Embedding, step: Step = lambda name: None) -> Gaussian:
    """Return the statistics of all vectors of a folder's files."""
    accumulator = Accumulator(embedding.dimension)
    for path in audio_files(folder).values():
        audio, rate = read_audio(path, mono=True, max_seconds=MAX_SECONDS)
        accumulator.add(embedding.of(audio, rate))
        step(path.name)
    return accumulator.result()


def summary(pairs: Sequence[Pair], *, seed: int) -> dict[str, Estimate]:
    """Return means over pairs: ``log_mel`` in dB, ``kick``, ``snare``, ``hat`` (F at 50 ms), ``late`` in ms."""
    found = {"log_mel": mean_of([pair.log_mel for pair in pairs], seed=seed)}
    for group in GROUPS:
        found[group] = mean_of([f_measure(pair.hits[group]) for pair in pairs], seed=seed)
    late = [1000 * float(np.mean(pair.late)) if pair.late else float("nan") for pair in pairs]
    return {**found, "late": mean_of(late, seed=seed)}


def f_measure(counts: tuple[int, int, int]) -> float:
    """Return the F-measure of hits that agree, heard and expected; NaN where there are none."""
    right, heard, expected = counts
    return 2 * right / (heard + expected) if heard + expected else float("nan")


def _timing(mine: Audio, theirs: Audio, ears: Transcriber) -> tuple[dict[str, tuple[int, int, int]], tuple[float, ...]]:
    """Compare what the transcriber hears in both."""
    from loopnet_cli.evaluation.matching import hits_of_transcription, merged, pairs

    period = len(theirs) / FULL_RATE
    heard, expected = (
        hits_of_transcription(ears.transcribe(side, FULL_RATE, circular=True)) for side in (mine, theirs)
    )
    counts, late = {}, []
    for group in GROUPS:
        own, wanted = ([hit for hit in side if hit.group == group] for side in (heard, expected))
        own, wanted = merged(own, period), merged(wanted, period)
        agreeing = pairs(own, wanted, period, TOLERANCE)
        late += [pair.late for pair in agreeing]
        counts[group] = (len(agreeing), len(own), len(wanted))
    return counts, tuple(late)


@cache
def _ears() -> Transcriber:
    from loopnet_cli.analysis.transcriber import load_transcriber

    return load_transcriber()
