"""What a page is told, as plain JSON values that cannot be mistaken for markup."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.pattern.model import VOICES, Pattern
from loopnet_cli.report.items import Clip, Knobs, ReportItem

MAX_DRAWN_HITS = 4000
MAX_TEXT = 300
"""Characters shown of one text."""
MAX_STATED = 100_000
"""No tempo, meter or number of bars is taken for one from here on."""
MAX_ROWS = 100
"""Settings shown of one loop."""


def to_json(data: object) -> str:
    """Return JSON that may stand between script tags: nothing in it ends them or opens a comment."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def line(value: object) -> str:
    """Return one printable line: without what turns the reading direction, too, and not too long."""
    text = " ".join(str(value)[: 4 * MAX_TEXT].split())
    text = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def item_values(item: ReportItem, clip: int | None, inputs: list[int], error: str | None) -> dict[str, Any]:
    """Return a loop as the page's script reads it; `clip` and `inputs` are numbers of clips."""
    settings = [[line(key), line(value)] for key, value in _flat(item.settings)]
    return {
        "name": line(item.name),
        "clip": clip,
        "inputs": inputs,
        "knobs": knob_rows(item.knobs),
        "settings": settings[:MAX_ROWS],
        "axes": {line(key): _axis_value(value) for key, value in item.axes.items()},
        "error": None if error is None else line(error),
    }


def _flat(settings: Mapping[str, object], prefix: str = "") -> Iterable[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            if len(prefix) < MAX_TEXT:
                yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value[:64])
        elif value is not None:
            yield f"{prefix}{key}", f"{value:g}" if isinstance(value, float) else value


def _axis_value(value: object) -> str | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return line(value)
    return value if abs(value) < 1e300 else line(value)


def knob_rows(knobs: Knobs | None) -> list[list[Any]] | None:
    """Return a row for each feature: its name, asked, measured, whether the user set it."""
    if knobs is None or not (knobs.asked or knobs.measured):
        return None
    return [
        [name, _number(knobs.asked.get(name)), _number(knobs.measured.get(name)), name in knobs.given]
        for name in TIMBRE_NAMES
    ]


def _number(value: float | None) -> float | None:
    # a NaN is no value; JSON has none either
    return None if value is None or not abs(value) < 1e9 else round(float(value), 4)


def musical_values(clip: Clip) -> dict[str, Any]:
    """Return tempo, meter, bars and pattern; None for what is not known, or cannot be."""
    pattern = clip.pattern
    tempo, meter, bars = clip.tempo, clip.meter, clip.bars
    if pattern is not None:
        tempo, meter, bars = tempo or pattern.tempo, meter or pattern.meter, bars or pattern.bars
    # files from elsewhere may say anything
    return {
        "tempo": round(tempo, 4) if tempo is not None and 0 < tempo < MAX_STATED else None,
        "meter": meter if meter is not None and all(0 < part < MAX_STATED for part in meter) else None,
        "bars": bars if bars is not None and 0 < bars < MAX_STATED else None,
        "pattern": None if pattern is None else hits_of(pattern),
    }


def hits_of(pattern: Pattern) -> dict[str, Any]:
    """Return a pattern: its length, and each hit as beat, number of the voice, velocity."""
    hits = pattern.hits[:MAX_DRAWN_HITS]
    return {
        "bars": pattern.bars,
        "beats": pattern.beats,
        "hits": [[round(hit.beat, 5), VOICES.index(hit.voice), round(hit.velocity, 3)] for hit in hits],
    }
