"""The file of a kit: small readable JSON, checked field by field. Files come from anywhere. Light: no numpy.

Fields that are unknown here are kept wherever a kit goes on to another file. See docs/KITS.md for the format.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES, Kit
from loopnet_cli.errors import WeightsError
from loopnet_cli.pattern.model import VOICES
from loopnet_cli.synthesis import bank
from loopnet_cli.version import __version__

FORMAT, VERSION = "loopnet-kit", 1
MAX_DESCRIPTION = 200
MAX_MADE = 1000
MAX_BYTES = 1 << 20
MAX_DEPTH = 32
"""Of what unknown fields may hold."""
MAX_CODE, MAX_LEVEL, MAX_KNOB = 1e3, 10.0, 100.0
"""Largest numbers that make sense: codes are about 1, levels up to 1, knobs about 0..1."""
FIELDS = (
    "format", "version", "loopnet", "model", "name", "description", "made", "levels", "timbre", "shift", "chroma",
    "codes",
)  # fmt: skip
_COMPRESSED = (b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")


def model_mark() -> str:
    """Return what identifies the weights that give a kit's codes their meaning: part of their checksum."""
    try:
        manifest = json.loads((bank.weights_folder() / "manifest.json").read_text(encoding="utf-8"))
        return str(manifest[bank.WEIGHTS_FILE])[:16]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"the list of weights cannot be read ({type(error).__name__}): {bank.REINSTALL}") from error


