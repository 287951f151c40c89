"""From single strokes to a loop: stems on a circle, filtered, tuned, driven and brought to one level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.filters import high_pass
from loopnet_cli.audio.fourier import irfft, next_fast_len, rfft
from loopnet_cli.audio.mixing import place, saturate
from loopnet_cli.controls import Kit
from loopnet_cli.dynamics import CHOKE_SECONDS, choke_lengths, velocity_gain
from loopnet_cli.errors import AudioError
from loopnet_cli.pattern import STEM_OF_VOICE, STEMS, Pattern
from loopnet_cli.synthesis.harmony import resonate
from loopnet_cli.synthesis.hitnet import SAMPLE_RATE
from loopnet_cli.synthesis.shaping import Shape, equaliser

Array = NDArray[np.float32]

PEAK_DB = -1.0
"""Sample peak of a rendered loop."""
RUMBLE_HERTZ = 22.0
"""Corner of the high-pass that every stem goes through."""
FILTER_SAMPLES = 8192
"""Run-up that the filters of a stem need to have settled."""
SILENT = 1e-6
"""A loop whose stems all peak below is no loop."""


def placed(pattern: Pattern, kit: Kit, audio: Mapping[tuple[str, float], Array]) -> dict[str, Array]:
    """Put strokes where the hits are, at the kit's levels, before anything is done to the mix.

    Parameters
    ----------
    pattern : Pattern
    kit : Kit
        Its levels.
    audio : Mapping from (voice, velocity) to ndarray of float32
        From `stroke_audio`.

    Returns
    -------
    dict of stem name to ndarray of float32, shape (samples,)
    """
    total = pattern.samples(SAMPLE_RATE)
    stems = {name: np.zeros(total, np.float32) for name in STEMS}
    onsets = pattern.onset_samples(SAMPLE_RATE)
    fade = int(CHOKE_SECONDS * SAMPLE_RATE)
    for hit, onset, length in zip(pattern.hits, onsets, choke_lengths(pattern.hits, onsets, total), strict=True):
        stroke = audio[hit.voice, round(hit.velocity * 127) / 127]
        if length is not None and length < len(stroke):
            stroke = stroke[: length + fade].copy()
            stroke[length:] *= np.linspace(1, 0, fade, dtype=np.float32)[: len(stroke) - length]
        gain = kit.levels[hit.voice] * velocity_gain(hit.velocity)
        place(stems[STEM_OF_VOICE[hit.voice]], stroke * np.float32(gain), onset)
    return stems


def mixed_down(stems: dict[str, Array], shape: Shape | None, chroma: Sequence[float] | None) -> dict[str, Array]:
    """Filter, tune and drive stems, and bring them to the level at which their sum peaks at `PEAK_DB`.

    Parameters
    ----------
    stems : dict of stem name to ndarray of float32, shape (samples,)
        From `placed`.
    shape : Shape, optional
        Its equaliser and drive.
    chroma : sequence of 12 float, optional
        Pitch classes that ring in the tonal stems.

    Returns
    -------
    dict of stem name to ndarray of float32, shape (samples,)

    Raises
    ------
    AudioError
        If nothing sounds.
    """
    if max(float(np.abs(stem).max(initial=0.0)) for stem in stems.values()) < SILENT:
        raise AudioError("nothing sounds: the kit has turned down every voice that is played: use another kit")
    total = len(next(iter(stems.values())))
    sounding = [name for name, stem in stems.items() if stem.any()]
    stack = np.stack([stems[name] for name in sounding])
    # resonators ring for seconds and need the circle itself; the filters do with a run-up, at a length
    # that transforms fast
    lead = 0 if chroma is not None else next_fast_len(total + FILTER_SAMPLES) - total
    size = total + lead
    # strokes may push the cone without a sound: that costs level only
    curve = high_pass(size, RUMBLE_HERTZ)
    if shape is not None:
        curve = curve * equaliser(shape, size)
    spectra = rfft(np.take(stack, np.arange(-lead, total), axis=1, mode="wrap"), axis=1) * curve
    if chroma is not None:
        for row, name in enumerate(sounding):
            spectra[row] = resonate(spectra[row], total, name, chroma)
    for name, stem in zip(sounding, irfft(spectra, size, axis=1)[:, lead:], strict=True):
        stems[name] = stem.astype(np.float32)
    mix: Array = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    if shape is not None and shape.drive > 0.01:
        # each stem by itself: driven by the mix, a stem would jump where another one is hit
        peak = float(np.abs(mix).max(initial=0.0))
        stems = {name: stem * saturate(stem, drive=shape.drive, peak=peak) for name, stem in stems.items()}
        # bending lopsided waves leaves an offset
        stems = {name: stem - stem.mean(dtype=np.float64).astype(np.float32) for name, stem in stems.items()}
        mix = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    gain = np.float32(10 ** (PEAK_DB / 20) / max(float(np.abs(mix).max(initial=0.0)), 1e-6))
    return {name: stem * gain for name, stem in stems.items()}
