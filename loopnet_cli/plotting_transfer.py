"""A picture of a transfer: the rhythm, the sound and the result one above another."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loopnet_cli.analysis.transcription import ACTIVATIONS, FRAME_RATE
from loopnet_cli.pattern.model import STEM_OF_VOICE, STEMS, Pattern
from loopnet_cli.plotting import STEM_COLOURS, draw_spectrogram, draw_wave, log_spectrogram

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_LINES = 256
_MOST_TITLE = 110
_LANE = 0.86
"""Height of the highest hit, in lanes."""


@dataclass(frozen=True)
class Part:
    """One of the three.

    Attributes
    ----------
    title : str
        What it is.
    pattern : Pattern
        What is played, at the tempo it is played.
    audio : ndarray of float32, shape (samples,), or None
        One turn, mono; None for a rhythm that is written down.
    sample_rate : int
        Of the audio, in Hz.
    activations : ndarray of float32, shape (frames, 3), or None
        Of `loopnet_cli.analysis.transcription.ACTIVATIONS`, where it was heard.
    """

    title: str
    pattern: Pattern
    audio: NDArray[np.float32] | None = None
    sample_rate: int = 44100
    activations: NDArray[np.float32] | None = None

    @property
    def seconds(self) -> float:
        """Length of a turn."""
        return 60.0 / self.pattern.tempo * self.pattern.beats


def plot_transfer(parts: Sequence[Part]) -> bytes:
    """Draw the parts from top to bottom and return the picture as the bytes of a PNG file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    heights: list[float] = []
    for part in parts:
        heights += [1.0] if part.audio is None else [1.0, 0.8, 1.7]
    figure = Figure(figsize=(12, 1.7 * sum(heights) + 1.2), dpi=110, layout="constrained")
    rows = iter(figure.add_gridspec(len(heights), 1, height_ratios=heights))
    for part in parts:
        _draw_part(figure, rows, part)
    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _draw_part(figure: Any, rows: Any, part: Part) -> None:
    lanes = figure.add_subplot(next(rows))
    lanes.set_title(_short(part.title), loc="left", fontsize=11, fontweight="bold", parse_math=False)
    _draw_lanes(lanes, part)
    panels = [lanes]
    if part.audio is not None:
        wave = figure.add_subplot(next(rows), sharex=lanes)
        spectrum = figure.add_subplot(next(rows), sharex=lanes)
        draw_wave(wave, part.audio, part.seconds)
        image = draw_spectrogram(spectrum, log_spectrogram(part.audio, part.sample_rate), part.seconds)
        figure.colorbar(image, ax=spectrum, pad=0.01, label="dB below the loudest")
        panels += [wave, spectrum]
    for panel in panels:
        panel.tick_params(labelbottom=panel is panels[-1])
    lanes.set_xlim(0, part.seconds)
    panels[-1].set_xlabel(f"time (s); thick lines are bars, thin ones 1/{part.pattern.meter[1]} notes")


def _draw_lanes(panel: Any, part: Part) -> None:
    """Draw hits as bars in a lane for each stem, over the activations they were picked from."""
    import numpy as np

    bottoms = {stem: len(STEMS) - 1 - index for index, stem in enumerate(STEMS)}
    if part.activations is not None:
        times = np.arange(len(part.activations)) / FRAME_RATE
        for column, name in enumerate(ACTIVATIONS):
            curve = bottoms[name] + _LANE * part.activations[:, column]
            panel.fill_between(times, bottoms[name], curve, color=STEM_COLOURS[name], alpha=0.28, linewidth=0)
    width = part.seconds / 320
    for hit in part.pattern.hits:
        stem = STEM_OF_VOICE[hit.voice]
        left = hit.beat * 60.0 / part.pattern.tempo
        panel.bar(left, _LANE * hit.velocity, width, bottoms[stem], align="edge", color=STEM_COLOURS[stem], linewidth=0)
    _draw_grid(panel, part)
    panel.set_yticks([bottom + 0.43 for bottom in bottoms.values()], list(bottoms))
    panel.tick_params(axis="y", length=0)
    panel.set_ylim(0, len(STEMS))
    heard = "hits (velocity 0 to 1)"
    panel.set_ylabel(heard if part.activations is None else f"{heard},\nactivations", fontsize=9)


def _draw_grid(panel: Any, part: Part) -> None:
    pattern = part.pattern
    for row in range(1, len(STEMS)):
        panel.axhline(row, color="#d1d5db", linewidth=0.6, zorder=0)
    units = round(pattern.beats * pattern.meter[1] / 4)
    step = part.seconds / units
    if units > _MOST_LINES:
        return
    for unit in range(units + 1):
        strong = unit % pattern.meter[0] == 0
        panel.axvline(unit * step, color="#6b7280", linewidth=1.0 if strong else 0.3, zorder=0)


def _short(title: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in title)
    return shown if len(shown) <= _MOST_TITLE else shown[: _MOST_TITLE - 3] + "..."
