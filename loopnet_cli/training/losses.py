"""Losses between rendered and recorded strokes that do not mind phase and do not favour silence."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SAMPLE_RATE = 44100
BEND_HERTZ = 300.0
"""Below this frequencies count alike, above it each octave does."""
SIZES = (4096, 2048, 1024, 512, 256, 128)


def spectra(x: Tensor, size: int) -> Tensor:
    """Magnitudes of frames a quarter of `size` apart, shape (batch, bins, frames).

    Zeros are put in front, so that an onset at the first sample is neither cut nor mirrored.
    """
    padded = functional.pad(x, (size * 3 // 4, size))
    window = torch.hann_window(size, device=x.device)
    transform = torch.stft(padded, size, size // 4, window=window, center=False, return_complex=True)
    magnitudes: Tensor = torch.view_as_real(transform).square().sum(-1).add(1e-12).sqrt() / size**0.5
    return magnitudes


def spectral_distance(output: Tensor, target: Tensor, size: int, *, floor: float = 6e-5) -> Tensor:
    """Log-magnitude distance plus spectral convergence at one FFT size.

    Parameters
    ----------
    output, target : Tensor, shape (batch, samples)
    size : int
        FFT size.
    floor : float
        Magnitude under which differences fade: about -80 dB of full scale, so that what little a kick
        has above 8 kHz still counts.

    Returns
    -------
    Tensor, scalar
        Log distance weighted over frequency by octaves, and by how far the bin lies above the floor in
        either signal, so that silence counts less than sound but noise in silence is still paid for.
    """
    a, b = spectra(output, size), spectra(target, size)
    difference = (torch.log(a + floor) - torch.log(b + floor)).abs()
    convergence = (a - b).square().sum((1, 2)).add(1e-8).sqrt() / (b.square().sum((1, 2)).sqrt() + 0.02)
    # narrow mean over the frames that sound: a short hat in a long window must not count less;
    # and over frequency as the ear spaces it: counted by bins, a kick is one part in a hundred
    weight = torch.log1p(torch.maximum(a, b).detach() / floor) + 0.3
    hertz = torch.linspace(0, SAMPLE_RATE / 2, a.shape[1], device=a.device)
    weight = weight / (BEND_HERTZ + hertz)[:, None]
    weighted = (difference * weight).sum((1, 2)) / weight.sum((1, 2))
    return (weighted + 0.5 * convergence).mean()
