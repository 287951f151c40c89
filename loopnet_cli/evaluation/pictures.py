"""Pictures of the results: originals above the model's versions, and the sweep of the knobs."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.controls import ATTRIBUTES, BANDS
from loopnet_cli.data.renderer import SAMPLE_RATE
from loopnet_cli.evaluation.bench import Bench
from loopnet_cli.evaluation.distances import matched
from loopnet_cli.evaluation.report import PICTURES, read_store, write_page
from loopnet_cli.plotting import FLOOR_DB, HIGH_HZ, LOW_HZ, log_spectrogram

ORIGINALS = 3
_COLOURS = ("#c2410c", "#0f766e", "#7c3aed", "#1d4ed8", "#a16207", "#be185d", "#525252")


def draw_all(data: Path, weights: Path | None, seed: int, out: Path) -> None:
    """Draw every picture into ``img`` of the results folder; the knobs only once coherence was measured."""
    folder = out / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(data, weights, seed)
    for number in range(ORIGINALS):
        case = bench.case(number)
        loop = bench.resynthesis(case)
        kits = sorted({drum.instrument.kit for drum in case.bar.drums.values()})
        title = f"{case.bar.pattern.tempo:.0f} BPM, drums of {', '.join(kits)}"
        picture = draw_pair(case.bar.audio, matched(loop.audio, case.bar.audio).astype(np.float32), title)
        (folder / f"original_{number + 1}.png").write_bytes(picture)
    sweep = read_store(out).get("coherence", {}).get("figures", {}).get("sweep")
    if sweep:
        (folder / "knobs.png").write_bytes(draw_sweep(sweep))
    else:
        print("pictures: no knobs.png, as coherence was not measured yet", file=sys.stderr)
    write_page(out)


def draw_pair(original: NDArray[np.float32], version: NDArray[np.float32], title: str) -> bytes:
    """Draw an original above the model's version, waveform and spectrogram each; return the PNG's bytes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 9), dpi=100, layout="constrained")
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(1, 2, 1, 2))
    figure.suptitle(title, fontsize=11)
    limit = 1.05 * max(float(np.abs(original).max()), float(np.abs(version).max()))
    for row, (name, audio) in enumerate((("original (held-out drums)", original), ("model", version))):
        seconds = len(audio) / SAMPLE_RATE
        wave, spectrum = panels[2 * row], panels[2 * row + 1]
        wave.plot(np.arange(len(audio)) / SAMPLE_RATE, audio, color="#1f2937", linewidth=0.4)
        wave.set_ylim(-limit, limit)
        wave.set_title(name, fontsize=10, loc="left")
        level = log_spectrogram(audio, SAMPLE_RATE)
        times = np.linspace(0, seconds, level.shape[1] + 1)
        edges = np.geomspace(LOW_HZ, HIGH_HZ, level.shape[0] + 1)
        spectrum.pcolormesh(times, edges, level, cmap="magma", vmin=FLOOR_DB, vmax=0, rasterized=True)
        spectrum.set_yscale("log")
        spectrum.set_ylabel("frequency (Hz)")
    panels[-1].set_xlabel("time (s); both at the same RMS, colours are dB under each one's loudest point")
    return png_bytes(figure)


def draw_sweep(sweep: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Draw what was measured against what was asked, a panel per band; return the PNG's bytes.

    Parameters
    ----------
    sweep : Mapping from feature name
        ``settings`` asked, and ``quartiles`` of what was measured: 25th, 50th, 75th percentile per setting.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.6), dpi=100, layout="constrained")
    panels = figure.subplots(1, len(BANDS), sharey=True)
    for panel, band in zip(panels, BANDS, strict=True):
        panel.plot([0, 1], [0, 1], color="#9ca3af", linewidth=1, linestyle=":")
        for index, attribute in enumerate(ATTRIBUTES):
            entry = sweep[f"{band}.{attribute}"]
            asked = np.array(entry["settings"]) + 0.012 * (index - 3)  # side by side, or the bars hide each other
            low, middle, high = _quartiles(entry["quartiles"])
            panel.plot(asked, middle, marker="o", markersize=4, color=_COLOURS[index], label=attribute)
            panel.vlines(asked, low, high, color=_COLOURS[index], alpha=0.4)
        panel.set_title(f"{band} band", fontsize=10)
        panel.set_xlabel("asked")
        panel.grid(color="#e5e7eb")
        panel.set_xlim(0.05, 0.95)
    panels[0].set_ylabel("measured: median and quartiles over loops")
    panels[0].legend(fontsize=8)
    return png_bytes(figure)


def _quartiles(rows: Sequence[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    table = np.array(rows, float)
    return table[:, 0], table[:, 1], table[:, 2]


def png_bytes(figure: Any) -> bytes:
    """Return a figure as a PNG that depends on the figure alone."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()
