"""The second hearing: a small network that compares the strokes of a recording with each other, in numpy.

A kick under a snare, a soft hat after a loud one, the lowest of three toms: what they are is clear from the
other strokes rather than from themselves. The ear (`loopnet_cli.analysis.ear`) hears every frame with what goes
on around; here each moment at which it suspects a stroke (`loopnet_cli.analysis.candidates`) attends to all
others within five seconds (Vaswani et al. 2017, with a learned bias for the time between two strokes), and the
ear's activations and velocities there are corrected. `loopnet_cli.training.judge` holds the same network in torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.candidates import FURTHEST, ROWS, Candidates, find_candidates
from loopnet_cli.analysis.ear import Ear
from loopnet_cli.pattern.model import VOICES

OUTPUTS = ROWS + len(VOICES)
STEPS = 12
"""Steps of the logarithmic scale of the time between two strokes, to each side."""
LOGIT_SCALE = 0.3
"""Logits are scaled so as they enter."""
FARTHEST = 512
"""Frames beyond which strokes are not compared."""
BUMP = 0.8
"""Standard deviation in frames of the bumps that the ear is trained on."""
BUMP_REACH = 4

Array = NDArray[np.float32]


@dataclass(frozen=True)
class JudgeConfig:
    """Sizes of the network; stored with the weights.

    Attributes
    ----------
    width : int
        Channels.
    layers : int
        Rounds of attention.
    heads : int
        Of each.
    picture : int
        Channels that the band powers around a stroke are summed up in.
    """

    width: int = 160
    layers: int = 4
    heads: int = 5
    picture: int = 192

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> JudgeConfig:
        """Read what was stored; KeyError, TypeError or ValueError where it is not that."""
        return cls(**{name: int(stored[name]) for name in ("width", "layers", "heads", "picture")})


class Judge:
    """The trained network.

    Parameters
    ----------
    config : JudgeConfig
        Sizes.
    weights : Mapping from name to ndarray of float32
        ``enter``, ``look``, ``see``, for each layer ``N.before``, ``N.query``, ``N.join``, ``N.between``, ``N.widen``,
        ``N.narrow``, then ``last`` and ``head``, each with ``.weight`` and ``.bias``, and ``distance``.
    """

    def __init__(self, config: JudgeConfig, weights: Mapping[str, Array]) -> None:
        self.config = config
        self._weights = {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items()}

    def __call__(self, candidates: Candidates) -> Array:
        """Hear candidates again, beside each other.

        Parameters
        ----------
        candidates : Candidates

        Returns
        -------
        ndarray of float32, shape (candidates, voices + groups + voices)
            Activations of the ten voices and of the groups, then velocities; 0..1.
        """
        values = _logit(candidates.values)
        x = np.concatenate([candidates.hidden, candidates.logits * LOGIT_SCALE, values * LOGIT_SCALE], axis=1)
        y: Array = self._linear("enter", x) + self._linear(
            "see", np.maximum(self._linear("look", candidates.picture), 0)
        )
        apart = candidates.frames[None, :] - candidates.frames[:, None]
        steps, far = time_steps(apart), np.abs(apart) > FARTHEST
        for layer in range(self.config.layers):
            y = y + self._attention(layer, self._norm(f"{layer}.before", y), steps, far)
            inside = np.maximum(self._linear(f"{layer}.widen", self._norm(f"{layer}.between", y)), 0)
            y = y + self._linear(f"{layer}.narrow", inside)
        change = self._linear("head", self._norm("last", y))
        logits = np.concatenate([values, candidates.logits[:, ROWS:]], axis=1) + change
        result: Array = np.reciprocal(1 + np.exp(-np.clip(logits, -30, 30)))
        return result

    def _attention(self, layer: int, y: Array, steps: NDArray[np.int64], far: NDArray[np.bool_]) -> Array:
        heads = self.config.heads
        query, key, value = (
            part.reshape(len(y), heads, -1).transpose(1, 0, 2)
            for part in np.split(self._linear(f"{layer}.query", y), 3, axis=1)
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(query.shape[2] ** 0.5)
        scores += self._weights["distance"][layer][:, steps]
        scores[:, far] = -np.inf
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        return self._linear(f"{layer}.join", (weights @ value).transpose(1, 0, 2).reshape(len(y), -1))

    def _linear(self, name: str, x: Array) -> Array:
        result: Array = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _norm(self, name: str, x: Array) -> Array:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt(np.mean(np.square(centred), axis=1, keepdims=True) + 1e-5)
        result: Array = scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result


def time_steps(apart: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bring times between strokes, in frames, to a logarithmic scale of 2 * `STEPS` + 1 steps, 0..2 * `STEPS`."""
    steps = np.minimum((np.log2(np.abs(apart) / 3 + 1) * 1.6).astype(np.int64), STEPS)
    return np.where(apart < 0, STEPS - steps, STEPS + steps)


def heard_twice(ear: Ear, judge: Judge, x: Array) -> Array:
    """Listen, then compare what was heard.

    Parameters
    ----------
    ear : Ear
    judge : Judge
    x : ndarray of float32, shape (windows, bands, frames)
        As for the ear.

    Returns
    -------
    ndarray of float32, shape (voices + groups + voices, frames)
        As from the ear: activations are bumps where a stroke is suspected, as high as it is sure.
    """
    hidden, logits = ear.listen(x)
    candidates = find_candidates(x, hidden, logits)
    result = np.zeros_like(logits)
    if not len(candidates.frames):
        return result
    verdicts = judge(candidates)
    frames = x.shape[2]
    for frame, places, verdict in zip(candidates.frames, candidates.places, verdicts, strict=True):
        near = np.arange(max(0, frame - BUMP_REACH), min(frames, frame + BUMP_REACH + 1))
        bumps = np.exp(-0.5 * ((near - (frame + places[:, None])) / BUMP) ** 2) * verdict[:ROWS, None]
        result[:ROWS, near] = np.maximum(result[:ROWS, near], bumps)
    # between two strokes the velocity is that of the nearer one
    nearest = np.abs(np.arange(frames)[:, None] - candidates.frames).argmin(axis=1)
    result[ROWS:] = verdicts[nearest, ROWS:].T
    return result


def _logit(value: Array) -> Array:
    edge = 1 / (1 + np.exp(FURTHEST))
    clipped = np.clip(value, edge, 1 - edge)
    result: Array = np.log(clipped / (1 - clipped)).astype(np.float32)
    return result
