"""The timbre knobs on the command line: 28 options, and what they mean together.

A knob reads ``.7`` (absolute, 0 to 1) or ``+.2`` / ``-.1`` (relative to the
kit). What is more specific wins: ``--low-brightness`` over
``--timbre low.brightness=``, that over ``--timbre brightness=`` and
``--brightness``, which set all three bands. A relative knob is always relative
to the kit, never to a less specific knob.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, get_type_hints

import typer

from loopnet_cli.controls import ATTRIBUTES, BANDS, TIMBRE_NAMES, Kit, Knob
from loopnet_cli.errors import UsageError

PANEL = "Knobs, all bands"
BAND_PANEL = "Knobs of one band (each wins over the same knob for all bands)"
MEANINGS: dict[str, str] = {
    "hardness": "how hard the strokes hit",
    "depth": "how much deep bass there is",
    "brightness": "how much treble there is",
    "roughness": "how much it buzzes",
    "boominess": "how much the bass rings on",
    "warmth": "how full the low mids are",
    "sharpness": "how piercing it is",
}
"""The seven attributes in a musician's words (after the AudioCommons timbral models)."""

_NUMBER = re.compile(r"([+-]?)(\d{1,9}(?:\.\d{0,12})?|\.\d{1,12})", re.ASCII)


def parse_knob(text: str, name: str) -> Knob:
    """Read one knob: ``0.7`` is absolute, ``+.2`` and ``-.1`` are relative.

    Parameters
    ----------
    text : str
        What was typed.
    name : str
        What to call the knob in the error, e.g. ``--brightness``.

    Raises
    ------
    UsageError
        If it is no number, or out of range.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{name} {text}: use a number from 0 to 1, or with a sign (+.2, -.1) to move the kit's own")
    sign, digits = match.groups()
    value = float(digits)
    if value > 1:
        ends = "-1 to +1" if sign else "0 to 1"
        raise UsageError(f"{name} {text}: out of range, it goes from {ends}")
    return Knob(-value if sign == "-" else value, relative=bool(sign))


def parse_timbre(texts: Iterable[str], option: str = "--timbre") -> dict[str, Knob]:
    """Read ``low.brightness=.7,hardness=+.2``: names of features, or of attributes for all bands.

    Parameters
    ----------
    texts : iterable of str
        What was typed, each time the option was given.
    option : str
        What errors call it.

    Raises
    ------
    UsageError
        If a name is unknown (a near one is suggested), given twice, or a value is out of range.
    """
    knobs: dict[str, Knob] = {}
    for item in ",".join(texts).split(","):
        if not item.strip():
            continue
        name, equals, value = (part.strip() for part in item.partition("="))
        name = name.lower().replace("-", ".")
        known = (*TIMBRE_NAMES, *ATTRIBUTES)
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"use {', '.join(ATTRIBUTES)}, or e.g. low.{ATTRIBUTES[0]}"
            raise UsageError(f"{option}: unknown knob {name!r}: {hint}")
        if not equals:
            raise UsageError(f"{option}: {name} has no value: write {name}=.7")
        if name in knobs:
            raise UsageError(f"{option}: {name} is given twice")
        knobs[name] = parse_knob(value, f"{option} {name}")
    return knobs


def combine(options: Mapping[str, str | None], timbre: Iterable[str], option: str = "--timbre") -> dict[str, Knob]:
    """Return the knobs that are set, by feature name, the more specific ones winning.

    Parameters
    ----------
    options : Mapping
        Texts of the single options by parameter name (``brightness``, ``low_brightness``); None if not given.
    timbre : iterable of str
        The values of the option that takes many.
    option : str
        Its name.
    """
    listed = parse_timbre(timbre, option)
    single = {
        name: parse_knob(text, "--" + name.replace("_", "-")) for name, text in options.items() if text is not None
    }
    knobs: dict[str, Knob] = {}
    for band in BANDS:
        for attribute in ATTRIBUTES:
            feature = f"{band}.{attribute}"
            found = (
                single.get(f"{band}_{attribute}"),
                listed.get(feature),
                listed.get(attribute),
                single.get(attribute),
            )
            for knob in found:
                if knob is not None:
                    knobs[feature] = knob
                    break
    return knobs


def asked_values(kit: Kit, knobs: Mapping[str, Knob]) -> dict[str, float]:
    """Return all 21 features that are asked for, 0..1: the kit's own where no knob is set."""
    asked = {}
    for name in TIMBRE_NAMES:
        knob = knobs.get(name)
        own = kit.timbre[name]
        value = own if knob is None else own + knob.value if knob.relative else knob.value
        asked[name] = min(1.0, max(0.0, value))
    return asked


def knob_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command one option a knob; it receives their texts as a dict, its parameter ``knobs``."""
    hints = get_type_hints(command, include_extras=True)
    parameters = []
    for parameter in inspect.signature(command).parameters.values():
        if parameter.name == "knobs":
            parameters += _knob_parameters()
        else:
            parameters.append(parameter.replace(annotation=hints[parameter.name]))
    names = [parameter.name for parameter in _knob_parameters()]

    @functools.wraps(command)
    def with_knobs(**values: Any) -> None:
        command(knobs={name: values.pop(name) for name in names}, **values)

    # Typer reads the one or the other, by version
    with_knobs.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_knobs.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_knobs


def _knob_parameters() -> list[inspect.Parameter]:
    parameters = [_knob_parameter(name, f"{meaning}".capitalize() + ".", PANEL) for name, meaning in MEANINGS.items()]
    for band in BANDS:
        parameters += [
            _knob_parameter(f"{band}_{name}", f"{name.capitalize()} of the {band} band.", BAND_PANEL)
            for name in ATTRIBUTES
        ]
    return parameters


def _knob_parameter(name: str, help_text: str, panel: str) -> inspect.Parameter:
    option = typer.Option("--" + name.replace("_", "-"), help=help_text, metavar="X", rich_help_panel=panel)
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, option]
    )
