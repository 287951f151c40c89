"""The transcriber's network, in numpy: band powers to activations and velocities.

Small two-dimensional convolutions find shapes in time and frequency wherever they
lie, then dilated convolutions over time compare them with what goes on around: 1.3 s
to each side. In between the network attends to all that it hears at once, because
what a sound is depends on the kit: the darkest of three is the kick.

Numpy, because importing torch takes longer than transcribing a loop.
`loopnet_cli.training.transcriber` holds the same network in torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.pattern.model import STEMS

GROUPS: dict[str, tuple[str, ...]] = {"snare": STEMS["snare"], "hat": STEMS["hat"]}
"""Activations of their own for groups of voices: that one of them sounded is surer than which."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class EarConfig:
    """Sizes of the network; stored with the weights.

    Attributes
    ----------
    front : tuple of int
        Channels of the two-dimensional convolutions; bands are halved after each but the last.
    width : int
        Channels of the convolutions over time.
    dilations : tuple of int
        Their dilations in frames.
    contexts : tuple of int
        After which of these the network attends to the whole piece.
    heads : int
        Queries of each attention.
    """

    front: tuple[int, ...] = (12, 24, 40, 56)
    width: int = 128
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64, 1)
    contexts: tuple[int, ...] = (2, 4, 6)
    heads: int = 8

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> EarConfig:
        """Read what was stored; KeyError, TypeError or ValueError where it is not that."""
        lists = {name: tuple(int(value) for value in stored[name]) for name in ("front", "dilations", "contexts")}
        return cls(**lists, width=int(stored["width"]), heads=int(stored["heads"]))

    @property
    def reach(self) -> int:
        """Frames to each side that an output depends on."""
        return len(self.front) + sum(self.dilations)


class Ear:
    """The trained network.

    Parameters
    ----------
    config : EarConfig
        Sizes.
    weights : Mapping from name to ndarray of float32
        ``front.N``, ``enter``, ``wide.N``, ``mix.N``, ``score.N``, ``value.N``, ``inner.N``, ``outer.N``
        and ``head``, each with ``.weight`` and ``.bias``.
    """

    def __init__(self, config: EarConfig, weights: Mapping[str, Array]) -> None:
        self.config = config
        self._bias = {n.removesuffix(".bias"): v for n, v in weights.items() if n.endswith(".bias")}
        self._kernels: dict[str, Array] = {}
        for name, value in weights.items():
            if name.endswith(".weight"):
                # convolutions as one matrix product: the taps side by side
                order = (0, *range(2, value.ndim), 1)
                kernel = np.ascontiguousarray(value.transpose(order), np.float32).reshape(len(value), -1)
                self._kernels[name.removesuffix(".weight")] = kernel

    def __call__(self, x: Array) -> Array:
        """Listen.

        Parameters
        ----------
        x : ndarray of float32, shape (windows, bands, frames)
            From `loopnet_cli.analysis.spectrogram.loudness_scale`.

        Returns
        -------
        ndarray of float32, shape (voices + groups + voices, frames)
            Activations of the ten voices and of `GROUPS`, then velocities of the voices; 0..1.
        """
        result: Array = np.reciprocal(1 + np.exp(-np.clip(self.listen(x)[1], -30, 30)))
        return result

    def listen(self, x: Array) -> tuple[Array, Array]:
        """Listen, and say what the activations are derived from as well.

        Parameters
        ----------
        x : ndarray of float32, shape (windows, bands, frames)

        Returns
        -------
        hidden : ndarray of float32, shape (width, frames)
        logits : ndarray of float32, shape (voices + groups + voices, frames)
        """
        frames = x.shape[2]
        for index in range(len(self.config.front)):
            x = np.maximum(self._conv2d(f"front.{index}", x, 5 if index == 0 else 3), 0)
            if index < len(self.config.front) - 1:
                even = x.shape[1] // 2 * 2
                x = np.maximum(x[:, 0:even:2], x[:, 1:even:2])
        y = np.maximum(self._matmul("enter", x.reshape(-1, frames)), 0)
        for index, dilation in enumerate(self.config.dilations):
            padded = np.pad(y, ((0, 0), (dilation, dilation)))
            taps = np.concatenate([padded[:, tap * dilation : tap * dilation + frames] for tap in range(3)])
            y = y + self._matmul(f"mix.{index}", np.maximum(self._matmul(f"wide.{index}", taps), 0))
            if index in self.config.contexts:
                y = y + self._context(self.config.contexts.index(index), y)
        hidden = np.maximum(y, 0)
        return hidden, self._matmul("head", hidden)

    def _context(self, number: int, y: Array) -> Array:
        """Sum the piece up by attention, and say the same to every frame."""
        scores = self._matmul(f"score.{number}", y)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        values = self._matmul(f"value.{number}", y).reshape(self.config.heads, -1, y.shape[1])
        pooled = (values @ weights[:, :, None]).reshape(-1, 1)
        result: Array = self._matmul(f"outer.{number}", np.maximum(self._matmul(f"inner.{number}", pooled), 0))
        return result

    def _matmul(self, name: str, x: Array) -> Array:
        result: Array = self._kernels[name] @ x + self._bias[name][:, None]
        return result

    def _conv2d(self, name: str, x: Array, tall: int) -> Array:
        channels, bands, frames = x.shape
        padded = np.pad(x, ((0, 0), (tall // 2, tall // 2), (1, 1)))
        taps = np.concatenate(
            [padded[:, f : f + bands, t : t + frames] for f in range(tall) for t in range(3)]
        ).reshape(tall * 3 * channels, bands * frames)
        return self._matmul(name, taps).reshape(-1, bands, frames)
