"""What the user named as input: files, patterns of names, a grid typed in place, standard input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path

from loopnet_cli.errors import PatternError, UsageError
from loopnet_cli.pattern.grid import looks_like_grid
from loopnet_cli.pattern.model import Pattern
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


def expand_files(words: Iterable[str]) -> list[Input]:
    """Return the files that the words on the command line name, in their order; ``-`` is standard input.

    Raises
    ------
    UsageError
        If a pattern of names matches no file, or standard input is named twice.
    """
    named = list(words)
    if named.count(STDIN) > 1:
        raise UsageError("standard input (-) can be read once only")
    groups = [[_file(word)] if looks_like_grid(word) else expand_inputs([word]) for word in named]
    return [item for group in groups for item in group]


def parse_meter(text: str | None) -> tuple[int, int] | None:
    """Read a meter such as ``7/8``; None stays None.

    Raises
    ------
    UsageError
        If it is not written like that, or there is no such meter.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text.strip(), re.ASCII)
    if match is None:
        raise UsageError(f"--meter {text}: write it as e.g. 7/8")
    try:
        return Pattern((), meter=(int(match[1]), int(match[2]))).meter
    except PatternError as error:  # which begins with the word meter
        raise UsageError(f"--{error}") from error


def _file(word: str) -> Input:
    path = Path(word)
    return Input(word, word, path.stem or "loop", path)
