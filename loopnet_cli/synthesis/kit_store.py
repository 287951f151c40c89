"""Your own kits: one small JSON file each, in the user's data folder, beside the bank that comes with the package.

The folder is ``kits`` in what `platformdirs` calls the data folder of loopnet (Linux: ``~/.local/share/loopnet``),
or in the folder that the environment variable ``LOOPNET_DATA`` names. A file is called ``NAME.json``; the name of
the file is that of the kit. Files come from anywhere, so everything in them is checked. Light: no torch, no scipy.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loopnet_cli.audio.files import make_folder, write_whole
from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES, Kit
from loopnet_cli.errors import KitError, UsageError, WeightsError
from loopnet_cli.pattern.model import VOICES
from loopnet_cli.synthesis import bank

DATA_VARIABLE = "LOOPNET_DATA"
FORMAT, VERSION = "loopnet-kit", 1
MAX_NAME, MAX_DESCRIPTION = 64, 200
MAX_BYTES = 1 << 20
MAX_CODE, MAX_LEVEL, MAX_KNOB = 1e3, 10.0, 100.0
"""Largest numbers that make sense: codes are about 1, levels up to 1, knobs about 0..1."""

_NAME = re.compile(r"\w(?:[\w .+-]*[\w+-])?")
_FIELDS = ("format", "version", "model", "name", "description", "levels", "timbre", "chroma", "codes")


def kit_folder() -> Path:
    """Return the folder of the user's kits, which need not exist."""
    chosen = os.environ.get(DATA_VARIABLE)
    if chosen:
        return Path(chosen).expanduser() / "kits"
    import platformdirs

    return Path(platformdirs.user_data_dir("loopnet", appauthor=False)) / "kits"


def check_name(name: str) -> str:
    """Return a name that a kit of the user's may have.

    Raises
    ------
    UsageError
        If it is empty, longer than `MAX_NAME` characters, no file name, or that of a built-in kit.
    """
    shown = "".join(c if c.isprintable() else "?" for c in name[: MAX_NAME + 1])
    if not (_NAME.fullmatch(name) and len(name) <= MAX_NAME) or ".." in name:
        raise UsageError(
            f"a kit cannot be called {shown!r}: use up to {MAX_NAME} letters, digits, hyphens, dots or blanks"
        )
    if name.lower() in {known.lower() for known in bank.read_bank()}:
        raise UsageError(f"{name} is a built-in kit: choose another name")
    return name


def kit_path(name: str) -> Path:
    """Return where a kit of the user's is or would be stored; for errors see `check_name`."""
    return kit_folder() / f"{check_name(name)}.json"


