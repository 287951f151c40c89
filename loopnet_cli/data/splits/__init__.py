"""The held-out lists: kits, grooves, real loops and tonal instruments that nothing is trained on."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

Kind = Literal["kits", "grooves", "loops", "tonal"]


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
    text = files(__package__).joinpath(f"{kind}_test.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("#"))
