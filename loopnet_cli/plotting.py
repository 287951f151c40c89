"""A picture of a loop: waveform, spectrogram, pattern, and knobs asked against knobs measured."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from loopnet_cli.controls import ATTRIBUTES, BANDS, Loop
from loopnet_cli.pattern.model import STEM_OF_VOICE, VOICES, Pattern

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOW_HZ, HIGH_HZ = 20.0, 20_000.0
FLOOR_DB = -90.0
"""What the spectrogram shows below its loudest point."""

STEM_COLOURS = {"kick": "#c2410c", "snare": "#0f766e", "hat": "#7c3aed", "rest": "#525252"}
_FOUND = "#1d4ed8"
_MAX_COLUMNS = 1600
_ROWS = 240


def plot_loop(
    loop: Loop,
    pattern: Pattern,
    *,
    asked: Mapping[str, float],
    measured: Mapping[str, float] | None,
    given: Collection[str] = (),
) -> bytes:
    """Draw a loop and return the picture as the bytes of a PNG file.

    Parameters
    ----------
    loop : Loop
        Mono; the pattern once or several times in a row.
    pattern : Pattern
        What it plays.
    asked, measured : Mapping from feature name to float
        The 21 timbre features, 0..1; None if they were not measured.
    given : collection of str
        The features that the user set; the others are the kit's.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # a figure of our own: pyplot would keep state and look for a screen
    figure = Figure(figsize=(12, 10.5), dpi=110, layout="constrained")
    grid = figure.add_gridspec(4, 3, height_ratios=(1.1, 2.2, 1.7, 2.0))
    wave = figure.add_subplot(grid[0, :])
    spectrum = figure.add_subplot(grid[1, :], sharex=wave)
    rhythm = figure.add_subplot(grid[2, :], sharex=wave)

    seconds = loop.audio.shape[0] / loop.sample_rate
    kit = loop.settings.get("kit", "")
    figure.suptitle(
        f"{loop.tempo:g} BPM, {loop.meter[0]}/{loop.meter[1]}, {loop.bars} bar{'s' * (loop.bars != 1)}, "
        f"{seconds:.3f} s, kit {kit}, seed {loop.seed}",
        fontsize=12,
    )
    draw_wave(wave, loop.audio, seconds)
    image = draw_spectrogram(spectrum, log_spectrogram(loop.audio, loop.sample_rate), seconds)
    figure.colorbar(image, ax=spectrum, pad=0.01, label="level (dB below the loudest)")
    _draw_pattern(rhythm, loop, pattern, seconds)
    wave.set_xlim(0, seconds)
    for panel in (wave, spectrum):
        panel.tick_params(labelbottom=False)
    for column, band in enumerate(BANDS):
        _draw_knobs(figure.add_subplot(grid[3, column]), band, asked, measured, given)
    handles, labels = figure.axes[-1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})  # type: ignore[no-untyped-call]
    return stream.getvalue()


