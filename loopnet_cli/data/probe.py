"""Seeing whether a data set can be opened at all, in a process of its own.

The HDF5 library reads some damaged files for ever (a page of zeros where texts should be, as an interrupted copy
leaves it, is enough) and crashes on others, where no exception can be caught. A process can be ended.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

from loopnet_cli.errors import DatasetError, LoopnetError

SECONDS = 60.0
"""A file of any size takes one: only tables and texts are read, no audio."""

_TOUCH = f"import sys; sys.path.append(sys.argv[1]); from {__name__} import touch; touch(sys.argv[2])"


def probe(path: Path, seconds: float = SECONDS) -> None:
    """Make sure that opening a data set ends.

    Raises
    ------
    DatasetError
        If the library does not come back from it. What it complains of is left to whoever opens the file.
    """
    if not path.is_file() or not sys.executable:
        return
    try:
        done = subprocess.run(
            # -P: nothing is imported from the current folder
            [sys.executable, "-P", "-c", _TOUCH, str(Path(__file__).parents[2]), str(path.absolute())],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=seconds, check=False,
        )  # fmt: skip
        ended = done.returncode >= 0  # less is a signal: it crashed
    except subprocess.TimeoutExpired:
        ended = False
    except OSError:  # no process to be had
        return
    if not ended:
        raise DatasetError(f"{path}: is damaged: the HDF5 library cannot read it: make it again")


def touch(path: str) -> None:
    """Open a data set, and read what is not audio."""
    from loopnet_cli.data.store import BarStore

    with contextlib.suppress(LoopnetError), BarStore(path) as store:
        store.loops()
        store.rejected()
        rows = [*store.indices("train")[:100], *store.indices("test")[:100]]
        store.patterns(rows)
        store.read(rows[:1])
