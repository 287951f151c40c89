"""What ``loopnet dataset`` says of data sets: tables for people."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from loopnet_cli.cli.analysis_report import PIPE_WIDTH
from loopnet_cli.cli.console import one_line

if TYPE_CHECKING:
    from loopnet_cli.data.making import Summary

Line = tuple[str, str]


def summary_lines(summary: Summary) -> list[Line]:
    """Return what came of making a data set, as lines of a label and a text each."""
    kept, bars = sum(summary.loops.values()), sum(summary.bars.values())
    lines = [
        ("loops kept", _split(summary.loops)),
        ("bars", _split(summary.bars)),
    ]
    if summary.tempo_from:
        lines.append(("tempo from", _counts(summary.tempo_from)))
    lines.append(("left out", str(len(summary.rejected))))
    lines += [(f"  {reason}", str(count)) for reason, count in summary.reasons.most_common()]
    if summary.seconds:
        each = f"{summary.seconds / max(1, kept + len(summary.rejected)):.2f} s a file" if kept != bars else ""
        each = each or f"{summary.seconds / max(1, bars):.2f} s a bar"
        lines.append(
            ("time", f"{summary.seconds:.1f} s of processor time, {each}, the longest task {summary.slowest:.1f} s")
        )
    if summary.resumed:
        lines.append(("resumed", f"{summary.resumed} tasks had been done before"))
    return lines


def summary_plain(summary: Summary) -> dict[str, Any]:
    """Return what came of making a data set as plain values."""
    return {
        "loops": {split: summary.loops[split] for split in ("train", "test")},
        "bars": {split: summary.bars[split] for split in ("train", "test")},
        "tempo_from": dict(sorted(summary.tempo_from.items())),
        "reasons": dict(summary.reasons.most_common()),
        "rejected": [{"source": r.source, "reason": r.reason, "detail": r.detail} for r in summary.rejected],
        "seconds": round(summary.seconds, 3),
    }


def inspect_lines(found: Mapping[str, Any]) -> list[Line]:
    """Return what is in a data set, as lines of a label and a text each."""
    settings = ", ".join(f"{name} {value}" for name, value in sorted(found["settings"].items()) if value != "")
    lines = [
        ("file", f"{found['file']}, {found['bytes'] / 1e6:.1f} MB, version {found['version']}"),
        ("made with", settings),
        ("bars", _split(found["bars"])),
        ("loops", _split(found["loops"])),
        ("audio", "16 kHz and 44.1 kHz" if found["audio_44100"] else "16 kHz"),
        ("tempo from", _counts(found["tempo_from"])),
    ]
    for name, unit in (("tempo", " BPM"), ("confidence", "")):
        if found[name]:
            low, middle, high = found[name]
            lines.append((name, f"{low:.6g} to {high:.6g}{unit}, median {middle:.6g}"))
    drums = (f"{name} {told['silent_bars']}" for name, told in found["activations"].items())
    lines.append(("bars without", ", ".join(drums)))
    lines.append(("constant", ", ".join(found["constant"]) or "no column of chroma and timbre"))
    lines.append(("left out", str(len(found["rejected"]))))
    lines += [(f"  {reason}", str(count)) for reason, count in found["reasons"].items()]
    return lines


def inspect_columns(found: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the percentiles of each column of chroma and timbre, as cells."""
    return [
        (f"{name}.{column}", *(f"{value:.2f}" for value in values))
        for name in ("chroma", "timbre")
        for column, values in found[name].items()
    ]


def show(lines: Sequence[Line], stream: IO[str], *, columns: Sequence[tuple[str, ...]] = ()) -> None:
    """Print lines, and a table of percentiles below: in colour on a terminal, as aligned text elsewhere."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, text in lines:
        indent = label[: len(label) - len(label.lstrip())]
        facts.add_row(Text(indent + one_line(label)), Text(one_line(text)))
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, name in enumerate(("percentiles", "5 %", "50 %", "95 %")):
        table.add_column(name, justify="right" if number else "left", style=None if number else "dim")
    for row in columns:
        table.add_row(*row)
    parts = [facts, "", table] if columns else [facts]
    if stream.isatty():
        Console(file=stream, highlight=False).print(*parts, sep="\n")
        return
    page = io.StringIO()
    Console(file=page, highlight=False, no_color=True, width=PIPE_WIDTH).print(*parts, sep="\n")
    print("\n".join(line.rstrip() for line in page.getvalue().splitlines()), file=stream, flush=True)


def _split(counts: Mapping[str, int]) -> str:
    train, test = counts.get("train", 0), counts.get("test", 0)
    return f"{train + test}: {train} train, {test} test"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "-"
