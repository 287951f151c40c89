"""VGGish (Hershey et al. 2017), the embedding of the paper's Fréchet audio distances; weights named by the user.

Front end, as published: 16 kHz; periodic Hann window of 25 ms (400 samples) every 10 ms (160), FFT 512, magnitudes;
64 triangular bands, straight in mel, from 125 to 7500 Hz, with HTK's mel (``1127 ln(1 + f / 700)``) and nothing of
the bin at 0 Hz; ``log(x + 0.01)``; examples of 96 frames (0.96 s). Network: 3x3 convolutions of 64; 128; 256, 256;
512, 512 channels with ReLU, each group followed by 2x2 max pooling; then 4096, 4096 and 128 units, 72 141 184
parameters in all. The last layer is linear: the embedding is neither rectified nor brought through AudioSet's PCA.
The statistics published with the paper are of that kind: negative means, 128 dimensions of full rank.

Weights: a ``.safetensors`` file with exactly the tensors of `SHAPES`, float32 or float16, under those names or under
those of the PyTorch port (`PORT_NAMES`); docs/EVALUATION.md says how to make it from the published checkpoint.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.errors import WeightsError

if TYPE_CHECKING:
    import torch

SAMPLE_RATE = 16000
WINDOW, HOP, FFT = 400, 160, 512
MELS, MEL_LOW, MEL_HIGH = 64, 125.0, 7500.0
LOG_OFFSET = 0.01
EXAMPLE_FRAMES = 96
EXAMPLE_SAMPLES = WINDOW + (EXAMPLE_FRAMES - 1) * HOP
SIZE = 128
BATCH = 16
"""Examples at once, which bounds the memory."""

_CONVOLUTIONS = {
    "conv1": (1, 64), "conv2": (64, 128), "conv3_1": (128, 256), "conv3_2": (256, 256),
    "conv4_1": (256, 512), "conv4_2": (512, 512),
}  # fmt: skip
_POOLED = ("conv1", "conv2", "conv3_2", "conv4_2")
_DENSE = {"fc1_1": (6 * 4 * 512, 4096), "fc1_2": (4096, 4096), "fc2": (4096, SIZE)}
SHAPES: dict[str, tuple[int, ...]] = {
    **{f"{name}.weight": (after, before, 3, 3) for name, (before, after) in _CONVOLUTIONS.items()},
    **{f"{name}.bias": (after,) for name, (_, after) in _CONVOLUTIONS.items()},
    **{f"{name}.weight": (after, before) for name, (before, after) in _DENSE.items()},
    **{f"{name}.bias": (after,) for name, (_, after) in _DENSE.items()},
}
"""Convolutions: (out, in, time, frequency). ``fc1_1`` takes (time, frequency, channel), channels fastest."""
PARAMETERS = 72_141_184
PORT_NAMES: dict[str, str] = {
    "features.0": "conv1", "features.3": "conv2", "features.6": "conv3_1", "features.8": "conv3_2",
    "features.11": "conv4_1", "features.13": "conv4_2", "embeddings.0": "fc1_1", "embeddings.2": "fc1_2",
    "embeddings.4": "fc2",
}  # fmt: skip
"""What the layers are called in the PyTorch port ``torchvggish``."""
_IGNORED = ("pproc.pca_eigen_vectors", "pproc.pca_means")
"""Of the port: the PCA, which is not used here."""

Array = NDArray[np.float32]


def hertz_to_mel(hertz: NDArray[np.floating] | float) -> NDArray[np.float64]:
    """Return HTK's mel."""
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz, np.float64) / 700.0))


