"""Render every text grid in ``examples/patterns`` to a MIDI file beside it.

Run from anywhere: ``python examples/make_patterns.py``. Prints a line a pattern.
"""

from __future__ import annotations

import sys
from pathlib import Path

from loopnet_cli.pattern import read_pattern, write_midi

FOLDER = Path(__file__).parent / "patterns"


def main(folder: Path = FOLDER) -> int:
    """Write the MIDI files and return 0, or 1 where there is no grid."""
    grids = sorted(folder.glob("*.grid"))
    for grid in grids:
        pattern = read_pattern(grid).pattern
        path = write_midi(pattern, grid.with_suffix(".mid"))
        meter = f"{pattern.meter[0]}/{pattern.meter[1]}"
        print(f"{path.name:<20} {pattern.tempo:g} BPM, {pattern.bars} bars of {meter}, {len(pattern.hits)} hits")
    return 0 if grids else 1


if __name__ == "__main__":
    sys.exit(main())
