"""Keeping a C library quiet that prints to the process's standard error by itself.

libsndfile's decoder of MP3 prints notes about every odd byte there and has no option against it. What is wrong
with a file is told in one line all the same: the library's functions say so too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hushed(wanted: bool = True) -> Iterator[None]:
    """Send what is printed to file descriptor 2 meanwhile to nowhere, if `wanted`; of all threads of the process."""
    if not wanted:
        yield
        return
    try:
        before = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except OSError:  # no standard error, or no more files: nothing to keep quiet
        yield
        return
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(nowhere)
