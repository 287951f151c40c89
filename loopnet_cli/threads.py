"""How many threads numerical libraries use: one, unless somebody says otherwise.

Another number of threads adds up sums in another order, so that the last bits of a result would depend on the
machine's cores and on how many workers share them.
"""

from __future__ import annotations

import os

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