def entry_of(kit: Kit, made: str = "", extra: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the stored form of a kit.

    Parameters
    ----------
    kit : Kit
    made : str
        The command that makes it, told when it does not fit the weights any more.
    extra : Mapping, optional
        Fields of others to keep.

    Raises
    ------
    ValueError
        If it holds numbers that no kit may have.
    """
    entry: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "loopnet": __version__,
        "model": model_mark(),
        "name": kit.name,
        "description": kit.description,
        "made": made[:MAX_MADE],
        "levels": {voice: _short(kit.levels[voice]) for voice in VOICES},
        "timbre": {name: _short(kit.timbre[name]) for name in TIMBRE_NAMES},
        "shift": {name: _short(kit.shift[name]) for name in TIMBRE_NAMES if kit.shift.get(name)},
        "chroma": [_short(value) for value in kit.chroma],
        "codes": {voice: [_short(value) for value in kit.codes[voice]] for voice in VOICES},
    }
    entry = {key: value for key, value in entry.items() if value or key not in ("made", "shift")}
    kit_of(entry, kit.name)
    return entry | {key: value for key, value in (extra or {}).items() if key not in FIELDS}


def text_of(entry: Mapping[str, Any]) -> bytes:
    """Return a stored form as the content of a file: a line a field and a voice, to be read and compared."""
    lines = []
    for key, value in entry.items():
        if key in ("codes", "levels", "timbre", "shift") and isinstance(value, dict):
            inner = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def read_entry(stream: BinaryIO) -> dict[str, Any]:
    """Read the stored form of a kit from a file, without trusting a field of it; reads `MAX_BYTES` at most.

    Raises
    ------
    ValueError, RecursionError
        If it is none.
    """
    return parse_entry(stream.read(MAX_BYTES + 1))


def parse_entry(content: bytes) -> dict[str, Any]:
    """Return the stored form of a kit that is in the content of a file; for errors see `read_entry`."""
    if content.startswith(_COMPRESSED):
        raise ValueError("compressed: unpack it first")
    if len(content) > MAX_BYTES:
        raise ValueError("larger than a megabyte")
    try:
        entry = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}, line {error.lineno})") from None
    if not isinstance(entry, dict):
        raise ValueError("no JSON object")
    return entry


def unknown_fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of others, to be kept.

    Raises
    ------
    ValueError
        If one holds what JSON has no word for, or is nested too deeply.
    """
    found = {key: value for key, value in entry.items() if key not in FIELDS}
    for key, value in found.items():
        for leaf in _leaves(value, key):
            if isinstance(leaf, float) and not math.isfinite(leaf):
                raise ValueError(f"field {shown(key)} holds {leaf}, which is no number")
    return found


def kit_of(entry: Mapping[str, Any], name: str) -> Kit:
    """Build a kit of a given name from its stored form.

    Raises
    ------
    ValueError
        With what is wrong with it.
    """
    if entry.get("format") != FORMAT:
        raise ValueError(f'its "format" is not "{FORMAT}"')
    if entry.get("version") != VERSION or isinstance(entry.get("version"), bool):
        raise ValueError(
            f"of version {shown(entry.get('version'))}, and this loopnet reads {VERSION}: "
            f"{_again(entry, 'use the loopnet that made it')}"
        )
    mark = model_mark()
    if entry.get("model", mark) != mark:
        theirs = one_line(entry.get("model"), 16) or "unknown"
        by = one_line(entry.get("loopnet"), 20)
        raise ValueError(
            f"made for other weights, {theirs}{f' of loopnet {by}' if by else ''}, and these are {mark}: "
            f"{_again(entry, 'save it again from its recording')}"
        )
    codes = _table(entry, "codes", VOICES)
    size = len(next(iter(bank.read_bank().values())).codes[VOICES[0]])
    shift = entry.get("shift", {})
    if not isinstance(shift, dict):
        raise ValueError('"shift" is no table')
    return Kit(
        name=name,
        description=_description(entry.get("description", "")),
        codes={voice: _numbers(codes[voice], f"codes of {voice}", size, -MAX_CODE, MAX_CODE) for voice in VOICES},
        levels=_row(entry, "levels", VOICES, 0.0, MAX_LEVEL),
        timbre=_row(entry, "timbre", TIMBRE_NAMES, -MAX_KNOB, MAX_KNOB),
        chroma=_numbers(entry.get("chroma"), "chroma", len(PITCH_CLASSES), 0.0, 1.0),
        shift=_row(entry, "shift", tuple(n for n in TIMBRE_NAMES if n in shift), -MAX_KNOB, MAX_KNOB) if shift else {},
    )


def one_line(value: Any, limit: int) -> str:
    """Return a text from a file fit for a terminal, the empty one for anything else."""
    if not isinstance(value, str):
        return ""
    line = " ".join(value.split())[:limit]
    return "".join(c if c.isprintable() else "?" for c in line)


def shown(value: Any) -> str:
    """Return a value from a file fit for an error message."""
    try:
        return "".join(c if c.isprintable() else "?" for c in repr(value)[:40])
    except (ValueError, RecursionError):
        # Python prints no whole numbers of more than 4300 digits
        return "a huge number"


def _again(entry: Mapping[str, Any], otherwise: str) -> str:
    made = one_line(entry.get("made"), MAX_MADE)
    return f"make it again: {made}" if made else otherwise


def _leaves(value: Any, key: str) -> Iterator[Any]:
    """Yield what lists and tables hold, without recursion: depth is what is checked."""
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ValueError(f"field {shown(key)} is nested too deeply")
        if isinstance(item, dict):
            waiting += [(child, depth + 1) for child in item.values()]
        elif isinstance(item, list):
            waiting += [(child, depth + 1) for child in item]
        else:
            yield item


def _short(value: float) -> float:
    return round(float(value), 5)


def _description(text: Any) -> str:
    if not isinstance(text, str):
        raise ValueError('"description" is no text')
    return one_line(text, MAX_DESCRIPTION)


def _table(entry: Mapping[str, Any], field: str, keys: tuple[str, ...]) -> dict[str, Any]:
    table = entry.get(field)
    if not isinstance(table, dict):
        raise ValueError(f'"{field}" is no table')
    missing = [key for key in keys if key not in table]
    if missing:
        raise ValueError(f'"{field}" lacks {missing[0]}')
    return table


def _row(entry: Mapping[str, Any], field: str, keys: tuple[str, ...], low: float, high: float) -> dict[str, float]:
    table = _table(entry, field, keys)
    return {key: _number(table[key], f"{field} of {key}", low, high) for key in keys}


def _numbers(values: Any, what: str, count: int, low: float, high: float) -> tuple[float, ...]:
    if not isinstance(values, list) or len(values) != count:
        found = f"{len(values)} numbers" if isinstance(values, list) else "no list"
        raise ValueError(f"{what}: {found}, {count} are needed")
    return tuple(_number(value, what, low, high) for value in values)


def _number(value: Any, what: str, low: float, high: float) -> float:
    # comparing, not converting: a whole number may be too long to convert
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{what}: {shown(value)} is not a number from {low:g} to {high:g}")
    return float(value)
