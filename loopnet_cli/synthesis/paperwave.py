"""The paper's Wave-U-Net in numpy: importing torch takes longer than rendering a loop.

The same sums as in `loopnet_cli.training.papernet`, in another order. A convolution is one matrix product on
blocks of columns, its taps side by side. Upsampling by straight lines and the convolution after it are a
product at the lower rate, whose rows are the even and the odd results. Inputs that are the same at all times are
never spread over time: a convolution of a constant is a constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.synthesis.papernet import CHROMA_INPUTS, TAPS, PaperConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

BLOCK = 512
"""Columns of a matrix product: what it works on stays in the cache."""
REACH = TAPS // 2
UP_TAPS = 4
"""Values at the lower rate that a pair of upsampled and convolved ones depends on."""


def tensor_shapes(config: PaperConfig) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a model's weights."""
    shapes: dict[str, tuple[int, ...]] = {}
    decoders = [(below + skip, out) for below, skip, out in config.decoder_channels]
    layers = {"encoder": list(pairwise((len(config.inputs), *config.filters))), "decoder": decoders}
    for part, sizes in layers.items():
        for number, (into, out) in enumerate(sizes):
            shapes[f"{part}.{number}.weight"] = (out, into, TAPS)
            shapes |= {f"{part}.{number}.{name}": (out,) for name in ("bias", "scale", "shift")}
    shapes["output.weight"] = (config.outputs, config.first_filters, 1)
    shapes["output.bias"] = (config.outputs,)
    return shapes


