"""The results as a JSON store and as readable tables. Sections are replaced one by one; others stay."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.statistics import Estimate

JSON_NAME, MARKDOWN_NAME = "results.json", "RESULTS.md"
PICTURES = "img"
CAPTIONS = {
    "img/knobs.png": "The knobs: asked against measured, one feature at a time",
    **{
        f"img/original_{number}.png": f"Held-out original {number} above the model's version of it"
        for number in (1, 2, 3)
    },
    "img/paper_table_1.png": "The paper's Table 1: Fréchet distances",
    "img/paper_table_2.png": "The paper's Table 2: coherence",
}
"""What each picture shows, in the order of the page."""


@dataclass(frozen=True)
class Cell:
    """A number of a table: how to print it, and its interval if it has one."""

    value: float
    low: float | None = None
    high: float | None = None
    count: int | None = None
    form: str = ".2f"

    @staticmethod
    def of(estimate: Estimate, form: str = ".2f", scale: float = 1.0) -> Cell:
        """Make a cell from an estimate, in other units if `scale` is not 1."""
        value, low, high = (scale * number for number in estimate[:3])
        return Cell(value, min(low, high), max(low, high), estimate.loops, form)


@dataclass(frozen=True)
class Table:
    """A table: a caption, names of columns, rows of text and cells."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]


@dataclass(frozen=True)
class Check:
    """A requirement, what was measured against it, and whether the point estimate meets it."""

    requirement: str
    measured: Cell
    met: bool


@dataclass(frozen=True)
class Section:
    """What a section of the evaluation found.

    Attributes
    ----------
    title : str
    method : str
        How it was measured, in Markdown.
    tables : sequence of Table
    checks : sequence of Check
        In the order of the requirements.
    figures : Mapping
        Further plain values for the JSON store.
    """

    title: str
    method: str
    tables: Sequence[Table]
    checks: Sequence[Check] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


def read_store(folder: Path) -> dict[str, Any]:
    """Read the results so far; empty if there are none.

    Raises
    ------
    LoopnetError
        If the file is damaged.
    """
    path = folder / JSON_NAME
    if not path.exists():
        return {}
    try:
        store = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise LoopnetError(f"{path}: not readable as results ({error}): remove it to start anew") from error
    return store if isinstance(store, dict) else {}


def write_section(folder: Path, name: str, section: Section, run: Mapping[str, object], order: Sequence[str]) -> None:
    """Put one section into the store and render the page again.

    Parameters
    ----------
    folder : Path
        Where both files lie.
    name : str
        The section's key.
    section : Section
    run : Mapping
        How it was made: command, loops, seed, machine, versions.
    order : sequence of str
        Keys in the order of the page.
    """
    store = read_store(folder)
    store[name] = {**plain(asdict(section)), "run": dict(run)}
    store = {key: store[key] for key in [*order, *sorted(store.keys() - set(order))] if key in store}
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / JSON_NAME, json.dumps(store, indent=1) + "\n")
    write_page(folder)


def write_page(folder: Path) -> None:
    """Render the page from the store and the pictures that lie beside it."""
    pictures = {path.relative_to(folder).as_posix() for path in (folder / PICTURES).glob("*.png")}
    _replace(folder / MARKDOWN_NAME, render(read_store(folder), pictures))


def plain(value: Any) -> Any:
    """Turn numbers that JSON lacks (NaN, infinities) into null, numpy's into Python's, throughout."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def render(store: Mapping[str, Any], pictures: Collection[str] = ()) -> str:
    """Return the page as Markdown; `pictures` are paths of those that exist, relative to the page."""
    lines = [
        "# Results",
        "",
        "Written by `make evaluate` and `loopnet evaluate tables`; every figure is measured on held-out material",
        "(kits, grooves and tonal instruments that nothing was trained on). Brackets hold 95 % bootstrap intervals",
        "over loops (Wilson intervals for shares). A requirement is met if the point estimate meets it; where the",
        "interval reaches across the line, that is for the reader to weigh.",
        "",
        "## Requirements",
        "",
        "| requirement | measured | N | met |",
        "|---|---|---|---|",
    ]
    for section in store.values():
        for check in section["checks"]:
            count = check["measured"]["count"]
            verdict = "yes" if check["met"] else "**no**"
            lines.append(f"| {check['requirement']} | {_text(check['measured'])} | {count or ''} | {verdict} |")
    for section in store.values():
        lines += ["", f"## {section['title']}", "", section["method"].strip()]
        lines += _table_lines(section["tables"])
        run = section["run"]
        lines += ["", f"<sub>`{run['command']}`. {run['summary']}</sub>"]
    shown = [(path, caption) for path, caption in CAPTIONS.items() if path in pictures]
    if shown:
        lines += ["", "## Pictures"]
    for path, caption in shown:
        lines += ["", f"![{caption}]({path})", "", caption]
    return "\n".join(lines) + "\n"


def tables_as_text(section: Section) -> str:
    """Return the tables of one section as Markdown."""
    return "\n".join(_table_lines(plain(asdict(section))["tables"])).strip()


def _table_lines(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = []
    for table in tables:
        lines += ["", f"**{table['caption']}**", "", f"| {' | '.join(table['columns'])} |"]
        lines.append("|" + "---|" * len(table["columns"]))
        lines += [f"| {' | '.join(_text(cell) for cell in row)} |" for row in table["rows"]]
    return lines


def _text(cell: str | Mapping[str, Any]) -> str:
    if isinstance(cell, str):
        return cell
    if cell["value"] is None:
        return "not measured"
    text = format(cell["value"], cell["form"])
    if cell["low"] is None or cell["high"] is None:
        return text
    return f"{text} [{format(cell['low'], cell['form'])}, {format(cell['high'], cell['form'])}]"


def _replace(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)
