"""Real Fourier transforms, those of `scipy.fft` to the bit, without its import.

Importing `scipy.fft` takes 0.16 s of computing, of which 0.006 s are the transforms themselves: a compiled module
that needs nothing but numpy (the rest makes `scipy.special` and array-API wrappers). A command that renders one loop
takes less than that for all its sound, so the compiled module is loaded by itself where it lies where scipy 1.4 to
1.17 have it; anywhere else `scipy.fft` is asked, with the same results. (`numpy.fft` will not do: it transforms
single precision by way of double, several times slower.)
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COMPILED = "scipy.fft._pocketfft.pypocketfft"
_FORWARD, _INVERSE = 0, 2
"""Scaling: by 1 forwards, by 1 / n backwards."""


def rfft(x: NDArray[np.floating], axis: int = -1) -> NDArray[Any]:
    """Transform real numbers along an axis, float32 to complex64 and float64 to complex128; as `scipy.fft.rfft`."""
    compiled = _compiled()
    if compiled is None or not _plain(x, "f") or not x.shape[axis]:
        from scipy import fft

        transformed: NDArray[Any] = fft.rfft(x, axis=axis)
        return transformed
    spectrum: NDArray[Any] = compiled.r2c(x, (axis,), True, _FORWARD, None, 1)
    return spectrum


def irfft(spectrum: NDArray[np.inexact], samples: int, axis: int = -1) -> NDArray[Any]:
    """Transform back to `samples` real numbers along an axis; as `scipy.fft.irfft`."""
    compiled = _compiled()
    if spectrum.dtype.kind == "f":
        spectrum = spectrum + 0j  # a curve of real numbers: its width stays
    if compiled is None or not _plain(spectrum, "c") or spectrum.shape[axis] != samples // 2 + 1 or samples < 1:
        from scipy import fft

        transformed: NDArray[Any] = fft.irfft(spectrum, samples, axis=axis)
        return transformed
    signal: NDArray[Any] = compiled.c2r(spectrum, (axis,), samples, False, _INVERSE, None, 1)
    return signal


@cache
def next_fast_len(samples: int) -> int:
    """Find the next length that real transforms are fast at; as ``scipy.fft.next_fast_len(samples, real=True)``."""
    best = 1 << max(samples - 1, 0).bit_length()
    fives = 1
    while fives < best:
        length = fives
        while length < best:
            # the fewest doublings that reach it
            twos = max(-(-samples // length) - 1, 0).bit_length()
            best = min(best, length << twos)
            length *= 3
        fives *= 5
    return best


def _plain(x: NDArray[Any], kind: str) -> bool:
    """Whether the compiled module takes an array as it is: single or double precision, in the machine's own order."""
    return x.dtype.kind == kind and x.dtype.isnative and x.dtype.itemsize in ((4, 8) if kind == "f" else (8, 16))


@cache
def _compiled() -> Any:
    """Return the compiled transforms, or None where they cannot be had by themselves."""
    if _COMPILED in sys.modules:
        return sys.modules[_COMPILED]
    try:
        found = find_spec("scipy")
        folders = () if found is None or found.submodule_search_locations is None else found.submodule_search_locations
        files = [
            Path(folder) / "fft" / "_pocketfft" / f"pypocketfft{s}" for folder in folders for s in EXTENSION_SUFFIXES
        ]
        path = str(next(file for file in files if file.is_file()))
        spec = spec_from_file_location(_COMPILED, path, loader=ExtensionFileLoader(_COMPILED, path))
        assert spec is not None and spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        # what it shall do is tried out, for it is nobody's promise
        signal = module.c2r(module.r2c(np.eye(1, 6), (1,), True, _FORWARD, None, 1), (1,), 6, False, _INVERSE, None, 1)
        if not np.allclose(signal, np.eye(1, 6)):
            return None
    except (ImportError, OSError, StopIteration, AttributeError, TypeError, ValueError):
        return None
    # scipy finds it here, if it is imported later on
    sys.modules[_COMPILED] = module
    return module