def encode_kit(kit: Kit) -> bytes:
    """Return the content of a kit's file.

    Fields that are unknown here, in a file of that name which is there already, are kept.

    Raises
    ------
    UsageError
        If its name is not allowed.
    KitError
        If it holds numbers that no kit may have.
    """
    path = kit_path(kit.name)
    entry: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "model": model_mark(),
        "name": kit.name,
        "description": kit.description,
        "levels": {voice: _short(kit.levels[voice]) for voice in VOICES},
        "timbre": {name: _short(kit.timbre[name]) for name in TIMBRE_NAMES},
        "chroma": [_short(value) for value in kit.chroma],
        "codes": {voice: [_short(value) for value in kit.codes[voice]] for voice in VOICES},
    }
    try:
        _checked_kit(entry, kit.name)
    except ValueError as error:
        raise KitError(f"kit {kit.name}: {error}") from error
    with contextlib.suppress(OSError, ValueError, RecursionError):  # nothing there, or nothing worth keeping
        entry |= {key: value for key, value in _read_entry(path).items() if key not in _FIELDS}
    # a line a field and a voice, so that it can be read and compared
    lines = []
    for key, value in entry.items():
        if key in ("codes", "levels", "timbre") and isinstance(value, dict):
            inner = ",\n".join(f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


def save_kit(kit: Kit, overwrite: bool = False) -> Path:
    """Store a kit for ``--kit NAME`` and return its file.

    Raises
    ------
    UsageError
        If its name is not allowed.
    KitError
        If there is such a kit and `overwrite` is not set, or it holds numbers that no kit may have.
    AudioError
        If the file cannot be written.
    """
    path = kit_path(kit.name)
    if path.exists() and not overwrite:
        raise KitError(f"kit {kit.name} exists: use --overwrite or another name")
    content = encode_kit(kit)
    make_folder(path.parent)
    write_whole(path, content)
    return path


def load_kit(path: Path) -> Kit:
    """Read and check the file of a kit.

    Raises
    ------
    KitError
        With what is wrong.
    """
    try:
        return _checked_kit(_read_entry(path), path.stem)
    except OSError as error:
        raise KitError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise KitError(f"{path} is not a usable kit: {reason}") from error


def user_kits() -> tuple[dict[str, Kit], list[str]]:
    """Return the user's kits by name, and a line about each file that cannot be used."""
    kits: dict[str, Kit] = {}
    problems = []
    for name, path in _mine().items():
        try:
            kits[check_name(name)] = load_kit(path)
        except UsageError as error:
            problems.append(f"{path} is left out: {error}")
        except KitError as error:
            problems.append(str(error))
    return kits, problems


def all_kits() -> dict[str, Kit]:
    """Return the kits of the bank, then the user's that can be used."""
    return {**bank.read_bank(), **user_kits()[0]}


def find_kit(name: str) -> Kit:
    """Look a kit up by name: in the bank, then among the user's; reads no other file of the user's.

    Raises
    ------
    UsageError
        If there is none; near names are suggested.
    KitError
        If it is one of the user's that cannot be used.
    """
    known = bank.read_bank()
    if name in known:
        return known[name]
    mine = _mine()
    if name in mine and _NAME.fullmatch(name):
        return load_kit(mine[name])
    return bank.find_kit({**dict.fromkeys(mine, _NOBODY), **known}, name)


def own_names() -> list[str]:
    """Return the names of the user's kits, whether they can be used or not."""
    return list(_mine())


def find_file(name: str) -> Path:
    """Return the file of a kit of the user's, which may be one that cannot be used.

    Raises
    ------
    UsageError
        If the kit is built in, or there is none of that name.
    """
    if name in bank.read_bank():
        raise UsageError(f"{name} is a built-in kit: it has no file of its own and cannot be removed")
    mine = _mine()
    bank.find_kit(dict.fromkeys(mine, _NOBODY), name)  # raises, with names that are near
    return mine[name]


def remove_kit(name: str) -> Path:
    """Delete a kit of the user's and return where it was.

    Raises
    ------
    UsageError
        If it is built in, or there is none of that name.
    KitError
        If it cannot be deleted.
    """
    path = find_file(name)
    try:
        path.unlink()
    except OSError as error:
        raise KitError(f"cannot remove {path}: {error.strerror or error}") from error
    return path


def model_mark() -> str:
    """Return what identifies the weights that give a kit's codes their meaning: part of their checksum."""
    try:
        manifest = json.loads((bank.weights_folder() / "manifest.json").read_text(encoding="utf-8"))
        return str(manifest[bank.WEIGHTS_FILE])[:16]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"the list of weights cannot be read ({type(error).__name__}): {bank.REINSTALL}") from error


_NOBODY = Kit("", "", {}, {}, {}, ())
"""Stands for a kit of which only the name is looked at."""


def _mine() -> dict[str, Path]:
    """Return the files of the user's kits by name, sorted; no folder means none."""
    try:
        return {path.stem: path for path in sorted(kit_folder().iterdir()) if path.suffix == ".json" and path.is_file()}
    except OSError:
        return {}


def _short(value: float) -> float:
    return round(float(value), 5)


def _read_entry(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError("larger than a megabyte")
    try:
        entry = json.loads(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"no JSON ({error.msg}, line {error.lineno})") from None
    if not isinstance(entry, dict):
        raise ValueError("no JSON object")
    return entry


def _checked_kit(entry: Mapping[str, Any], name: str) -> Kit:
    """Build a kit from its stored form, or raise ValueError."""
    if entry.get("format") != FORMAT:
        raise ValueError(f'its "format" is not "{FORMAT}"')
    if entry.get("version") != VERSION:
        raise ValueError(f"of version {_shown(entry.get('version'))}, not {VERSION}: save it again from its recording")
    if entry.get("model", model_mark()) != model_mark():
        raise ValueError("made for other weights than these: save it again from its recording")
    codes = _table(entry, "codes", VOICES)
    size = len(next(iter(bank.read_bank().values())).codes[VOICES[0]])
    return Kit(
        name=name,
        description=_line(entry.get("description", "")),
        codes={voice: _numbers(codes[voice], f"codes of {voice}", size, -MAX_CODE, MAX_CODE) for voice in VOICES},
        levels=_row(entry, "levels", VOICES, 0.0, MAX_LEVEL),
        timbre=_row(entry, "timbre", TIMBRE_NAMES, -MAX_KNOB, MAX_KNOB),
        chroma=_numbers(entry.get("chroma"), "chroma", len(PITCH_CLASSES), 0.0, 1.0),
    )


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
        raise ValueError(f"{what}: {_shown(value)} is not a number from {low:g} to {high:g}")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{what}: {number} is no number")
    return number


def _line(text: Any) -> str:
    """Return a description fit for a terminal."""
    if not isinstance(text, str):
        raise ValueError('"description" is no text')
    line = " ".join(text.split())[:MAX_DESCRIPTION]
    return "".join(c if c.isprintable() else "?" for c in line)


def _shown(value: Any) -> str:
    try:
        return repr(value)[:40]
    except ValueError:
        # Python prints no whole numbers of more than 4300 digits
        return "a huge number"
