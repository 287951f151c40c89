"""Your own kits: one small JSON file each, in the user's data folder, beside the bank that comes with the package.

The folder is ``kits`` in what `platformdirs` calls the data folder of loopnet (Linux: ``~/.local/share/loopnet``),
or in the folder that the environment variable ``LOOPNET_DATA`` names. A file is called ``NAME.json``; the name of
the file is that of the kit. Files come from anywhere, so everything in them is checked. Light: no torch, no scipy.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from loopnet_cli.audio.files import make_folder, write_whole
from loopnet_cli.controls import Kit
from loopnet_cli.errors import KitError, UsageError
from loopnet_cli.synthesis import bank, kit_file
from loopnet_cli.synthesis.kit_mix import is_mix, kit_label, mix_name, mixed, parse_mix

DATA_VARIABLE = "LOOPNET_DATA"
MAX_NAME = 64

_NAME = re.compile(r"\w(?:[\w .+-]*[\w+-])?")


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


def encode_kit(kit: Kit, made: str = "", extra: Mapping[str, Any] | None = None) -> bytes:
    """Return the content of a kit's file.

    Parameters
    ----------
    kit : Kit
    made : str
        The command that makes it.
    extra : Mapping, optional
        Fields of others to keep; those in a file of that name which is there already are kept too.

    Raises
    ------
    UsageError
        If its name is not allowed.
    KitError
        If it holds numbers that no kit may have, or more than a kit's file may hold.
    """
    path = kit_path(kit.name)
    kept: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, RecursionError):  # nothing there, or nothing worth keeping
        kept = kit_file.unknown_fields(_read_entry(path))
    return _encoded(kit, made, {**kept, **(extra or {})})


def _encoded(kit: Kit, made: str, extra: Mapping[str, Any]) -> bytes:
    try:
        content = kit_file.text_of(kit_file.entry_of(kit, made, extra))
        if len(content) > kit_file.MAX_BYTES:
            raise ValueError("larger than a megabyte")
    except ValueError as error:
        raise KitError(f"kit {kit.name}: {error}") from error
    return content


def save_kit(kit: Kit, overwrite: bool = False, *, made: str = "", extra: Mapping[str, Any] | None = None) -> Path:
    """Store a kit for ``--kit NAME`` and return its file; for `made` and `extra` see `encode_kit`.

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
    content = encode_kit(kit, made, extra)
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
        return kit_file.kit_of(_read_entry(path), path.stem)
    except OSError as error:
        raise KitError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise KitError(f"{path} is not a usable kit: {_reason(error)}") from error


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
    """Look a kit up by name, in the bank, then among the user's, or mix some (``a:0.3,b:0.7``).

    Reads no other file of the user's.

    Raises
    ------
    UsageError
        If there is none; near names are suggested.
    KitError
        If it is one of the user's that cannot be used.
    """
    known = bank.read_bank()
    if is_mix(name):
        return find_mix(parse_mix(name))
    if name in known:
        return known[name]
    mine = _mine()
    if name in mine and _NAME.fullmatch(name):
        return load_kit(mine[name])
    return bank.find_kit({**dict.fromkeys(mine, _NOBODY), **known}, name)


def find_mix(parts: Sequence[tuple[str, Fraction]]) -> Kit:
    """Return a mix of kits, as `loopnet_cli.synthesis.kit_mix.parse_mix` reads it; for errors see `find_kit`."""
    return mixed([(find_kit(name), weight) for name, weight in parts], name=mix_name(parts))


def export_kit(name: str) -> dict[str, Any]:
    """Return the stored form of a kit, or of a mix of some, with all that others wrote into its file.

    Raises
    ------
    UsageError, KitError
        As `find_kit`.
    """
    kit = find_kit(name)
    made, extra = "", {}
    if is_mix(name):
        kit = replace(kit, name=kit_label(kit.name))
        made = f"loopnet kits export {shlex.quote(name)}"
    elif name not in bank.read_bank():
        path = _mine()[name]
        try:
            entry = _read_entry(path)
            made, extra = kit_file.one_line(entry.get("made"), kit_file.MAX_MADE), kit_file.unknown_fields(entry)
        except (OSError, ValueError, RecursionError) as error:
            raise KitError(f"{path} is not a usable kit: {_reason(error)}") from error
    try:
        return kit_file.entry_of(kit, made, extra)
    except ValueError as error:
        raise KitError(f"kit {name}: {error}") from error


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


_NOBODY = Kit("", "", {}, {}, {}, ())
"""Stands for a kit of which only the name is looked at."""


def _mine() -> dict[str, Path]:
    """Return the files of the user's kits by name, sorted; no folder means none."""
    try:
        return {path.stem: path for path in sorted(kit_folder().iterdir()) if path.suffix == ".json" and path.is_file()}
    except OSError:
        return {}


def _read_entry(path: Path) -> dict[str, Any]:
    with path.open("rb") as stream:
        return kit_file.read_entry(stream)


def _reason(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
