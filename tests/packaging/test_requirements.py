"""What the code imports is declared, and what is declared is pinned for `make`."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

REPOSITORY = Path(__file__).parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
# the CUDA parts of PyPI's Linux build of torch, which torch itself pins
CUDA = re.compile(r"nvidia-|cuda-|triton$")
# the folders and modules that may import what only an extra brings
OPTIONAL_FOLDERS = {"training": "train", "engine_dask.py": "dask"}
OPTIONAL_MODULES = {"audio/play.py": "play"}


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def pins() -> dict[str, Version]:
    lines = (REPOSITORY / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(name): Version(version) for name, version in pairs}


def imports(path: Path) -> Iterator[str]:
    """Yield the top-level name of every absolute import, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def closure(requirements: list[str]) -> set[str]:
    """Return the names of all that `requirements` bring, as far as it is installed here."""
    found: set[str] = set()
    waiting = [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or CUDA.match(name):
            continue
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        found.add(name)
        try:
            brought = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for wanted in requirement.extras or {""}:
            waiting += [(Requirement(text), wanted) for text in brought]
    return found


@pytest.mark.parametrize("path", sorted((REPOSITORY / "loopnet_cli").rglob("*.py")), ids=lambda p: p.stem)
def test_imports_are_declared(path: Path) -> None:
    declared = names(PROJECT["dependencies"])
    place = path.relative_to(REPOSITORY / "loopnet_cli")
    extra = OPTIONAL_MODULES.get(place.as_posix()) or OPTIONAL_FOLDERS.get(place.parts[0])
    if extra:
        declared |= names(PROJECT["optional-dependencies"][extra])
    outside = {name for name in imports(path) if name not in sys.stdlib_module_names and name != "loopnet_cli"}
    distributions = importlib.metadata.packages_distributions()
    undeclared = {
        name for name in outside if not declared & {canonicalize_name(d) for d in distributions.get(name, [name])}
    }
    assert not undeclared


def test_everything_that_is_installed_through_make_is_pinned() -> None:
    extras = PROJECT["optional-dependencies"]
    wanted = [*PROJECT["dependencies"], *(text for extra in extras.values() for text in extra)]
    assert closure(wanted) - pins().keys() == set()


def test_pins_satisfy_what_is_declared() -> None:
    extras = PROJECT["optional-dependencies"]
    pinned = pins()
    for text in [*PROJECT["dependencies"], *(t for extra in extras.values() for t in extra)]:
        requirement = Requirement(text)
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version, prereleases=True), f"{text}: pinned at {version}"


def test_a_plain_install_needs_no_compiler() -> None:
    """madmom, source only, must stay out of what `pip install loopnet` brings."""
    assert "madmom" not in names(PROJECT["dependencies"])
    assert "madmom" in names(PROJECT["optional-dependencies"]["beats"])
