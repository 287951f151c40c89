"""What ``loopnet analyze`` says of a recording: plain values for ``--json``, a table for people."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from loopnet_cli.cli.console import one_line
from loopnet_cli.controls import ATTRIBUTES, BANDS, PITCH_CLASSES, TIMBRE_NAMES
from loopnet_cli.pattern.model import VOICES, Pattern
from loopnet_cli.version import __version__

if TYPE_CHECKING:
    from loopnet_cli.analysis.hearing import Heard
    from loopnet_cli.analysis.transcription import Transcription

SCHEMA = 1
"""Version of the JSON in docs/ANALYZE.md: raised when a field changes its meaning or goes, not when one is added."""
PIPE_WIDTH = 100
"""Columns of a table that goes into a file or a pipe, whatever the terminal."""


def plain(heard: Heard, pattern: Pattern, outputs: Mapping[str, str | None], *, curves: bool = False) -> dict[str, Any]:
    """Return what was heard as plain values: the schema of docs/ANALYZE.md.

    Parameters
    ----------
    heard : Heard
        What was heard.
    pattern : Pattern
        Its pattern, quantized if that was asked for.
    outputs : Mapping from kind to path
        What was written; None for what was not asked for.
    curves : bool
        Whether to include activations and envelope.
    """
    section, source, levels = heard.section, heard.source, heard.levels
    beat = 60.0 / section.tempo
    return {
        "schema": SCHEMA,
        "loopnet": __version__,
        "file": heard.name,
        "source": {
            "format": source.format,
            "subtype": source.subtype,
            "channels": source.channels,
            "sample_rate": source.sample_rate,
            "start": _round(source.start / source.sample_rate),
            "end": _round(source.stop / source.sample_rate),
            "seconds": _round(source.seconds),
            "peak": _round(source.peak),
            "clipped": source.clipped,
            "dc": _round(source.dc),
        },
        "section": {
            "start": _round(section.start),
            "end": _round(section.end),
            "seconds": _round(section.end - section.start),
            "bpm": _round(section.tempo, 4),
            "bars": int(section.bars),
            "meter": f"{section.meter[0]}/{section.meter[1]}",
            "is_loop": bool(section.is_loop),
            "confidence": _round(section.confidence, 3),
            "method": section.method,
            "estimates": {name: _round(bpm, 2) for name, bpm in section.estimates.items()},
        },
        "counts": _counts(heard.transcription),
        "hits": [
            {
                "seconds": _round(hit.seconds, 4),
                "beat": _round(hit.seconds / beat, 4),
                "voice": hit.voice,
                "velocity": _round(hit.velocity, 3),
                "confidence": _round(hit.confidence, 3),
            }
            for hit in heard.transcription.hits
        ],
        "pattern": [
            {"beat": _round(hit.beat, 4), "voice": hit.voice, "velocity": _round(hit.velocity, 3)}
            for hit in pattern.hits
        ],
        "recording": {"hits": len(heard.recording.hits), "counts": _counts(heard.recording)},
        "level": {
            "loudness_lufs": _round(levels.loudness_lufs, 2),
            "true_peak_db": _round(levels.true_peak_db, 2),
            "peak": _round(levels.peak),
        },
        "chroma": {name: _round(value, 4) for name, value in zip(PITCH_CLASSES, heard.chroma, strict=True)},
        "timbre": {
            name: {"value": _round(heard.timbre[name], 4), "points": _round(heard.timbre_points[name], 2)}
            for name in TIMBRE_NAMES
        },
        "curves": _curves(heard) if curves else None,
        "outputs": dict(outputs),
        "warnings": list(heard.warnings),
    }


def show(heard: Heard) -> None:
    """Print what was heard on stdout: in colour on a terminal, as aligned text elsewhere."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    terminal = sys.stdout.isatty()
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    for label, text in summary(heard):
        facts.add_row(label, Text(text))
    timbre = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False)
    timbre.add_column("timbre")
    for band in BANDS:
        timbre.add_column(band, justify="right")
    for attribute in ATTRIBUTES:
        names = [f"{band}.{attribute}" for band in BANDS]
        cells = [f"{heard.timbre[name]:.2f} ({heard.timbre_points[name]:5.1f})" for name in names]
        timbre.add_row(attribute, *cells)
    title = Text(one_line(heard.name), style="bold")
    if terminal:
        console = Console(highlight=False)
        console.print(title, soft_wrap=True)
        console.print(facts, timbre)
        return
    page = io.StringIO()
    console = Console(file=page, highlight=False, no_color=True, width=PIPE_WIDTH)
    console.print(title, soft_wrap=True)
    console.print(facts, "", timbre, "", sep="\n")
    print("\n".join(line.rstrip() for line in page.getvalue().splitlines()), flush=True)


def summary(heard: Heard) -> list[tuple[str, str]]:
    """Return the facts as lines of a label and a text each."""
    section, source, levels = heard.section, heard.source, heard.levels
    bars = "1 bar" if section.bars == 1 else f"{section.bars} bars"
    length = f"{bars} of {section.meter[0]}/{section.meter[1]}, {section.end - section.start:.3f} s"
    kind = "a loop" if section.is_loop else "not cut as a loop"
    is_all = heard.recording is heard.transcription
    place = "the whole file" if is_all else f"{section.start:.3f} s to {section.end:.3f} s"
    lines = [
        ("file", _source(heard)),
        ("tempo", f"{section.tempo:.2f} BPM, confidence {section.confidence:.2f}, {one_line(section.method)}"),
    ]
    if len(section.estimates) > 1:
        told = ", ".join(f"{one_line(name)} {bpm:.2f}" for name, bpm in section.estimates.items())
        lines.append(("estimates", told))
    lines += [("section", f"{length}, {place}, {kind}"), ("hits", _told(heard.transcription))]
    if not is_all:
        lines.append(("all hits", f"{_told(heard.recording)} in {source.seconds:.3f} s"))
    pitches = ", ".join(f"{name} {value:.2f}" for name, value in heard.strongest_pitches) or "none"
    lines += [
        ("level", f"{levels.loudness_lufs:.1f} LUFS, true peak {levels.true_peak_db:.1f} dBTP"),
        ("chroma", pitches),
    ]
    return lines


def _source(heard: Heard) -> str:
    source = heard.source
    channels = {1: "mono", 2: "stereo"}.get(source.channels, f"{source.channels} channels")
    part = "" if source.start == 0 else f" from {source.start / source.sample_rate:.3f} s on"
    return f"{source.format} {source.subtype}, {channels}, {source.sample_rate} Hz, {source.seconds:.3f} s{part}"


def _told(transcription: Transcription) -> str:
    counts = _counts(transcription)
    each = ", ".join(f"{count} {voice.replace('_', ' ')}" for voice, count in counts.items() if count)
    return f"{len(transcription.hits)}: {each}" if each else "none"


def _counts(transcription: Transcription) -> dict[str, int]:
    found = Counter(hit.voice for hit in transcription.hits)
    return {voice: found[voice] for voice in VOICES}


def _curves(heard: Heard) -> dict[str, Any]:
    from loopnet_cli.analysis.transcription import ACTIVATIONS, FRAME_RATE

    activations = {name: [_round(value, 3) for value in heard.transcription.activation(name)] for name in ACTIVATIONS}
    return {"frame_rate": FRAME_RATE, **activations, "envelope": [_round(value, 4) for value in heard.envelope]}


def _round(value: float, digits: int = 6) -> float:
    return round(float(value), digits)
