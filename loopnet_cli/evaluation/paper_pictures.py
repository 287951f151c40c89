"""A picture of each of the paper's tables: dots with their intervals, the numbers beside them."""

from __future__ import annotations

from typing import Any

from loopnet_cli.evaluation.pictures import png_bytes
from loopnet_cli.evaluation.report import Cell, Section, Table

COLOURS = {"low": "#c2410c", "mid": "#0f766e", "high": "#7c3aed", "all": "#1f2937"}
PAPER = "#9ca3af"
LEAST = 0.5
"""Where a distance of 0 stands on a logarithmic axis, as a share of the least above it."""
WIDEST = 44
"""Characters of a row's name."""


def draw(table: str, section: Section) -> bytes | None:
    """Return a PNG of a section, or None where it has no picture.

    Parameters
    ----------
    table : str
        ``1`` or ``2``.
    section : Section
    """
    if table == "1":
        return draw_distances(section.tables[0])
    return draw_coherence(section) if table == "2" else None


def draw_distances(table: Table) -> bytes:
    """Draw Table 1: a panel for each embedding, and one for the paper's own data."""
    from matplotlib.figure import Figure

    rows = list(table.rows)[::-1]
    columns = list(table.columns)[2:]
    figure = Figure(figsize=(3.2 + 3.6 * len(columns), 1.6 + 0.42 * len(rows)), dpi=100, layout="constrained")
    panels = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    for place, (panel, name) in enumerate(zip(panels, columns, strict=True), start=2):
        ours = place < len(table.columns) - 1
        cells = [_number(row[place]) for row in rows]
        above = [cell.value for cell in cells if cell is not None and cell.value > 0] or [1.0]
        least, largest = LEAST * min(above), max(above)
        for height, cell in enumerate(cells):
            if cell is not None:
                _dot(panel, height, cell, least, COLOURS["all"] if ours else PAPER, "o" if ours else "D")
        panel.set_xscale("log")
        panel.set_xlim(least * 0.7, largest * 12)
        panel.set_title(name, fontsize=9)
        panel.grid(axis="x", color="#e5e7eb")
    panels[0].set_yticks(range(len(rows)), [f"{_short(str(row[0]))}  (N {row[1]})" for row in rows], fontsize=9)
    figure.suptitle(f"{table.caption}: lower is nearer; 95 % intervals", fontsize=11)
    return png_bytes(figure)


def draw_coherence(section: Section) -> bytes:
    """Draw Table 2: a panel for each of E1, E2 and E3; for each model its bands, and the paper's own data."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    bands = list(section.tables[0].rows)
    paper = {str(row[0]): row for row in section.tables[1].rows}
    models = list(dict.fromkeys(str(row[0]) for row in bands))[::-1]
    figure = Figure(figsize=(14, 1.9 + 0.8 * len(models)), dpi=100, layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for place, panel in enumerate(panels):
        for height, model in enumerate(models):
            for row in (row for row in bands if row[0] == model):
                band = str(row[1])
                cell = _number(row[3 + place])
                offset = {"low": 0.3, "mid": 0.15, "high": 0.0, "all": -0.15}[band]
                if cell is not None:
                    _dot(panel, height + offset, cell, 0.0, COLOURS[band], "o")
            published = _number(paper[model][5 + place]) if model in paper else None
            if published is not None:
                _dot(panel, height - 0.3, published, 0.0, PAPER, "D")
        panel.axvline(50, color=PAPER, linewidth=1, linestyle=":")
        panel.set_xlim(0, 118)
        panel.set_ylim(-0.55, len(models) - 0.45)
        panel.set_title(f"E{place + 1}, %", fontsize=10)
        panel.grid(axis="x", color="#e5e7eb")
    panels[0].set_yticks(range(len(models)), [_short(name) for name in models], fontsize=9)
    marks = [Line2D([], [], color=colour, marker="o", linestyle="", label=band) for band, colour in COLOURS.items()]
    marks.append(Line2D([], [], color=PAPER, marker="D", linestyle="", label="the paper's data"))
    figure.legend(handles=marks, fontsize=8, loc="outside lower center", ncols=len(marks))
    figure.suptitle(f"{section.tables[0].caption}; 95 % intervals over loops", fontsize=11)
    return png_bytes(figure)


def _dot(panel: Any, height: float, cell: Cell, least: float, colour: str, marker: str) -> None:
    low, high = (max(edge if edge is not None else cell.value, least) for edge in (cell.low, cell.high))
    panel.hlines(height, low, high, color=colour, linewidth=1.5, alpha=0.6)
    panel.plot([max(cell.value, least)], [height], marker=marker, markersize=5, color=colour)
    text = format(cell.value, cell.form)
    panel.annotate(text, (high, height), xytext=(5, -3), textcoords="offset points", fontsize=8, color=colour)


def _number(cell: str | Cell) -> Cell | None:
    """Return a cell that can be drawn: one with a number in it."""
    if isinstance(cell, Cell):
        return cell if cell.value == cell.value else None
    try:
        return Cell(float(cell))
    except ValueError:
        return None


def _short(name: str) -> str:
    return name.partition(" (")[0].partition(",")[0][:WIDEST]