@lru_cache(maxsize=1)
def mel_matrix() -> NDArray[np.float64]:
    """Return the bands' weights on the FFT's bins, shape (257, 64)."""
    edges = np.linspace(hertz_to_mel(MEL_LOW), hertz_to_mel(MEL_HIGH), MELS + 2)
    bins = hertz_to_mel(np.linspace(0.0, SAMPLE_RATE / 2, FFT // 2 + 1))[:, None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    matrix = np.maximum(0.0, np.minimum(rise, fall))
    matrix[0] = 0.0
    return matrix


def log_mel(audio: NDArray[np.floating]) -> Array:
    """Return the log mel spectrogram.

    Parameters
    ----------
    audio : ndarray, shape (samples,)
        Mono at 16 kHz, full scale -1..1. What is left after the last whole window is not heard.

    Returns
    -------
    ndarray of float32, shape (1 + (samples - 400) // 160, 64)
        No frame where there is no whole window.
    """
    from scipy import fft

    signal = np.asarray(audio, np.float64)
    if len(signal) < WINDOW:
        return np.zeros((0, MELS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::HOP]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    magnitudes = np.abs(fft.rfft(frames * window, FFT, axis=1))
    result: Array = np.log(magnitudes @ mel_matrix() + LOG_OFFSET).astype(np.float32)
    return result


def examples(audio: NDArray[np.floating]) -> Array:
    """Cut audio into examples of 0.96 s that do not overlap, as published; what is left over is dropped.

    Returns
    -------
    ndarray of float32, shape (examples, 96, 64)
    """
    mel = log_mel(audio)
    count = len(mel) // EXAMPLE_FRAMES
    return mel[: count * EXAMPLE_FRAMES].reshape(count, EXAMPLE_FRAMES, MELS)


class VGGish:
    """The network with the user's weights.

    Parameters
    ----------
    path : Path
        A ``.safetensors`` file (see the module's head).

    Raises
    ------
    WeightsError
        If the file is missing, damaged, or holds other tensors.
    """

    def __init__(self, path: Path) -> None:
        self._tensors = read_weights(path)

    def embed(self, mels: Array) -> Array:
        """Embed examples, shape (examples, 96, 64); returns shape (examples, 128)."""
        parts = [self._run(mels[first : first + BATCH]) for first in range(0, len(mels), BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, SIZE), np.float32)

    def _run(self, mels: Array) -> Array:
        import torch
        from torch.nn.functional import conv2d, linear, max_pool2d

        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(mels))[:, None]
            for name in _CONVOLUTIONS:
                x = conv2d(x, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"], padding=1).relu()
                if name in _POOLED:
                    x = max_pool2d(x, 2)
            # (examples, channel, time, frequency) to the order of the published weights
            x = x.permute(0, 2, 3, 1).reshape(len(mels), -1)
            for name in _DENSE:
                x = linear(x, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])
                x = x if name == "fc2" else x.relu()
            result: Array = x.numpy()
        return result


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read the weights by the names of `SHAPES`.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, or a tensor is missing, too many, of another shape or not finite.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        with path.open("rb"):
            pass
        with safe_open(path, framework="pt") as file:
            found = {_own_name(key): key for key in file.keys() if key not in _IGNORED}  # noqa: SIM118
            _check_names(found)
            tensors = {}
            for name, shape in SHAPES.items():
                view = file.get_slice(found[name])
                if tuple(view.get_shape()) != shape:
                    raise ValueError(f"{found[name]} has shape {tuple(view.get_shape())}, not {shape}")
                if view.get_dtype() not in ("F32", "F16"):
                    raise ValueError(f"{found[name]} is of type {view.get_dtype()}, not F32 or F16")
                tensors[name] = file.get_tensor(found[name]).to(torch.float32)
                if not bool(torch.isfinite(tensors[name]).all()):
                    raise ValueError(f"{found[name]} holds values that are no numbers")
    except OSError as error:
        raise WeightsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not VGGish weights ({error}): see docs/EVALUATION.md for the format") from error
    return tensors


def _own_name(key: str) -> str:
    layer, _, kind = key.rpartition(".")
    return f"{PORT_NAMES.get(layer, layer)}.{kind}"


def _check_names(found: dict[str, str]) -> None:
    missing, unknown = sorted(SHAPES.keys() - found.keys()), sorted(found.keys() - SHAPES.keys())
    if missing:
        raise ValueError(f"no tensor {missing[0]}")
    if unknown:
        raise ValueError(f"unknown tensor {found[unknown[0]]}")
