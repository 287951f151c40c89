"""How many threads numerical libraries use: one, unless somebody says otherwise.

Another number of threads adds up sums in another order, so that the last bits of a result would depend on the
machine's cores and on how many workers share them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Read by numerical libraries when they are imported."""


def one_thread() -> None:
    """Ask for one thread, before numpy is imported; what the user's environment says is left alone."""
    for name in THREAD_VARIABLES:
        os.environ.setdefault(name, "1")


def thread_settings(threads: int) -> dict[str, str]:
    """Return the environment variables of a process that shall compute on so many threads."""
    return dict.fromkeys(THREAD_VARIABLES, str(threads))


@contextmanager
def one_thread_meanwhile() -> Iterator[None]:
    """Have processes that are started meanwhile compute on one thread each: N workers shall not fight for the cores.

    One always, so that sums are added up in the same order however many workers there are.
    """
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(thread_settings(1))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
