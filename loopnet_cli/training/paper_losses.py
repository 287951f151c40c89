"""The losses of the paper's five models (its equations 1 to 3), on the circle.

``WAV`` compares samples, ``WAVSPEC`` adds the magnitudes of one STFT, ``MULTI`` and ``MULTI_NOENV`` those of six
(the sizes of Engel et al., DDSP, 2020), ``STFT`` compares the magnitudes that the network itself gives. All are
mean absolute differences; magnitudes are the plain ones of a Hann-windowed FFT, so that they weigh more than
samples, as in the paper.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from loopnet_cli.synthesis.papernet import FFT_SIZE, HOP
from loopnet_cli.training.papernet import wrapped

SPECTRAL_SIZES: dict[str, tuple[int, ...]] = {
    "wav": (),
    "wavspec": (FFT_SIZE,),
    "multi": (2048, 1024, 512, 256, 128, 64),
    "multi-noenv": (2048, 1024, 512, 256, 128, 64),
}
"""FFT sizes of each model's spectral term; the hop is half the size, as 512 is of 1024."""
TINY = 1e-8
"""Keeps the slope of a magnitude finite at 0."""
STFT_UNIT = float(torch.hann_window(FFT_SIZE).square().sum().sqrt())
"""The STFT model learns magnitudes in this unit: what white noise of variance 1 has."""


@lru_cache(maxsize=16)
def _window(size: int, device: str) -> Tensor:
    return torch.hann_window(size, device=device)


def magnitudes(signal: Tensor, size: int = FFT_SIZE, hop: int | None = None) -> Tensor:
    """Measure the STFT's magnitudes of a loop.

    Parameters
    ----------
    signal : Tensor, shape (batch, samples)
        One turn of the circle.
    size : int
        Of the FFT and its Hann window.
    hop : int, optional
        Half the size by default.

    Returns
    -------
    Tensor, shape (batch, size / 2 + 1, frames)
        Frame ``n`` is centred on sample ``n * hop``.
    """
    step = size // 2 if hop is None else hop
    window = _window(size, str(signal.device))
    around = wrapped(signal, size // 2, size // 2)
    # frames that begin on the circle, none of the repeated rest
    frames = -(-signal.shape[-1] // step)
    around = around[..., : (frames - 1) * step + size]
    spectrum = torch.stft(around, size, step, window=window, center=False, return_complex=True)
    power: Tensor = spectrum.real.square() + spectrum.imag.square()
    return torch.sqrt(power + TINY)


def sample_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference of samples (equation 1)."""
    return (made - wanted).abs().mean()


def spectral_loss(made: Tensor, wanted: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Mean absolute difference of magnitudes, averaged over the sizes (equations 2 and 3)."""
    total = torch.zeros((), device=made.device)
    for size in sizes:
        total = total + (magnitudes(made, size) - magnitudes(wanted, size)).abs().mean()
    return total / max(1, len(sizes))


def on_whole_frames(signal: Tensor, frames: int) -> Tensor:
    """Resample one turn of the circle to a whole number of hops, through its spectrum."""
    samples, wanted = signal.shape[-1], frames * HOP
    spectrum = torch.fft.rfft(signal)
    bins = min(samples, wanted) // 2
    whole = torch.zeros(*signal.shape[:-1], wanted // 2 + 1, dtype=spectrum.dtype, device=signal.device)
    whole[..., :bins] = spectrum[..., :bins]
    resampled: Tensor = torch.fft.irfft(whole, n=wanted) * (wanted / samples)
    return resampled


def loss_of(model: str, made: Tensor, wanted: Tensor) -> Tensor:
    """Compare what a model gave with what it should have given.

    Parameters
    ----------
    model : str
        One of `PAPER_MODELS`.
    made, wanted : Tensor, shape (batch, samples), for ``stft`` (batch, 513, frames)
        Those magnitudes are in `STFT_UNIT`.
    """
    if model == "stft":
        return (made - wanted).abs().mean()
    return sample_loss(made, wanted) + spectral_loss(made, wanted, SPECTRAL_SIZES[model])
