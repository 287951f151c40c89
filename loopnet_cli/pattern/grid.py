"""Rhythms as text: one character a step.

::

    bpm=96 meter=4/4
    kick:  x...x... | x..x....
    snare: ....9..2 | ....9...
    steps=12
    ride:  x..x.xx..x.x

A row is a voice (or an alias, see `ALIASES`), a colon and its steps: ``x`` a stroke, ``X`` a full
one, ``1`` to ``9`` a stroke of that many ninths, ``.``, ``-``, ``_`` or ``0`` a rest. Spaces and
``|`` are for the eye. Rows stand on lines of their own or beside each other; the same row again goes
on where it ended. Shorter rows repeat until all are of one length (``hat: x.`` is eighths). ``#``
starts a comment.
Settings are ``bpm``, ``meter``, ``bars`` (all rows repeat until they fill them) and ``steps`` (steps
in a bar, for the rows after it; by default a sixteenth note each).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.model import MAX_BARS, VOICES, Hit, Pattern

ALIASES: Mapping[str, str] = MappingProxyType(
    {voice: voice for voice in VOICES}
    | dict.fromkeys(("bd", "kd", "k", "bass", "bassdrum", "kickdrum"), "kick")
    | dict.fromkeys(("sd", "sn", "s", "snaredrum"), "snare")
    | dict.fromkeys(("cp", "clp", "handclap", "claps"), "clap")
    | dict.fromkeys(("rs", "rimshot", "sidestick", "xstick", "sticks"), "rim")
    | dict.fromkeys(("ch", "hh", "hat", "hats", "hihat", "chh", "closedhat", "closed", "hc"), "hat_closed")
    | dict.fromkeys(("oh", "ohh", "openhat", "open", "ho"), "hat_open")
    | dict.fromkeys(("tm", "toms", "lt", "mt", "ht", "ft", "lowtom", "midtom", "hightom", "floortom"), "tom")
    | dict.fromkeys(("cr", "cc", "cy", "cymbal", "splash", "china"), "crash")
    | dict.fromkeys(("rd", "rc", "rb", "ridebell"), "ride")
    | dict.fromkeys(("pc", "percussion", "cb", "cowbell", "shaker", "sh", "tamb", "tambourine", "conga",
                     "bongo", "clave", "claves", "block", "agogo"), "perc")
)  # fmt: skip
"""What a row may be called, without regard to case, hyphens and underscores."""

SETTINGS = ("bpm", "tempo", "meter", "bars", "steps")
MAX_GRID_CHARS = 1_000_000
MAX_STEPS = 384
MAX_CELLS = 400_000
_STROKE = {"x": 0.8, "X": 1.0} | {str(n): n / 9 for n in range(1, 10)}
_RESTS = frozenset(".-_0")
_TOKEN = re.compile(
    r"(?P<space>[\s;,]+)|(?P<key>[A-Za-z]\w*)=(?P<value>[^\s;,]*)|(?P<label>[A-Za-z][\w-]*)[ \t]*:"
    r"|(?P<cells>[xX0-9._|\-]+)|(?P<other>\S)"
)
_ROW_START = re.compile(r"(?:^|[\s;,])[A-Za-z][\w-]*[ \t]*:[ \t]*[xX0-9._|\-]+(?=[\s;,]|$)", re.MULTILINE)


def looks_like_grid(text: str) -> bool:
    """Tell whether text holds a row of steps, rather than, say, the path of a file."""
    return _ROW_START.search(text[:MAX_GRID_CHARS]) is not None


def parse_grid(text: str, *, tempo: float | None = None, meter: tuple[int, int] | None = None) -> Pattern:
    """Read a pattern from a text grid.

    Parameters
    ----------
    text : str
        The grid, as this module describes it.
    tempo : float, optional
        Quarter notes per minute, in place of the grid's ``bpm`` (120 where there is none).
    meter : tuple of int, optional
        In place of the grid's ``meter`` (4/4 where there is none).

    Raises
    ------
    PatternError
        If a row is no voice, holds other characters, or does not fill whole bars; or if there is no stroke.
    """
    settings, rows = _scan(text)
    tempo = tempo if tempo is not None else _tempo(settings)
    meter = meter or _meter(settings)
    bar = Pattern((), 1, meter, tempo).beats_per_bar
    voices: dict[str, list[Hit]] = {}
    lengths: dict[str, int] = {}
    for label, cells, steps_text in rows:
        steps = _whole("steps", steps_text, MAX_STEPS) if steps_text else _sixteenths(bar, meter)
        if cells and steps % len(cells) == 0:
            cells *= steps // len(cells)  # half a bar, or one beat, stands for a bar of the same
        if not cells or len(cells) % steps:
            raise PatternError(
                f"row {label!r} has {len(cells)} steps: a bar of {meter[0]}/{meter[1]} has {steps}, "
                "so give whole bars (or set steps=)"
            )
        start = lengths.get(label, 0)
        lengths[label] = start + len(cells) // steps
        voices.setdefault(label, []).extend(
            Hit(start * bar + i * bar / steps, _voice(label), _STROKE[c]) for i, c in enumerate(cells) if c in _STROKE
        )
    bars = _bars(settings, lengths)
    if sum(len(hits) * (bars // lengths[label]) for label, hits in voices.items()) > MAX_CELLS:
        raise PatternError(f"more than {MAX_CELLS:,} strokes: too many for a rhythm")
    strongest: dict[tuple[float, str], Hit] = {}
    for label, hits in voices.items():
        for turn in range(0, bars, lengths[label]):
            for hit in hits:
                beat = hit.beat + turn * bar
                known = strongest.get((beat, hit.voice))
                if known is None or known.velocity < hit.velocity:
                    strongest[beat, hit.voice] = Hit(beat, hit.voice, hit.velocity)
    if not strongest:
        raise PatternError("the grid holds no stroke: write x, X or 1 to 9 where a voice shall sound")
    return Pattern(tuple(strongest.values()), bars, meter, tempo)


def format_grid(pattern: Pattern, steps_per_beat: int = 4) -> str:
    """Write a pattern as a text grid that `parse_grid` reads.

    Strokes move to the nearest step and to the nearest of the ten velocities; of two on one step
    the stronger stays.

    Raises
    ------
    PatternError
        If a bar is no whole number of such steps.
    """
    steps = round(pattern.beats_per_bar * steps_per_beat)
    if steps < 1 or steps > MAX_STEPS or steps != pattern.beats_per_bar * steps_per_beat:
        numerator, denominator = pattern.meter
        raise PatternError(f"{steps_per_beat} steps a beat do not fill a bar of {numerator}/{denominator}")
    total = steps * pattern.bars
    rows: dict[str, list[float]] = {voice: [0.0] * total for voice in pattern.voices}
    for hit in pattern.hits:
        step = round(hit.beat * steps_per_beat) % total
        rows[hit.voice][step] = max(rows[hit.voice][step], hit.velocity)
    head = f"bpm={pattern.tempo:.10g} meter={pattern.meter[0]}/{pattern.meter[1]} bars={pattern.bars}"
    if steps != _sixteenths(pattern.beats_per_bar, pattern.meter):
        head += f" steps={steps}"
    width = max((len(voice) for voice in rows), default=0) + 1
    lines = [head]
    for voice, row in rows.items():
        text = "".join(_cell(velocity) for velocity in row)
        cut = [text[i : i + steps] for i in range(0, total, steps)]
        lines.append(f"{voice + ':':<{width}} {' | '.join(cut)}")
    return "\n".join(lines) + "\n"


def grid_settings(text: str) -> Mapping[str, str]:
    """Return the settings that a grid states, as text (of ``steps`` the last)."""
    return _scan(text)[0]


def _scan(text: str) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    """Return the settings and the rows as (label, cells, steps setting in force)."""
    if len(text) > MAX_GRID_CHARS:
        raise PatternError(f"a grid of more than {MAX_GRID_CHARS:,} characters is too large for a rhythm")
    settings: dict[str, str] = {}
    rows: list[tuple[str, list[str], str]] = []
    for line in text.removeprefix("\ufeff").splitlines():
        open_row = False
        for token in _TOKEN.finditer(line.partition("#")[0]):
            kind, piece = token.lastgroup, token.group()
            if kind == "value":
                key = token["key"].lower()
                if key not in SETTINGS:
                    raise PatternError(f"unknown setting {key!r}: {_near(key, SETTINGS)}")
                settings["bpm" if key == "tempo" else key] = token["value"]
                open_row = False
            elif kind == "label":
                _voice(token["label"])
                rows.append((token["label"], [], settings.get("steps", "")))
                open_row = True
            elif kind == "cells" and open_row:
                rows[-1][1].append(piece.replace("|", ""))
            elif kind == "cells":
                raise PatternError(f"steps {piece[:20]!r} without a voice: write e.g. kick: {piece[:20]}")
            elif kind == "other":
                where = f"row {rows[-1][0]!r} holds {piece!r}" if open_row else f"unexpected {piece!r} in the grid"
                raise PatternError(f"{where}: use x, X, 1 to 9 for strokes, . or - for rests")
    if not rows:
        raise PatternError("the grid has no rows: write e.g. kick: x...x...x...x...")
    return settings, [(label, "".join(cells), steps) for label, cells, steps in rows]


def _voice(label: str) -> str:
    key = label.lower()
    voice = ALIASES.get(key) or ALIASES.get(key.replace("-", "_")) or ALIASES.get(re.sub(r"[-_]", "", key))
    if voice is None:
        raise PatternError(f"no voice named {label[:40]!r}: {_near(key, tuple(ALIASES), VOICES)}")
    return voice


def _near(word: str, known: tuple[str, ...], shown: tuple[str, ...] = ()) -> str:
    near = get_close_matches(word[:40], [name for name in known if len(name) > 2], n=1)
    return f"did you mean {near[0]}?" if near else f"use {', '.join(shown or known)}"


def _tempo(settings: Mapping[str, str]) -> float:
    try:
        return float(settings.get("bpm", "120"))
    except ValueError:
        raise PatternError(f"bpm={settings['bpm'][:20]} is not a number") from None


def _meter(settings: Mapping[str, str]) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})", settings.get("meter", "4/4"), re.ASCII)
    if match is None:
        raise PatternError(f"meter={settings['meter'][:20]} is not a meter: write e.g. 7/8")
    return int(match[1]), int(match[2])


def _whole(name: str, text: str, most: int) -> int:
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII) or not 1 <= int(text) <= most:
        raise PatternError(f"{name}={text[:20]} must be a whole number from 1 to {most}")
    return int(text)


def _sixteenths(bar: float, meter: tuple[int, int]) -> int:
    """Return the sixteenth notes in a bar, or the meter's own units where it is no whole number of them."""
    return int(bar * 4) if (bar * 4).is_integer() else meter[0]


def _bars(settings: Mapping[str, str], lengths: Mapping[str, int]) -> int:
    """Return the length of the pattern and check that every row fits it a whole number of times."""
    longest = max(lengths.values())
    bars = _whole("bars", settings["bars"], MAX_BARS) if "bars" in settings else longest
    if bars > MAX_BARS:
        raise PatternError(f"{bars} bars: a loop has 1 to {MAX_BARS} bars")
    for label, length in lengths.items():
        if bars % length:
            raise PatternError(f"row {label!r} has {length} bars, which do not fit {bars} bars a whole number of times")
    return bars


def _cell(velocity: float) -> str:
    if velocity <= 0:
        return "."
    choices = {"x": 0.8} | {str(n): n / 9 for n in range(1, 10)}
    return min(choices, key=lambda c: abs(choices[c] - velocity))