class PaperNetwork:
    """A trained network.

    Parameters
    ----------
    config : PaperConfig
        Which model.
    tensors : Mapping from name to ndarray of float32
        As `tensor_shapes` names them: convolutions, and batch norm folded to a scale and a shift.

    Raises
    ------
    ValueError, KeyError
        If a tensor is missing, too many, of another shape, or not finite.
    """

    def __init__(self, config: PaperConfig, tensors: Mapping[str, Array]) -> None:
        shapes = tensor_shapes(config)
        if unknown := sorted(tensors.keys() - shapes.keys()):
            raise ValueError(f"unknown tensor {unknown[0]}")
        for name, shape in shapes.items():
            found = tensors[name]
            if found.shape != shape:
                raise ValueError(f"{name} has shape {list(found.shape)}, not {list(shape)}")
            if not np.isfinite(found).all():
                raise ValueError(f"{name} holds values that are not finite")
        self.config = config
        self.curves = config.inputs.index(CHROMA_INPUTS[0])
        """How many inputs vary over time: the first ones."""
        self._columns = {name: np.asarray(value, np.float32)[:, None] for name, value in tensors.items()
                         if value.ndim == 1}  # fmt: skip
        self._encoders: list[Array] = []
        self._ups: list[Array] = []
        self._skips: list[Array] = []
        self._constant: dict[str, Array] = {}
        for number in range(config.layers):
            below = config.decoder_channels[number][0]
            up, skip = np.split(np.asarray(tensors[f"decoder.{number}.weight"], np.float32), [below], axis=1)
            self._ups.append(_upsampling(up))
            self._encoders.append(self._varying(f"encoder.{number}", tensors[f"encoder.{number}.weight"]))
            self._skips.append(self._varying(f"decoder.{number}", skip))
        self._last = np.ascontiguousarray(tensors["output.weight"][:, :, 0], np.float32)

    def _varying(self, name: str, weight: Array) -> Array:
        """Return a kernel's matrix; of one that sees the inputs, the part for those that vary over time."""
        if name.endswith(".0"):
            self._constant[name] = np.ascontiguousarray(weight[:, self.curves :].sum(axis=2, dtype=np.float32))
            weight = weight[:, : self.curves]
        return _side_by_side(weight)

    def __call__(self, curves: Array, constants: Array, bars: int = 1) -> Array:
        """Run one loop through the network, in one piece.

        Parameters
        ----------
        curves : ndarray of float32, shape (inputs that vary, time)
            One turn of the circle, of any length.
        constants : ndarray of float32, shape (33,)
            Chroma and timbre.
        bars : int
            Of how many equal bars. Every layer leaves out each second value counted from the start of its bar,
            as in training, and sees beyond the bar's ends what its neighbours are: so there is no seam between
            bars, and bars that are turned along the circle give the same sound, turned.

        Returns
        -------
        ndarray of float32, shape (outputs, time)

        Raises
        ------
        ValueError
            If time is no whole number of bars.
        """
        if bars < 1 or curves.shape[1] % bars or not curves.shape[1]:
            raise ValueError(f"{curves.shape[1]} steps of time are no {bars} equal bars")
        x, skips = np.ascontiguousarray(curves, np.float32), []
        fixed = np.asarray(constants, np.float32)
        for number in range(self.config.layers):
            skips.append(x)
            x = self._encode(number, x, bars, self._offset(f"encoder.{number}", fixed))
        for number in range(self.config.layers - 1, 0, -1):
            skip = skips.pop()
            y = np.empty((len(self._skips[number]), skip.shape[1]), np.float32)
            for start, made in self._decode(number, x, skip, bars, self._offset(f"decoder.{number}", fixed)):
                y[:, start : start + made.shape[1]] = made
            x = y
        # block by block: what the last decoder layer makes is never stored
        answer = np.empty((self.config.outputs, curves.shape[1]), np.float32)
        for start, made in self._decode(0, x, skips[0], bars, self._offset("decoder.0", fixed)):
            np.matmul(self._last, made, out=answer[:, start : start + made.shape[1]])
        answer += self._columns["output.bias"]
        return answer

    def _offset(self, name: str, constants: Array) -> Array:
        """Return a layer's bias, shape (out, 1), with what constant inputs add to it."""
        bias = self._columns[f"{name}.bias"]
        if name not in self._constant:
            return bias
        total: Array = bias + (self._constant[name] @ constants)[:, None]
        return total

    def _encode(self, number: int, x: Array, bars: int, offset: Array) -> Array:
        length = x.shape[1] // bars
        count = (length + 1) // 2
        padded = _wrapped(x, REACH, REACH + 1)
        y = np.empty((len(self._encoders[number]), bars * count), np.float32)
        for bar, start in product(range(bars), range(0, count, BLOCK)):
            stop = min(start + BLOCK, count)
            taps = _taps(padded, TAPS, bar * length + 2 * start, stop - start, step=2)
            made = self._activated(f"encoder.{number}", self._encoders[number] @ taps, offset)
            y[:, bar * count + start : bar * count + stop] = made
        return y

    def _decode(self, number: int, x: Array, skip: Array, bars: int, offset: Array) -> Iterator[tuple[int, Array]]:
        """Yield blocks of a decoder layer's result: where each begins, and its values."""
        below, beside = _wrapped(x, 1, 2), _wrapped(skip, REACH, REACH)
        half, length = x.shape[1] // bars, skip.shape[1] // bars
        for bar, start in product(range(bars), range(0, half, BLOCK // 2)):
            width = min(BLOCK // 2, half - start)
            # of an odd length the last value is cut off
            count = min(2 * width, length - 2 * start)
            place = bar * length + 2 * start
            made = self._skips[number] @ _taps(beside, TAPS, place, count)
            pairs = self._ups[number] @ _taps(below, UP_TAPS, bar * half + start, width)
            even, odd = pairs[: len(made)], pairs[len(made) :]
            made[:, 0::2] += even
            made[:, 1::2] += odd[:, : count // 2]
            yield place, self._activated(f"decoder.{number}", made, offset)

    def _activated(self, name: str, x: Array, offset: Array) -> Array:
        """Add the bias, rectify and norm, in place."""
        x += offset
        np.maximum(x, 0, out=x)
        x *= self._columns[f"{name}.scale"]
        x += self._columns[f"{name}.shift"]
        return x


def _side_by_side(weight: Array) -> Array:
    """Turn a kernel, shape (out, in, taps), into a matrix, shape (out, taps * in)."""
    matrix = np.asarray(weight, np.float32).transpose(0, 2, 1).reshape(len(weight), -1)
    return np.ascontiguousarray(matrix)


def _upsampling(weight: Array) -> Array:
    """Return the matrix of a convolution after upsampling, shape (even and odd out, taps * in).

    With ``u[2k] = x[k]`` and ``u[2k+1] = (x[k] + x[k+1]) / 2`` both depend on ``x[k-1]`` to ``x[k+2]``.
    """
    w0, w1, w2, w3, w4 = np.moveaxis(np.asarray(weight, np.float32), 2, 0)
    even = np.stack([w0 + w1 / 2, w1 / 2 + w2 + w3 / 2, w3 / 2 + w4, np.zeros_like(w0)], axis=2)
    odd = np.stack([w0 / 2, w0 / 2 + w1 + w2 / 2, w2 / 2 + w3 + w4 / 2, w4 / 2], axis=2)
    return _side_by_side(np.concatenate([even, odd]))


def _taps(padded: Array, taps: int, first: int, count: int, step: int = 1) -> Array:
    """Put what each of `count` results sees into a column, shape (taps * channels, count)."""
    block = np.empty((taps, len(padded), count), np.float32)
    for tap in range(taps):
        block[tap] = padded[:, first + tap : first + tap + step * (count - 1) + 1 : step]
    return block.reshape(-1, count)


def _wrapped(x: Array, before: int, after: int) -> Array:
    """Extend along the circle, however short it is."""
    time = x.shape[1]
    if time < max(before, after):
        return np.take(x, np.arange(-before, time + after), axis=1, mode="wrap")
    return np.concatenate([x[:, time - before :], x, x[:, :after]], axis=1)
