"""From a bar of audio to a row of a data set: its two sample rates, its envelope, chroma and timbre."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.chroma import chroma
from loopnet_cli.analysis.envelope import envelope
from loopnet_cli.analysis.timbre import timbre_features
from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.data.rows import STUDIO_SAMPLES, to_int16
from loopnet_cli.synthesis.papernet import PAPER_RATE, PAPER_SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

CEILING = 0.999


def describe_bar(
    audio: NDArray[np.float32],
    sample_rate: int,
    activations: NDArray[np.float32],
    *,
    pattern: str,
    bar: int,
    loop: int,
) -> dict[str, object]:
    """Make a row of a bar.

    Parameters
    ----------
    audio : ndarray of float32, shape (samples,)
        One bar, mono, at the rate of its source: chroma and timbre are measured here, before anything is
        resampled. At 16 kHz there would be nothing left for the high band to measure.
    sample_rate : int
        In Hz, 32 000 to 192 000.
    activations : ndarray of float32, shape (FRAMES, 3)
    pattern : str
        What is played (`rows.pattern_text`).
    bar, loop : int
        Which bar of which loop.

    Returns
    -------
    dict
        Keys as in `rows.ROW_SHAPES`, and ``pattern``.

    Raises
    ------
    AudioError
        If the bar is silent.
    """
    paper, studio = resample_circular(audio, PAPER_SAMPLES), resample_circular(audio, STUDIO_SAMPLES)
    # resampling may swing a little higher: scaled rather than clipped, both alike
    peak = max(float(np.abs(paper).max()), float(np.abs(studio).max()))
    if peak > CEILING:
        paper, studio = paper * np.float32(CEILING / peak), studio * np.float32(CEILING / peak)
    points = timbre_features(audio, sample_rate)
    return {
        "audio_paper": to_int16(paper),
        "audio_studio": to_int16(studio),
        "activations": activations,
        "envelope": envelope(paper, PAPER_RATE).astype(np.float16),
        "chroma": chroma(audio, sample_rate),
        "timbre": np.array([points[name] for name in TIMBRE_NAMES], np.float32),
        "loop": loop,
        "bar": bar,
        "pattern": pattern,
    }
