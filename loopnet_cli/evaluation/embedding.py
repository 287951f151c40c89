"""The YAMNet embedding: 1024 numbers that say what a sound is like, from a file that the user names.

YAMNet (Google, Apache-2.0) is a MobileNet v1 (Howard et al. 2017) trained on AudioSet. The file is its
quantised TensorFlow Lite version; the weights are de-quantised here and run in real
numbers, many patches at once, which agrees with the file's own embedding at a correlation
above 0.999. Nothing of it is part of this package.

Audio at 16 kHz, log mel spectrogram (window 400, hop 160, FFT 512; 64 bands from 125 to 7500 Hz on
magnitudes, log(x + 0.001)), patches of 96 frames (0.96 s); the embedding is the mean over what is left
of time and frequency after the last convolution. The window, the mel matrix and the 0.001 are read from the file.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.errors import WeightsError
from loopnet_cli.evaluation.tflite import Graph, Tensor, read_tflite

if TYPE_CHECKING:
    import torch

SAMPLE_RATE = 16000
WINDOW, HOP, FFT, MELS = 400, 160, 512, 64
PATCH_FRAMES, PATCH_HOP = 96, 27
"""A patch is 0.96 s. The network halves time five times, so that it matters where in 32 frames a sound begins:
27 frames from patch to patch go through all of them, and a turned loop keeps its embedding (cosine distance 0.001,
against 0.005 with YAMNet's own 48; different loops have 0.06 to 0.6)."""
PATCH_SAMPLES = WINDOW + (PATCH_FRAMES - 1) * HOP
SIZE = 1024
STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
"""Of the first convolution and of the 13 depthwise ones."""
WIDTHS = (32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024)
BATCH = 32
"""Patches at once, which bounds the memory."""
LEAST_SECONDS = 4.0
"""Loops are repeated until they are as long."""
CONV, DEPTHWISE, DENSE = 3, 4, 9

Array = NDArray[np.float32]


class Embedder:
    """YAMNet up to its embedding.

    Parameters
    ----------
    path : Path
        The TensorFlow Lite file.

    Raises
    ------
    WeightsError
        If the file is no such model, or another network than YAMNet.
    """

    def __init__(self, path: Path) -> None:
        graph = read_tflite(path)
        try:
            self._mel, self._offset, self._window = _front_end(graph)
            self._weights = _network(graph)
        except ValueError as error:
            raise WeightsError(f"{path}: not YAMNet: {error}") from error

    def patches(self, audio: Array) -> Array:
        """Embed every patch of a recording.

        Parameters
        ----------
        audio : ndarray of float32, shape (samples,)
            Mono at 16 kHz, at least `PATCH_SAMPLES`; what is left after the last whole patch is not heard.

        Returns
        -------
        ndarray of float32, shape (patches, 1024)

        Raises
        ------
        ValueError
            If the audio is shorter than a patch.
        """
        if len(audio) < PATCH_SAMPLES:
            raise ValueError(f"{len(audio)} samples, an embedding needs {PATCH_SAMPLES}")
        mel = self.log_mel(audio)
        return self.embed(
            np.lib.stride_tricks.sliding_window_view(mel, PATCH_FRAMES, axis=0)[::PATCH_HOP].transpose(0, 2, 1)
        )

    def embed(self, mels: Array) -> Array:
        """Embed patches of a log mel spectrogram, shape (patches, 96, 64); returns shape (patches, 1024)."""
        return np.concatenate([self._run(mels[first : first + BATCH]) for first in range(0, len(mels), BATCH)])

    def loop(self, audio: Array, sample_rate: int) -> NDArray[np.float64]:
        """Embed a loop: the mean over its patches.

        Parameters
        ----------
        audio : ndarray of float32, shape (samples,)
            Mono; repeated until it lasts `LEAST_SECONDS`, in whole turns, with patches that run over the seam.
        sample_rate : int
            In Hz.

        Returns
        -------
        ndarray, shape (1024,)
        """
        from scipy.signal import resample_poly

        turns = max(1, int(np.ceil(LEAST_SECONDS * sample_rate / len(audio))))
        starts = int(np.ceil(turns * len(audio) / sample_rate * SAMPLE_RATE / (PATCH_HOP * HOP)))
        wanted = (starts - 1) * PATCH_HOP * HOP + PATCH_SAMPLES
        # a little before the start, cut off again, so that the resampling filter has settled
        lead = sample_rate // 10
        count = lead + int(np.ceil((wanted / SAMPLE_RATE + 0.1) * sample_rate))
        repeated = np.take(np.asarray(audio, np.float32), np.arange(-lead, count - lead), mode="wrap")
        common = int(np.gcd(SAMPLE_RATE, sample_rate))
        low = resample_poly(repeated, SAMPLE_RATE // common, sample_rate // common)[lead * SAMPLE_RATE // sample_rate :]
        return np.asarray(self.patches(low[:wanted].astype(np.float32)).mean(axis=0, dtype=np.float64))

    def log_mel(self, audio: Array) -> Array:
        """Return the log mel spectrogram, shape (frames, 64)."""
        from scipy import fft

        frames = np.lib.stride_tricks.sliding_window_view(np.asarray(audio, np.float32), WINDOW)[::HOP]
        magnitudes = np.abs(fft.rfft(frames * self._window, FFT, axis=1))
        result: Array = np.log(magnitudes @ self._mel.T + self._offset).astype(np.float32)
        return result

    @cached_property
    def _tensors(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        import torch

        return [(torch.from_numpy(kernel), torch.from_numpy(bias)) for kernel, bias in self._weights]

    def _run(self, mel: Array) -> Array:
        import torch
        from torch.nn.functional import conv2d, pad, relu6

        with torch.inference_mode():
            x = torch.from_numpy(np.array(mel))[:, None]
            for index, (kernel, bias) in enumerate(self._tensors):
                depthwise = index % 2 == 1
                stride = STRIDES[(index + 1) // 2] if depthwise or index == 0 else 1
                if kernel.shape[-1] == 3:
                    # TensorFlow's SAME: with a stride, all of an odd padding goes to the end
                    first = [0 if stride == 2 and size % 2 == 0 else 1 for size in x.shape[2:]]
                    x = pad(x, (first[1], 1, first[0], 1))
                x = relu6(conv2d(x, kernel, bias, stride, groups=len(kernel) if depthwise else 1))
            result: Array = x.mean(dim=(2, 3)).numpy()
        return result


def cosine_distance(one: NDArray[np.floating], two: NDArray[np.floating]) -> float:
    """Return 1 minus the cosine of the angle between two embeddings: 0 for the same direction."""
    size = float(np.linalg.norm(one) * np.linalg.norm(two))
    return 1.0 - float(np.dot(one, two)) / max(size, 1e-12)


def _front_end(graph: Graph) -> tuple[Array, Array, Array]:
    """Find the mel matrix (bands, bins), what is added to its result, and the window."""
    dense = [op for op in graph.operators if op.code == DENSE]
    if not dense or len(dense[0].inputs) != 3:
        raise ValueError("it has no mel spectrogram")
    mel, offset = (graph.tensors[number] for number in dense[0].inputs[1:])
    windows = [t for t in graph.tensors if t.shape == (WINDOW,) and t.values is not None and t.values.dtype == "<f4"]
    if mel.shape != (MELS, FFT // 2 + 1) or offset.shape != (MELS,) or len(windows) != 1:
        raise ValueError("its mel spectrogram is another")
    front = mel.dequantised(), offset.dequantised(), windows[0].dequantised()
    if not all(np.isfinite(part).all() for part in front) or front[0].min() < 0 or front[1].min() <= 0:
        raise ValueError("its mel spectrogram is damaged")
    return front


def _network(graph: Graph) -> list[tuple[Array, Array]]:
    """Return kernels (out, in, height, width) and biases in order: one convolution, then 13 pairs."""
    found = [op for op in graph.operators if op.code in (CONV, DEPTHWISE)]
    expected = [CONV] + [DEPTHWISE, CONV] * (len(WIDTHS) - 1)
    if [op.code for op in found] != expected:
        raise ValueError(f"{len(found)} convolutions in another order than MobileNet's")
    weights = []
    for index, op in enumerate(found):
        if len(op.inputs) != 3:
            raise ValueError("a convolution without a bias")
        width, before = WIDTHS[(index + 1) // 2], WIDTHS[max((index - 1) // 2, 0)]
        if op.code == DEPTHWISE:
            shape, order = (1, 3, 3, before), (3, 0, 1, 2)
            width = before
        else:
            shape, order = ((width, 3, 3, 1) if index == 0 else (width, 1, 1, before)), (0, 3, 1, 2)
        kernel, bias = (graph.tensors[number] for number in op.inputs[1:])
        if kernel.shape != shape or bias.shape != (width,):
            raise ValueError(f"convolution {index} has shape {kernel.shape}, not {shape}")
        weights.append((np.ascontiguousarray(_real(kernel).transpose(order)), _real(bias)))
    return weights


def _real(tensor: Tensor) -> Array:
    values = tensor.dequantised()
    if not np.isfinite(values).all():
        raise ValueError(f"tensor {tensor.name!r} is damaged")
    return values