def log_spectrogram(audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float64]:
    """Return levels on a grid of time and log frequency, `LOW_HZ` to `HIGH_HZ`, circular in time.

    Two resolutions go over into each other from 250 to 1000 Hz: long windows
    below, where pitch matters, short ones above, where hits must not smear.

    Returns
    -------
    ndarray, shape (`_ROWS`, columns)
        dB below the loudest point, `FLOOR_DB` at least, low frequencies first.
    """
    import numpy as np

    frequencies = np.geomspace(LOW_HZ, HIGH_HZ, _ROWS)
    columns = int(min(_MAX_COLUMNS, max(64, audio.shape[0] // 256)))
    centres = (np.arange(columns) + 0.5) * audio.shape[0] / columns
    short = np.clip(np.log2(frequencies / 250) / 2, 0, 1)
    level = np.zeros((_ROWS, columns))
    for seconds, share in ((0.08, 1 - short), (0.012, short)):
        size = int(2 ** np.ceil(np.log2(seconds * sample_rate)))
        window = np.hanning(size)
        at = (centres[:, None].astype(np.int64) + np.arange(-size // 2, size // 2)) % audio.shape[0]
        lines = np.abs(np.fft.rfft(audio[at] * window) / window.sum()) ** 2
        bins = np.fft.rfftfreq(size, 1 / sample_rate)
        for row in np.flatnonzero(share):
            found = np.maximum(_at(lines, bins, float(frequencies[row])), 1e-20)
            level[row] += share[row] * 10 * np.log10(found)
    below: NDArray[np.float64] = np.maximum(level - level.max(), FLOOR_DB)
    return below


def _at(lines: NDArray[np.float64], bins: NDArray[np.floating], frequency: float) -> NDArray[np.float64] | float:
    """Interpolate a spectrum of shape (times, bins) at a frequency; nothing lies above its last bin."""
    if frequency > bins[-1]:
        return 0.0
    place = frequency / bins[1]
    low = min(int(place), bins.shape[0] - 2)
    share = place - low
    between: NDArray[np.float64] = (1 - share) * lines[:, low] + share * lines[:, low + 1]
    return between


def draw_wave(panel: Any, audio: NDArray[np.float32], seconds: float) -> None:
    """Draw a waveform of shape (samples,) that lasts so many seconds; its height is full scale at least."""
    import numpy as np

    columns = min(_MAX_COLUMNS, audio.shape[0])
    edges = np.arange(columns) * audio.shape[0] // columns
    times = (np.arange(columns) + 0.5) * seconds / columns
    low, high = np.minimum.reduceat(audio, edges), np.maximum.reduceat(audio, edges)
    panel.fill_between(times, low, high, color="#1f2937", linewidth=0.4, step="mid")
    limit = max(1.0, 1.05 * float(np.abs(audio).max()))
    panel.set_ylim(-limit, limit)
    panel.axhline(0, color="#9ca3af", linewidth=0.5)
    panel.set_ylabel("amplitude\n(1 = full scale)")


def draw_spectrogram(panel: Any, level: NDArray[np.float64], seconds: float) -> Any:
    """Draw what `log_spectrogram` returned and return the image, for a colour bar."""
    import numpy as np

    times = np.linspace(0, seconds, level.shape[1] + 1)
    half = (HIGH_HZ / LOW_HZ) ** (0.5 / (_ROWS - 1))
    edges = np.geomspace(LOW_HZ / half, HIGH_HZ * half, _ROWS + 1)
    image = panel.pcolormesh(times, edges, level, cmap="magma", vmin=FLOOR_DB, vmax=0, rasterized=True)
    panel.set_yscale("log")
    panel.set_ylim(LOW_HZ, HIGH_HZ)
    ticks = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)
    panel.set_yticks(ticks, [f"{tick // 1000} k" if tick >= 1000 else str(tick) for tick in ticks])
    panel.minorticks_off()
    panel.set_ylabel("frequency (Hz)")
    return image


def _draw_pattern(panel: Any, loop: Loop, pattern: Pattern, seconds: float) -> None:
    voices = pattern.voices or VOICES[:1]
    rows = {voice: len(voices) - 1 - index for index, voice in enumerate(voices)}
    repeats = max(1, loop.bars // pattern.bars)
    beat = 60.0 / loop.tempo
    width = min(0.22 * beat, seconds / 60)
    for turn in range(repeats):
        for hit in pattern.hits:
            left = (turn * pattern.beats + hit.beat) * beat
            colour = STEM_COLOURS[STEM_OF_VOICE[hit.voice]]
            # velocity as height: it can be read off, unlike a shade
            panel.bar(left, 0.85 * hit.velocity, width, rows[hit.voice] - 0.42, align="edge", color=colour, linewidth=0)
    bar = pattern.beats_per_bar
    step = 4 / pattern.meter[1]
    units = round(loop.bars * bar / step)
    if units <= 256:
        for unit in range(units + 1):
            strong = unit % pattern.meter[0] == 0
            panel.axvline(unit * step * beat, color="#6b7280", linewidth=1.0 if strong else 0.3, zorder=0)
    for row in range(len(voices) + 1):
        panel.axhline(row - 0.5, color="#d1d5db", linewidth=0.6, zorder=0)
    panel.set_yticks(list(rows.values()), [voice.replace("_", " ") for voice in rows])
    panel.set_ylim(-0.5, len(voices) - 0.5)
    panel.set_ylabel("pattern\n(height = velocity)")
    panel.set_xlabel("time (s); thick lines are bars, thin ones " + f"1/{pattern.meter[1]} notes")


def _draw_knobs(
    panel: Any,
    band: str,
    asked: Mapping[str, float],
    measured: Mapping[str, float] | None,
    given: Collection[str],
) -> None:
    rows = range(len(ATTRIBUTES) - 1, -1, -1)
    names = [f"{band}.{attribute}" for attribute in ATTRIBUTES]
    for row, name in zip(rows, names, strict=True):
        if measured is not None:
            panel.plot([asked[name], measured[name]], [row, row], color=_FOUND, linewidth=1.2, alpha=0.5)
    for is_given, label in ((True, "asked"), (False, "the kit's own")):
        chosen = [(asked[n], row) for n, row in zip(names, rows, strict=True) if (n in given) == is_given]
        face = "#111827" if is_given else "white"
        panel.scatter(
            [x for x, _ in chosen], [y for _, y in chosen], s=44, facecolors=face, edgecolors="#111827",
            label=label, zorder=3,
        )  # fmt: skip
    if measured is not None:
        panel.scatter(
            [measured[n] for n in names], list(rows), s=60, marker="|", linewidths=3, color=_FOUND, label="measured",
            zorder=4,
        )  # fmt: skip
    values = [*asked.values(), *(measured or {}).values(), 0.0, 1.0]
    panel.set_xlim(min(values) - 0.06, max(values) + 0.06)
    panel.set_yticks(list(rows), ATTRIBUTES)
    panel.set_ylim(-0.6, len(ATTRIBUTES) - 0.4)
    panel.grid(axis="x", color="#e5e7eb")
    for edge in (0, 1):
        panel.axvline(edge, color="#9ca3af", linewidth=0.8, zorder=0)
    panel.set_title(f"{band} band", fontsize=10)
    panel.set_xlabel("knob (0 to 1)" if measured is not None else "knob (0 to 1; not measured)")
