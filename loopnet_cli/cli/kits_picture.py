"""What a kit sounds like, to be seen: lines of numbers, bars on a terminal, a picture."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from loopnet_cli.controls import ATTRIBUTES, BANDS, PITCH_CLASSES, Kit
from loopnet_cli.errors import AudioError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

BAR = 14
_COLOURS = {"low": "magenta", "mid": "cyan", "high": "yellow"}
_FACES = {"low": "#7c3aed", "mid": "#0891b2", "high": "#d97706"}


def lines(kit: Kit) -> list[str]:
    """Return a kit as plain lines."""
    told = [f"{kit.name}: {kit.description}", "", " " * 6 + "".join(f"{attribute:>12}" for attribute in ATTRIBUTES)]
    for band in BANDS:
        values = "".join(f"{kit.timbre[f'{band}.{attribute}']:>12.2f}" for attribute in ATTRIBUTES)
        told.append(f"{band:<6}{values}")
    told += ["", "chroma  " + "  ".join(f"{n} {v:.2f}" for n, v in zip(PITCH_CLASSES, kit.chroma, strict=True))]
    told.append("levels  " + "  ".join(f"{voice} {level:.2f}" for voice, level in kit.levels.items()))
    if kit.shift:
        told.append("turned  " + "  ".join(f"{name} {value:+.2f}" for name, value in kit.shift.items()))
    return told


def draw(kit: Kit, console: Console | None = None) -> None:
    """Draw a kit on a terminal: a bar for each attribute and band, for each pitch class and for each level."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = console or Console(highlight=False)
    full, empty = ("█", "░") if (console.encoding or "").lower().startswith("utf") else ("#", ".")

    def bar(value: float, colour: str) -> Text:
        filled = round(min(1.0, max(0.0, value)) * BAR)
        text = Text(full * filled, style=colour)
        return text.append(empty * (BAR - filled), style="dim").append(f" {value:5.2f}")

    console.print(Text(kit.name, style="bold").append(f"  {kit.description}", style="not bold"))
    knobs = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    knobs.add_column("")
    for band in BANDS:
        knobs.add_column(band, no_wrap=True)
    for attribute in ATTRIBUTES:
        knobs.add_row(attribute, *(bar(kit.timbre[f"{band}.{attribute}"], _COLOURS[band]) for band in BANDS))
    console.print(knobs)
    rest = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("", "chroma", "", "levels"):
        rest.add_column(title, no_wrap=True)
    levels = [(voice.replace("_", " "), bar(level, "green")) for voice, level in kit.levels.items()]
    levels += [("", Text())] * (len(PITCH_CLASSES) - len(levels))
    for note, value, (voice, level) in zip(PITCH_CLASSES, kit.chroma, levels, strict=True):
        rest.add_row(note, bar(value, "blue"), voice, level)
    console.print(rest)
    if kit.shift:
        turned = "  ".join(f"{name} {value:+.2f}" for name, value in kit.shift.items())
        console.print(Text(f"turned: {turned}", style="dim"))


def write(kit: Kit, path: Path, overwrite: bool) -> None:
    """Draw a kit as a PNG file.

    Raises
    ------
    UsageError
        If the file is called otherwise.
    AudioError
        If it exists and `overwrite` is not set, or cannot be written.
    """
    from loopnet_cli.audio.files import write_whole

    if path.suffix.lower() != ".png":
        raise UsageError(f"--plot {path}: the picture is a PNG, call it .png")
    if path.exists() and not overwrite:
        raise AudioError(f"{path} exists: use --overwrite")
    write_whole(path, picture(kit))


def picture(kit: Kit) -> bytes:
    """Return a kit drawn as a PNG: its knobs band by band, its chroma, its levels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 6, height_ratios=(7, 6))
    for place, band in enumerate(BANDS):
        panel = figure.add_subplot(grid[0, 2 * place : 2 * place + 2])
        values = [kit.timbre[f"{band}.{attribute}"] for attribute in ATTRIBUTES]
        panel.barh(ATTRIBUTES, values, color=_FACES[band])
        panel.invert_yaxis()
        panel.set_xlim(min(0.0, *values), max(1.0, *values))
        panel.set_title(f"{band} band")
        if place:
            panel.set_yticklabels([])
        else:
            panel.set_xlabel("knob")
    chroma = figure.add_subplot(grid[1, :3])
    chroma.bar(PITCH_CLASSES, kit.chroma, color="#2563eb")
    chroma.set(title="chroma", ylim=(0, 1))
    levels = figure.add_subplot(grid[1, 3:])
    voices = [voice.replace("_", " ") for voice in kit.levels]
    levels.bar(voices, list(kit.levels.values()), color="#16a34a")
    levels.set(title="levels (peak at full velocity)", ylim=(0, max(1.0, *kit.levels.values())))
    levels.tick_params(axis="x", rotation=40)
    # names come from files: nothing in them is mathematics
    figure.suptitle(f"{kit.name}: {kit.description}"[:110], parse_math=False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    return stream.getvalue()
