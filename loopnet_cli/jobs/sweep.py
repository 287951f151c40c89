"""Sweeps: options that take one value after another, and every combination of them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from string import Formatter

from loopnet_cli.cli.outputs import FIELDS, fill_name
from loopnet_cli.errors import UsageError

_NUMBER = r"[+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*:\s*({_NUMBER})\s*:\s*(\d{{1,9}})\s*", re.ASCII)
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Sweep:
    """An option and the values that it takes.

    Attributes
    ----------
    option : str
        Its name, without dashes in front.
    values : tuple of str
        As they would be typed.
    """

    option: str
    values: tuple[str, ...]


def parse_sweep(text: str, limit: int) -> Sweep:
    """Read ``brightness=0:1:5`` (from 0 to 1 in 5 steps), ``kit=a,b,c``, or ``chroma=C,Eb,G;Am`` with semicolons.

    A range that begins with a sign has signed values: knobs relative to the kit.

    Parameters
    ----------
    text : str
        What was typed.
    limit : int
        The most values that are allowed.

    Raises
    ------
    UsageError
        If it is written otherwise, has no value, too many, or one twice.
    """
    name, equals, words = text.partition("=")
    option = name.strip().lstrip("-").lower().replace(".", "-").replace("_", "-")
    if not equals or not option or not words.strip():
        raise UsageError(f"--sweep {text}: write an option and its values, e.g. brightness=0:1:5 or kit=a,b")
    found = _RANGE.fullmatch(words)
    if found is not None:
        count = int(found[3])
        if count < 1:
            raise UsageError(f"--sweep {text}: a range has 1 value or more: START:END:COUNT")
        if count > limit:
            raise UsageError(f"--sweep {text}: {count} values, and --max allows {limit} loops")
        return Sweep(option, tuple(_range(found[1], found[2], count)))
    values = tuple(value.strip() for value in words.split(";" if ";" in words else ","))
    if option == "kit" and len(values) > 1 and ";" not in words and ":" in words:
        raise UsageError(
            f"--sweep {text}: a mix has commas of its own: put semicolons between kits ('kit=a:0.3,b:0.7;c'), "
            "or use --kit for the same mix in all loops"
        )
    if "" in values:
        raise UsageError(f"--sweep {text}: a value is empty")
    if len(set(values)) < len(values):
        raise UsageError(f"--sweep {text}: a value is given twice")
    return Sweep(option, values)


def _range(start: str, end: str, count: int) -> Iterator[str]:
    signed = start[0] in "+-"
    first, last = float(start), float(end)
    for step in range(count):
        value = first if count == 1 else first + (last - first) * step / (count - 1)
        # 0 is no knob that is moved to nothing, but one that is not moved
        shown = f"{round(value, _DIGITS) + 0.0:.{_DIGITS}f}".rstrip("0").rstrip(".")
        yield f"+{shown}" if signed and not shown.startswith("-") else shown


def parse_sweeps(texts: Iterable[str], inputs: int, limit: int) -> list[Sweep]:
    """Read all sweeps.

    Parameters
    ----------
    texts : iterable of str
        See `parse_sweep`.
    inputs : int
        How many rhythms there are.
    limit : int
        The most loops that are allowed.

    Raises
    ------
    UsageError
        If one is wrong, an option is swept twice, or there are too many combinations.
    """
    sweeps: list[Sweep] = []
    for text in texts:
        sweep = parse_sweep(text, limit)
        if any(sweep.option == other.option for other in sweeps):
            raise UsageError(f"--sweep {sweep.option} is given twice: give all its values at once")
        sweeps.append(sweep)
    counts = [inputs, *(len(sweep.values) for sweep in sweeps)] if inputs > 1 else [len(s.values) for s in sweeps]
    total = math.prod(counts)
    if total > limit:
        raise UsageError(
            f"{' x '.join(map(str, counts))} = {total} loops, and --max allows {limit}: raise it, or sweep less"
        )
    return sweeps


def combinations(sweeps: Sequence[Sweep]) -> Iterator[dict[str, str]]:
    """Yield every combination, the last sweep moving fastest."""
    for values in product(*(sweep.values for sweep in sweeps)):
        yield {sweep.option: value for sweep, value in zip(sweeps, values, strict=True)}


def default_name(sweeps: Sequence[Sweep], variations: int) -> str:
    """Return the template of names that tells all loops apart."""
    parts = ["{stem}", *(f"{sweep.option}-{{{sweep.option}}}" for sweep in sweeps)]
    return "_".join([*parts, *(["{seed}"] if variations > 1 else [])])


def filled(template: str, values: Mapping[str, str], option: str = "--name") -> str:
    """Return a template for ``generate``, with what was swept filled in and the rest left to it.

    Raises
    ------
    UsageError
        If it is malformed or a field is unknown.
    """
    # says what is wrong with it, in the usual words
    known = {**dict.fromkeys(FIELDS, 0), **values}
    fill_name(template if option == "--name" else template.replace("/", "").replace("\\", ""), known, option)
    pieces = []
    for literal, name, spec, _ in Formatter().parse(template):
        pieces.append(literal.replace("{", "{{").replace("}", "}}"))
        if name is not None and name in values:
            value = values[name]
            # a width, as in {seed:05}, is for numbers
            number = int(value) if value.isascii() and value.isdigit() else None
            pieces.append(
                fill_name(
                    f"{{{name}:{spec if number is not None else ''}}}", {name: value if number is None else number}
                )
            )
        elif name is not None:
            pieces.append(f"{{{name}:{spec}}}" if spec else f"{{{name}}}")
    return "".join(pieces)


def number_or_text(value: str) -> str | float:
    """Return a value as a number where it is one, so that a page can put them in order."""
    return float(value) if re.fullmatch(_NUMBER, value, re.ASCII) else value
