"""The held-out lists: kits, grooves, real loops and tonal instruments that nothing is trained on."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

Kind = Literal["kits", "grooves", "loops", "tonal"]


def development(kind: Literal["kits", "grooves"]) -> frozenset[str]:
    """Return the names on which the transcriber's design was chosen: of the training side, not trained on."""
    return _names(f"{kind}_dev.txt")


def held_out(kind: Kind) -> frozenset[str]:
    """Return the held-out names of one kind.

    Parameters
    ----------
    kind : {"kits", "grooves", "loops", "tonal"}
        Which list: kit folders, groove files, loop files or tonal instrument folders.

    Returns
    -------
    frozenset of str
        Names as they stand in the training material.
    """
    return _names(f"{kind}_test.txt")


def _names(file: str) -> frozenset[str]:
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
