"""A picture of what was heard: the paper's Figure 1 (waveform, activations, envelope), then chroma and timbre."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from loopnet_cli.analysis.transcription import ACTIVATIONS, FRAME_RATE
from loopnet_cli.controls import ATTRIBUTES, BANDS, PITCH_CLASSES
from loopnet_cli.pattern.model import STEM_OF_VOICE, Pattern

if TYPE_CHECKING:
    from loopnet_cli.analysis.hearing import Heard

COLOURS = {"kick": "#c2410c", "snare": "#0f766e", "hat": "#7c3aed", "rest": "#525252"}
_INK, _PALE, _BLUE = "#1f2937", "#9ca3af", "#1d4ed8"
_MAX_COLUMNS = 1600
_MOST_BAR_LINES = 256


def plot_heard(heard: Heard, pattern: Pattern) -> bytes:
    """Draw what was heard and return the picture as the bytes of a PNG file.

    Parameters
    ----------
    heard : Heard
        What was heard.
    pattern : Pattern
        Its hits as they were written: as played, or quantized.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    section = heard.section
    figure = Figure(figsize=(12, 12.5), dpi=110, layout="constrained")
    grid = figure.add_gridspec(7, 2, height_ratios=(1.7, 0.9, 0.9, 0.9, 1.2, 0.2, 2.6), width_ratios=(1, 1.25))
    wave = figure.add_subplot(grid[0, :])
    curves = [figure.add_subplot(grid[row, :], sharex=wave) for row in range(1, 5)]
    bars = "1 bar" if section.bars == 1 else f"{section.bars} bars"
    figure.suptitle(
        f"{_short(heard.name)}: {section.tempo:.2f} BPM, {bars} of {section.meter[0]}/{section.meter[1]}, "
        f"{section.start:.3f} s to {section.end:.3f} s" + (", a loop" if section.is_loop else ""),
        fontsize=12, parse_math=False,
    )  # fmt: skip
    seconds = section.end - section.start
    _draw_wave(wave, heard, pattern, seconds)
    for panel, name in zip(curves, ACTIVATIONS, strict=False):
        _draw_activation(panel, heard, name, seconds)
    _draw_envelope(curves[-1], heard, seconds)
    for panel in (wave, *curves):
        _draw_bars(panel, heard)
        panel.set_xlim(0, seconds)
        panel.tick_params(labelbottom=panel is curves[-1])
    curves[-1].set_xlabel("time from the start of the section (s); thick lines are bars, thin ones beats")
    _draw_chroma(figure.add_subplot(grid[6, 0]), heard)
    _draw_timbre(figure, figure.add_subplot(grid[6, 1]), heard)
    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()


def _short(name: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return shown if len(shown) <= 60 else "..." + shown[-57:]


def _draw_wave(panel: Any, heard: Heard, pattern: Pattern, seconds: float) -> None:
    import numpy as np

    audio = heard.audio
    columns = min(_MAX_COLUMNS, len(audio))
    edges = np.arange(columns) * len(audio) // columns
    times = (np.arange(columns) + 0.5) * seconds / columns
    low, high = np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)
    panel.fill_between(times, low, high, color=_INK, linewidth=0.4, step="mid")
    limit = 1.02 * max(float(np.abs(audio).max()), 1e-6)
    # a row for the marks above the waveform
    rows = {"kick": 1.12, "snare": 1.27, "hat": 1.42, "rest": 1.57}
    for stem, height in rows.items():
        hits = [hit for hit in pattern.hits if STEM_OF_VOICE[hit.voice] == stem]
        if hits:
            panel.scatter(
                [hit.beat * 60 / pattern.tempo for hit in hits], [height * limit] * len(hits),
                s=[8 + 40 * hit.velocity for hit in hits], marker="v", color=COLOURS[stem], linewidths=0, label=stem,
                clip_on=False, zorder=3,
            )  # fmt: skip
    panel.set_ylim(-limit, 1.7 * limit)
    panel.axhline(0, color=_PALE, linewidth=0.5)
    panel.set_ylabel("amplitude\n(1 = full scale)")
    panel.set_title("hits above the wave: size is velocity", loc="left", fontsize=8)
    if pattern.hits:
        panel.legend(loc="lower right", ncols=4, fontsize=8, frameon=False, bbox_to_anchor=(1.0, 0.99))


def _draw_activation(panel: Any, heard: Heard, name: str, seconds: float) -> None:
    import numpy as np

    curve = heard.transcription.activation(name)
    times = np.minimum(np.arange(len(curve)) / FRAME_RATE, seconds)
    panel.fill_between(times, curve, color=COLOURS[name], alpha=0.25, linewidth=0)
    panel.plot(times, curve, color=COLOURS[name], linewidth=1.0)
    for hit in heard.transcription.hits:
        if hit.group == name:
            panel.plot([hit.seconds], [hit.confidence], marker="v", markersize=5, color=COLOURS[name], zorder=3)
    panel.set_ylim(0, 1.12)
    panel.set_ylabel(f"{name}\n(0 to 1)")


def _draw_envelope(panel: Any, heard: Heard, seconds: float) -> None:
    import numpy as np

    times = np.arange(len(heard.envelope)) * seconds / len(heard.envelope)
    panel.fill_between(times, heard.envelope, color=_BLUE, alpha=0.2, linewidth=0)
    panel.plot(times, heard.envelope, color=_BLUE, linewidth=1.0)
    panel.set_ylim(0, 1.08 * max(float(heard.envelope.max()), 1e-6))
    panel.set_ylabel("envelope\n(1 = full scale)")


def _draw_bars(panel: Any, heard: Heard) -> None:
    section = heard.section
    step = 60.0 / section.tempo * 4 / section.meter[1]
    units = round((section.end - section.start) / step)
    if units > 4 * _MOST_BAR_LINES:
        return
    for unit in range(units + 1):
        strong = unit % section.meter[0] == 0
        if strong or units <= _MOST_BAR_LINES:
            panel.axvline(unit * step, color="#6b7280", linewidth=1.1 if strong else 0.3, zorder=0)


def _draw_chroma(panel: Any, heard: Heard) -> None:
    panel.bar(range(12), heard.chroma, color=_BLUE, width=0.75)
    panel.set_xticks(range(12), PITCH_CLASSES)
    panel.set_ylim(0, 1)
    panel.set_ylabel("strength (0 to 1)")
    panel.set_xlabel("pitch class")
    panel.set_title("chroma", fontsize=10)
    panel.grid(axis="y", color="#e5e7eb")
    panel.set_axisbelow(True)


def _draw_timbre(figure: Any, panel: Any, heard: Heard) -> None:
    import numpy as np

    values = np.array([[heard.timbre[f"{band}.{attribute}"] for attribute in ATTRIBUTES] for band in BANDS])
    image = panel.imshow(values, cmap="viridis", vmin=0, vmax=1, aspect="auto")
    panel.set_xticks(range(len(ATTRIBUTES)), ATTRIBUTES, rotation=30, ha="right", rotation_mode="anchor")
    panel.set_yticks(range(len(BANDS)), BANDS)
    for row, band in enumerate(BANDS):
        for column, attribute in enumerate(ATTRIBUTES):
            value = values[row, column]
            points = heard.timbre_points[f"{band}.{attribute}"]
            panel.text(
                column, row, f"{value:.2f}\n({points:.0f})", ha="center", va="center", fontsize=9,
                color="black" if value > 0.6 else "white",
            )  # fmt: skip
    panel.set_title("timbre: knob 0 to 1, AudioCommons points in brackets", fontsize=10)
    figure.colorbar(image, ax=panel, pad=0.01, label="knob (0 to 1)")
