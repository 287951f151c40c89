"""What the judge learns from: candidates that a trained ear finds in the training clips, with what was struck there.

Run ``python -m loopnet_cli.training.judge_data EAR POOL --out CANDIDATES`` on the run of
`loopnet_cli.training.transcriber` and its pool. Files that are there already are left alone.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from loopnet_cli.analysis.candidates import Candidates, find_candidates
from loopnet_cli.pattern import VOICES
from loopnet_cli.training.clips import Clip, load_part
from loopnet_cli.training.hearing_loss import heard_once, plain_batch
from loopnet_cli.training.transcriber import Ear, load_ear

TOLERANCE = 4.5
"""Frames from a candidate within which a stroke is its own."""
AT_ONCE = 20
"""Clips heard at once."""
SHORTENED, SHORTEST = 0.5, 150
"""Share of clips of which only a part is compared, and its least length in frames."""
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Struck:
    """Candidates of a clip, and what was struck at each.

    Attributes
    ----------
    candidates : Candidates
    velocities : ndarray of float32, shape (candidates, voices)
        Of the stroke; 0 where there was none.
    """

    candidates: Candidates
    velocities: Array


class JudgeBatch(NamedTuple):
    """Candidates side by side, shapes (batch, candidates, ...), and which of them are there."""

    frames: Tensor
    hidden: Tensor
    logits: Tensor
    picture: Tensor
    values: Tensor
    velocities: Tensor
    there: Tensor


def struck_at(candidates: Candidates, hits: Array) -> Array:
    """Return which strokes the candidates are: the velocity of each voice, 0 where it was not struck.

    Parameters
    ----------
    candidates : Candidates
    hits : ndarray of float32, shape (hits, 3)
        Frame, index of the voice, velocity. One further than `TOLERANCE` from all candidates is lost.
    """
    velocities = np.zeros((len(candidates.frames), len(VOICES)), np.float32)
    for frame, voice, velocity in hits if len(candidates.frames) else hits[:0]:
        nearest = int(np.abs(candidates.frames - frame).argmin())
        if abs(candidates.frames[nearest] - frame) <= TOLERANCE:
            velocities[nearest, int(voice)] = max(velocities[nearest, int(voice)], velocity)
    return velocities


@torch.no_grad()
def listened(ear: Ear, inputs: Array, labels: list[Array]) -> list[Struck]:
    """Let the ear hear clips and return their candidates."""
    with torch.autocast("cpu", torch.bfloat16):
        hidden, logits = ear.listen(torch.from_numpy(inputs))
    found = [
        find_candidates(*parts) for parts in zip(inputs, hidden.float().numpy(), logits.float().numpy(), strict=True)
    ]
    return [Struck(candidates, struck_at(candidates, hits)) for candidates, hits in zip(found, labels, strict=True)]


def listen_to(ear: Ear, clips: list[Clip], rng: np.random.Generator | None) -> list[Struck]:
    """Let the ear hear clips, each once in a way that `rng` draws, or as they were rendered without one."""
    result: list[Struck] = []
    for first in range(0, len(clips), AT_ONCE):
        some = clips[first : first + AT_ONCE]
        if rng is None:
            inputs, labels = plain_batch(some).inputs.numpy(), [clip.hits for clip in some]
        else:
            heard = [heard_once(clip, clips, rng) for clip in some]
            inputs, labels = np.stack([x for x, _ in heard]), [hits for _, hits in heard]
        result += listened(ear, inputs, labels)
    return result


def save_struck(items: list[Struck], path: Path) -> None:
    """Write candidates as plain arrays in half precision, beside and then renamed."""
    part = path.with_name(path.name + ".part.npz")
    columns = {
        field.name: np.concatenate([getattr(item.candidates, field.name) for item in items])
        for field in fields(Candidates)
    }
    columns["velocities"] = np.concatenate([item.velocities for item in items])
    arrays: dict[str, Any] = {
        name: value.astype(np.int16 if name == "frames" else np.float16) for name, value in columns.items()
    }
    np.savez(part, counts=np.array([len(item.velocities) for item in items]), **arrays)
    part.replace(path)


def load_struck(path: Path) -> list[Struck]:
    """Read what `save_struck` wrote."""
    with np.load(path, allow_pickle=False) as file:
        ends = np.cumsum(file["counts"])[:-1]
        names = [field.name for field in fields(Candidates)]
        columns = [np.split(file[name], ends) for name in (*names, "velocities")]
    return [Struck(Candidates(*parts[:-1]), parts[-1]) for parts in zip(*columns, strict=True)]


def draw_struck(items: list[Struck], size: int, rng: np.random.Generator) -> JudgeBatch:
    """Draw clips, half of them in part, so that few strokes are learned from as well as many."""
    drawn = []
    for index in rng.integers(len(items), size=size):
        item = items[int(index)]
        keep = np.ones(len(item.velocities), bool)
        if rng.random() < SHORTENED:
            start = rng.uniform(0, 300)
            stop = start + rng.uniform(SHORTEST, 512)
            keep = (item.candidates.frames >= start) & (item.candidates.frames < stop)
        drawn.append((item, keep))
    return side_by_side(drawn)


def side_by_side(drawn: list[tuple[Struck, NDArray[np.bool_]]]) -> JudgeBatch:
    """Put the chosen candidates of several clips into one batch."""
    most = max(1, max(int(keep.sum()) for _, keep in drawn))

    def padded(values: list[NDArray[np.generic]]) -> Tensor:
        result = np.zeros((len(values), most, *values[0].shape[1:]), np.float32)
        for row, value in zip(result, values, strict=True):
            row[: len(value)] = value
        return torch.from_numpy(result)

    def column(name: str) -> Tensor:
        return padded([getattr(item.candidates, name)[keep] for item, keep in drawn])

    return JudgeBatch(
        frames=column("frames"),
        hidden=column("hidden"),
        logits=column("logits"),
        picture=column("picture"),
        values=column("values"),
        velocities=padded([item.velocities[keep] for item, keep in drawn]),
        there=padded([np.ones(int(keep.sum())) for _, keep in drawn]) > 0,
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Find the candidates that the judge learns from.")
    parser.add_argument("ear", type=Path)
    parser.add_argument("pool", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", type=int, default=0, help="hear every PARTS-th file, from this one on")
    parser.add_argument("--parts", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    ear = load_ear(arguments.ear)
    paths = [path for path in sorted(arguments.pool.glob("*_*.npz")) if not path.name.endswith(".part.npz")]
    for number, path in list(enumerate(paths))[arguments.part :: arguments.parts]:
        result = arguments.out / f"{path.stem}_{arguments.seed}.npz"
        if not result.exists():
            rng = None if path.name.startswith("dev_") else np.random.default_rng([arguments.seed, number])
            save_struck(listen_to(ear, load_part(path), rng), result)


if __name__ == "__main__":
    main()
