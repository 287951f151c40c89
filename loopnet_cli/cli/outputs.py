"""Where loops go: names from a template, and every clash found before anything is rendered."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from string import Formatter

from loopnet_cli.audio.write import FORMATS
from loopnet_cli.errors import AudioError, UsageError

FIELDS: dict[str, str] = {
    "stem": "the input's name without its ending",
    "kit": "the kit's name",
    "model": "the model's name",
    "seed": "the seed",
    "bpm": "the tempo",
    "bars": "the number of bars",
    "meter": "the meter, e.g. 7-8",
    "variation": "1, 2, ...",
}
"""What may stand in braces in ``--name``, and what it becomes."""

DEFAULT_NAME = "{stem}_{kit}_{seed}"
STDOUT = "-"
_NO_NAMES = ("Cc", "Zl", "Zp")  # categories of Unicode that terminals and scripts stumble over
HINT = "e.g. by {seed} or {stem} in --name"
"""How files are told apart."""


@dataclass(frozen=True, slots=True)
class Output:
    """The files of one loop.

    Attributes
    ----------
    path : Path or None
        The loop; None for standard output.
    stems : Mapping from stem name to Path
        Empty if not asked for.
    plot : Path or None
        The picture, if asked for.
    folders : tuple of Path
        Folders to make if they are missing.
    """

    path: Path | None
    stems: Mapping[str, Path] = field(default_factory=dict)
    plot: Path | None = None
    folders: tuple[Path, ...] = ()

    @property
    def files(self) -> list[Path]:
        """All of them."""
        named = [self.path, *self.stems.values(), self.plot]
        return [path for path in named if path is not None]


def choose_format(asked: str | None, name: str | None) -> str:
    """Return the file format: the one asked for, else the one that the name ends in, else WAV.

    Raises
    ------
    UsageError
        If the two contradict each other, or the ending is that of no format loopnet writes.
    """
    ending = Path(name).suffix.lower().removeprefix(".") if name else ""
    if asked is None:
        # an ending such as the .5 of a tempo is part of the name
        if ending not in FORMATS and re.fullmatch(r"[a-z][a-z0-9]{1,4}", ending):
            raise UsageError(f"cannot tell the format from .{ending}: use .wav or .flac, or say --format")
        return ending if ending in FORMATS else FORMATS[0]
    if ending in FORMATS and ending != asked:
        raise UsageError(f"--format {asked} and a name ending in .{ending} contradict each other")
    return asked


def fill_name(template: str, values: Mapping[str, object], option: str = "--name") -> str:
    """Return a file name made from a template such as ``{stem}_{kit}_{seed:05}``.

    What fields become is freed of path separators and other characters that
    file systems dislike; the template itself may not hold separators.

    Raises
    ------
    UsageError
        If a field is unknown, the template is malformed, or no name is left.
    """
    folder = ", use --out-dir for the folder" if option == "--name" else ""
    if "/" in template or "\\" in template:
        raise UsageError(f"{option} {template}: no path separators here{folder}")
    if any(unicodedata.category(c) in _NO_NAMES for c in template):
        raise UsageError(f"{option} {template}: no line breaks or control characters here")
    name = "".join(_parts(template, values, option))
    if name.strip(". ") == "":
        raise UsageError(f"{option} {template} leaves no name")
    return name


def fill_path(template: str, values: Mapping[str, object], option: str = "--plot") -> Path:
    """Return a path made from a template whose folder part is the user's own (``plots/{stem}.png``)."""
    return Path("".join(_parts(template, values, option)))


def fields_in(template: str) -> set[str]:
    """Return the fields that a template has; none if it is malformed."""
    try:
        return {name for _, name, _, _ in Formatter().parse(template) if name}
    except ValueError:
        return set()


def _parts(template: str, values: Mapping[str, object], option: str) -> Iterable[str]:
    try:
        pieces = list(Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"{option} {template} is malformed: {error} (write {{{{ for a brace)") from error
    for literal, name, spec, conversion in pieces:
        yield literal
        if name is None:
            continue
        if name not in values:
            near = get_close_matches(name, values, 1)
            hint = f"did you mean {{{near[0]}}}?" if near else "use " + ", ".join(f"{{{f}}}" for f in values)
            raise UsageError(f"{option} {template} has an unknown field {{{name}}}: {hint}")
        # only a width, so that no template asks for a name of a billion characters
        if conversion or not re.fullmatch(r"0?\d?", spec or "", re.ASCII):
            raise UsageError(f"{option} {template}: after {name} only a width may stand, e.g. {{seed:05}}")
        yield _safe(f"{values[name]:{spec}}")


def _safe(text: str) -> str:
    """Return text fit to be part of a file name on any system."""
    return re.sub(r"[^\w.+ -]", "_", text).replace("..", "_").strip(" ")[:120]


def check_clashes(outputs: Iterable[Output], inputs: Iterable[Path], hint: str = HINT) -> None:
    """Make sure that no file would be written twice, or over an input.

    Parameters
    ----------
    outputs : iterable of Output
        What is to be written.
    inputs : iterable of Path
        What is read.
    hint : str
        How the user can tell files apart.

    Raises
    ------
    UsageError
        Naming the file.
    """
    sources = {_identity(path) for path in inputs}
    taken: set[str] = set()
    for output in outputs:
        for path in output.files:
            key = _identity(path)
            if key in sources:
                raise UsageError(f"{path} is an input: loopnet does not write over what it reads")
            if key in taken and not _is_device(path):
                raise UsageError(f"two files would be called {path}: tell them apart, {hint}")
            taken.add(key)


def check_folders(outputs: Iterable[Output]) -> None:
    """Make sure that each file has a folder to be written to, or that it will be made.

    Raises
    ------
    AudioError
        Naming the first that has none.
    """
    for output in outputs:
        for path in output.files:
            folder = path.parent
            made = any(folder == other or folder in other.parents for other in output.folders)
            if not made and not os.path.lexists(folder):
                raise AudioError(f"cannot write {path}: the folder {folder} does not exist")


def is_folder(path: Path) -> bool:
    """Tell whether a path is that of a folder; one too long to be any is not."""
    try:
        return path.is_dir()
    except OSError:
        return False


def _identity(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def existing(output: Output) -> Path | None:
    """Return a regular file that the output would replace, if there is one."""
    return next((path for path in output.files if path.is_file() or path.is_dir()), None)
