"""Load madmom 0.16.1 (2018) under today's Python and numpy.

madmom expects names that Python and numpy have dropped since: abstract classes
in `collections`, and the aliases ``numpy.float``, ``numpy.int``,
``numpy.object`` and ``numpy.complex``. They are lent to it during its import,
then taken back; what its functions look up later, they find in a copy of
numpy's namespace that only madmom's modules see. Nothing else in the process
is changed.

madmom's code has a BSD licence; its trained models are CC BY-NC-SA and are
not for commercial use. loopnet does not ship them.
"""

from __future__ import annotations

import collections
import collections.abc
import contextlib
import doctest
import importlib
import importlib.util
import sys
import threading
import warnings
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from loopnet_cli.errors import LoopnetError

_ABSTRACT_CLASSES = ("Iterable", "MutableMapping", "MutableSequence")
# not "bool": numpy 2 has a `numpy.bool` of its own
_NUMPY_ALIASES: dict[str, type] = {"float": float, "int": int, "object": object, "complex": complex}

_lock = threading.Lock()


class MadmomError(LoopnetError):
    """madmom is not installed, or does not load."""


def has_madmom() -> bool:
    """Return whether madmom is installed, without loading it."""
    return importlib.util.find_spec("madmom") is not None


def import_madmom(name: str = "madmom") -> ModuleType:
    """Import madmom, or a module of it, in a form that runs.

    Parameters
    ----------
    name : str
        Dotted name, e.g. ``"madmom.features.beats"``.

    Returns
    -------
    module
        The module of that name.

    Raises
    ------
    MadmomError
        If madmom is missing or cannot be loaded.
    """
    if not has_madmom():
        raise MadmomError(
            "madmom is not installed: install the extra loopnet[beats] (it needs a C compiler, see README.md)"
        )
    with _lock:
        try:
            with _lent_names():
                module = importlib.import_module(name)
        except Exception as error:  # a C extension built for another numpy raises whatever it likes
            raise MadmomError(f"{name} does not load ({error}): install the extra loopnet[beats] again") from error
        _give_own_numpy()
    return module


@contextlib.contextmanager
def _lent_names() -> Iterator[None]:
    """Add the dropped names while madmom is imported, and undo what its import changes elsewhere."""
    import numpy as np

    lent: list[tuple[ModuleType, str]] = []

    def lend(module: ModuleType, name: str, value: object) -> None:
        if name not in vars(module):
            setattr(module, name, value)
            lent.append((module, name))

    checker = doctest.OutputChecker  # madmom replaces it with its own
    try:
        for name in _ABSTRACT_CLASSES:
            lend(collections, name, getattr(collections.abc, name))
        for name, kind in _NUMPY_ALIASES.items():
            lend(np, name, kind)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pkg_resources and scipy.ndimage.filters announce their end
            yield
    finally:
        for module, name in lent:
            delattr(module, name)
        doctest.OutputChecker = checker  # type: ignore[misc]


def _give_own_numpy() -> None:
    """Let every loaded madmom module see numpy with the old names, under the name it already uses."""
    import numpy as np

    own: ModuleType | None = None
    for name, module in list(sys.modules.items()):
        if name.startswith("madmom.") and vars(module).get("np") is np:
            own = own or _numpy_with_old_names()
            vars(module)["np"] = own


def _numpy_with_old_names() -> ModuleType:
    """Return a copy of numpy's namespace to which the old names are added."""
    import numpy as np

    def asarray(values: Any, *args: Any, **kwargs: Any) -> np.ndarray[Any, Any]:
        # numpy once made object arrays of ragged lists; the downbeat tracker relies on it
        try:
            return np.asarray(values, *args, **kwargs)
        except ValueError:
            if args or kwargs or not isinstance(values, list):
                raise
            return np.asarray(values, dtype=object)

    own = ModuleType("numpy")
    vars(own).update(vars(np))
    vars(own).update(_NUMPY_ALIASES)
    vars(own).update(asarray=asarray, in1d=np.isin)
    return own
