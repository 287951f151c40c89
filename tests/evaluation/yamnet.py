"""A network of YAMNet's shape with random weights, and sounds to embed."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from tflite_writer import Table, flatbuffer, model

from loopnet_cli.evaluation.embedding import CONV, DENSE, DEPTHWISE, FFT, MELS, WIDTHS, WINDOW


def write_yamnet(path: Path, *, widths: tuple[int, ...] = WIDTHS, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    tensors = [
        ("frames", (96, WINDOW), None, None),
        ("window", (WINDOW,), np.hanning(WINDOW + 1)[:-1].astype("<f4"), None),
        ("mel", (MELS, FFT // 2 + 1), rng.random((MELS, FFT // 2 + 1)).astype("<f4"), None),
        ("offset", (MELS,), np.full(MELS, 0.001, "<f4"), None),
    ]
    operators = [(DENSE, (0, 2, 3), (0,))]

    def convolution(code: int, shape: tuple[int, ...], axis: int) -> None:
        channels, taps = shape[axis], int(np.prod(shape)) // shape[axis]
        scales = np.full(channels, 2.5 / (127 * np.sqrt(taps)), "<f4")
        quantisation = Table({2: scales, 3: np.zeros(channels, "<i8"), 6: ("<i", axis)})
        kernel = rng.integers(-127, 128, size=shape).astype("<i1")
        operators.append((code, (0, len(tensors), len(tensors) + 1), (0,)))
        tensors.append((f"kernel {len(operators)}", shape, kernel, quantisation))
        tensors.append((f"bias {len(operators)}", (channels,), np.full(channels, 0.1, "<f4"), None))

    convolution(CONV, (widths[0], 3, 3, 1), 0)
    for before, width in pairwise(widths):
        convolution(DEPTHWISE, (1, 3, 3, before), 3)
        convolution(CONV, (width, 1, 1, before), 0)
    path.write_bytes(flatbuffer(model(tensors, operators)))
    return path


def sounds(rate: int = 16000, count: int = 15600) -> dict[str, np.ndarray]:
    """Return sounds by name, full scale at most 0.5."""
    t = np.arange(count) / rate
    found = {
        "chord": 0.2 * sum(np.sin(2 * np.pi * hertz * t) for hertz in (220.0, 277.2, 329.6)),
        "sweep": 0.4 * np.sin(2 * np.pi * (200 * t + 1500 * t * t)),
    }
    for number in range(4):
        rng, strokes = np.random.default_rng(number), np.zeros(count)
        for k in range(8):
            first = int(k * 0.12 * rate)
            after = t[: count - first]
            tone = np.sin(2 * np.pi * (60 * (number + 1) * (1 + 0.5 * (k % 3))) * after)
            share = (0.1, 0.5, 0.9, 0.3)[(k + number) % 4]
            stroke = share * rng.standard_normal(len(after)) + (1 - share) * tone
            strokes[first:] += stroke * np.exp(-after * (8 + 10 * (k % 4)))
        found[f"strokes {number}"] = 0.5 * strokes / np.abs(strokes).max()
    return {name: sound.astype(np.float32) for name, sound in found.items()}
