"""A pool of treated strokes for training the hit network: made once by worker processes, kept on disk.

Each item pairs a stroke (normalised to its own peak) with the descriptor of the
same drum's hardest stroke under the same treatment.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.data.corpus import Instrument, load_corpus
from loopnet_cli.data.processing import Treatment, apply_treatment, draw_treatment, fade_out, soften
from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis.descriptor import describe

SILENCE_DB = -66.0


@dataclass(frozen=True)
class Stroke:
    """One training item: audio at its own peak of 1, voice index, velocity, descriptor."""

    audio: NDArray[np.float16]
    voice: int
    velocity: float
    descriptor: NDArray[np.float32]


def make_stroke(instrument: Instrument, treatment: Treatment, rng: np.random.Generator) -> Stroke:
    """Treat one drum and strike it once, at full velocity in half of the cases."""
    reference = apply_treatment(instrument.loudest, treatment)
    velocity = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.1, 1.0))
    layers = instrument.layers
    if len(layers) > 1:
        index = min(len(layers) - 1, int(velocity * len(layers)))
        velocity = (index + 1) / len(layers)
        audio = apply_treatment(layers[index], treatment)
    else:
        audio = soften(reference, velocity)
    audio = audio / max(float(np.abs(audio).max()), 1e-6)
    loud = np.flatnonzero(np.abs(audio) > 10 ** (SILENCE_DB / 20))
    audio = fade_out(audio[: int(loud[-1]) + 1])
    return Stroke(audio.astype(np.float16), VOICES.index(instrument.voice), velocity, describe(reference))


def _strokes(root: str, test: bool, variants: int, seed: int, part: int, parts: int) -> list[Stroke]:
    corpus = load_corpus(Path(root), test=test)
    jobs = [
        (drum, v) for kit in corpus.kits.values() for drums in kit.values() for drum in drums for v in range(variants)
    ]
    result = []
    for number, (drum, variant) in list(enumerate(jobs))[part::parts]:
        rng = np.random.default_rng([seed, number])
        treatment = Treatment() if variant == 0 else draw_treatment(rng).varied(rng)
        result.append(make_stroke(drum, treatment, rng))
    return result


def make_pool(root: Path, *, test: bool, variants: int, seed: int, workers: int = 2) -> list[Stroke]:
    """Make a pool of strokes.

    Parameters
    ----------
    root : Path
        The training material.
    test : bool
        From the held-out kits instead.
    variants : int
        Items per drum; the first is untreated.
    seed : int
        Each item draws from ``(seed, item number)``, whatever the number of workers.
    workers : int
        Processes.

    Returns
    -------
    list of Stroke
        In an order that depends on `workers` alone.
    """
    from concurrent.futures import ProcessPoolExecutor

    arguments = [(str(root), test, variants, seed, part, workers) for part in range(workers)]
    with ProcessPoolExecutor(workers) as executor:
        parts = list(executor.map(_strokes, *zip(*arguments, strict=True)))
    return [stroke for part in parts for stroke in part]


def save_pool(pool: list[Stroke], path: Path) -> None:
    """Write a pool as plain arrays, beside and then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part.npz")
    np.savez(
        part,
        audio=np.concatenate([stroke.audio for stroke in pool]),
        lengths=np.array([len(stroke.audio) for stroke in pool]),
        voices=np.array([stroke.voice for stroke in pool]),
        velocities=np.array([stroke.velocity for stroke in pool]),
        descriptors=np.stack([stroke.descriptor for stroke in pool]),
    )
    part.replace(path)


def load_pool(path: Path) -> list[Stroke]:
    """Read what `save_pool` wrote."""
    with np.load(path, allow_pickle=False) as file:
        parts = np.split(file["audio"], np.cumsum(file["lengths"])[:-1])
        voices, velocities, descriptors = file["voices"], file["velocities"], file["descriptors"]
    return [
        Stroke(audio, int(voice), float(velocity), descriptor)
        for audio, voice, velocity, descriptor in zip(parts, voices, velocities, descriptors, strict=True)
    ]
