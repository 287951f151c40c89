"""What the user named as input: files, patterns of names, a grid typed in place, standard input."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from loopnet_cli.errors import UsageError
from loopnet_cli.pattern.grid import looks_like_grid
from loopnet_cli.pattern.read import STDIN


@dataclass(frozen=True, slots=True)
class Input:
    """One rhythm to read.

    Attributes
    ----------
    source : str
        What `loopnet_cli.pattern.read.read_pattern` takes.
    label : str
        What messages call it.
    stem : str
        What ``{stem}`` stands for in output names.
    path : Path or None
        The file, if it is one.
    """

    source: str
    label: str
    stem: str
    path: Path | None = None


def expand_inputs(words: Iterable[str]) -> list[Input]:
    """Return the inputs that the words on the command line name, in their order.

    A word that is no file and holds ``*``, ``?`` or ``[`` is expanded as a
    shell would (for shells that do not, and for quoted words).

    Raises
    ------
    UsageError
        If such a word matches no file, or standard input is named twice.
    """
    inputs: list[Input] = []
    for word in words:
        if word == STDIN:
            if any(known.source == STDIN for known in inputs):
                raise UsageError("standard input (-) can be read once only")
            inputs.append(Input(STDIN, "standard input", "stdin"))
        elif looks_like_grid(word):
            inputs.append(Input(word, "grid", "grid"))
        elif has_magic(word) and not Path(word).exists():
            matches = sorted(glob(word, recursive=True))  # noqa: PTH207 - a Path takes no absolute pattern
            if not matches:
                raise UsageError(f"no file matches {word}")
            inputs += [_file(match) for match in matches]
        else:
            inputs.append(_file(word))
    return inputs


def _file(word: str) -> Input:
    path = Path(word)
    return Input(word, word, path.stem or "loop", path)
