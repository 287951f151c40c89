"""Kits out of kits: mixes (``a:0.3,b:0.7``), steps between two, kits with their knobs turned. Light: no numpy."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from loopnet_cli.controls import Kit, Knob
from loopnet_cli.errors import UsageError

MAX_PARTS = 1000
FAINT = 1e-3
"""Level (-60 dB) at which a silent voice enters a blend: decibels know no silence."""
MAX_LABEL = 60
MAX_STEPS = 1000
DECIMALS = 6
"""Of the weights in the name of a mix."""

_WEIGHT = re.compile(r"(\d{1,9}(?:\.\d{0,12})?|\.\d{1,12})(%?)", re.ASCII)


def is_mix(text: str) -> bool:
    """Return whether a text is written like a mix of kits: names of kits hold neither commas nor colons."""
    return "," in text or ":" in text


def looks_like_mix(text: str) -> bool:
    """Return whether a text can be nothing but a mix of kits: ``name:number`` or names with commas, no folders."""
    parts = text.split(",")
    if set("/\\*?[") & set(text) or not is_mix(text):
        return False
    return all(_WEIGHT.fullmatch(p.partition(":")[2].strip()) for p in parts if ":" in p)


def parse_mix(text: str) -> list[tuple[str, Fraction]]:
    """Read ``a:0.3,b:0.7``: names of kits with their weights, blanks allowed; no weight is a weight of 1.

    Returns
    -------
    list of (str, Fraction)
        Sorted by name, each name once; the weights are above 0 and sum to 1 exactly.

    Raises
    ------
    UsageError
        If it is not written like that, or all weights are 0.
    """
    shown = "".join(c if c.isprintable() else "?" for c in text[:100])
    weights: dict[str, Fraction] = {}
    parts = text.split(",", MAX_PARTS)
    if len(parts) > MAX_PARTS:
        raise UsageError(f"a mix of more than {MAX_PARTS} kits: use fewer")
    for part in parts:
        name, colon, number = (piece.strip() for piece in part.partition(":"))
        if not name:
            raise UsageError(f"kit mix {shown!r}: a name is missing, write e.g. a:0.3,b:0.7")
        match = _WEIGHT.fullmatch(number) if colon else None
        if colon and match is None:
            raise UsageError(
                f"kit mix {shown!r}: {number[:20]!r} is no weight, write numbers from 0 on, e.g. a:0.3,b:0.7"
            )
        weight = Fraction(1) if match is None else Fraction(match[1].removesuffix(".") or "0")
        if match is not None and match[2]:
            weight /= 100
        weights[name] = weights.get(name, Fraction(0)) + weight
    total = sum(weights.values())
    if total == 0:
        raise UsageError(f"kit mix {shown!r}: all weights are 0")
    return [(name, weights[name] / total) for name in sorted(weights) if weights[name]]


def mix_name(parts: Sequence[tuple[str, Fraction]]) -> str:
    """Return a mix as it can be typed again, e.g. ``a:0.3,b:0.7``; thirds and their like as ``a:1,b:2``."""
    if len(parts) == 1:
        return parts[0][0]
    whole = math.lcm(*(weight.denominator for _, weight in parts))
    exact = all(10**DECIMALS % weight.denominator == 0 for _, weight in parts)
    if exact or whole > 10**DECIMALS:
        return ",".join(f"{name}:{_decimal(weight, DECIMALS)}" for name, weight in parts)
    return ",".join(f"{name}:{int(weight * whole)}" for name, weight in parts)


def kit_label(name: str) -> str:
    """Return the name of a kit or mix fit for file names: ``a:0.3,b:0.7`` becomes ``a-30+b-70``.

    Long ones become a count and a checksum.
    """
    if not is_mix(name):
        return name
    label = "+".join(f"{part}-{_decimal(100 * weight, 2)}" for part, weight in parse_mix(name))
    if len(label) <= MAX_LABEL:
        return label
    return f"mix-of-{label.count('+') + 1}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def mixed(parts: Sequence[tuple[Kit, Fraction | float]], *, name: str, description: str | None = None) -> Kit:
    """Blend kits.

    Parameters
    ----------
    parts : sequence of (Kit, weight)
        The weights are above 0 and sum to 1.
    name : str
        Of the result.
    description : str, optional
        Of the result; the shares, if not given.

    Returns
    -------
    Kit
        Codes, features, chroma and turned knobs are blended linearly, levels in decibels. The order of the
        parts makes no difference, to the last bit.
    """
    if len(parts) == 1:
        return parts[0][0]
    weights = [float(weight) for _, weight in parts]
    kits = [kit for kit, _ in parts]

    def between(values: Iterable[float]) -> float:
        # exact sums, so that their order does not matter
        return math.fsum(weight * value for weight, value in zip(weights, values, strict=True))

    def level(values: Sequence[float]) -> float:
        if not any(values) or len(set(values)) == 1:
            return values[0]
        return math.exp(between([math.log(max(value, FAINT)) for value in values]))

    first = kits[0]
    turned = sorted({feature for kit in kits for feature in kit.shift})
    shares = ", ".join(f"{float(weight):.0%} {kit.name}" for kit, weight in parts)
    return Kit(
        name=name,
        description=shares if description is None else description,
        codes={
            voice: tuple(map(between, zip(*(kit.codes[voice] for kit in kits), strict=True))) for voice in first.codes
        },
        levels={voice: level([kit.levels[voice] for kit in kits]) for voice in first.levels},
        timbre={feature: between(kit.timbre[feature] for kit in kits) for feature in first.timbre},
        chroma=tuple(map(between, zip(*(kit.chroma for kit in kits), strict=True))),
        shift={feature: between(kit.shift.get(feature, 0.0) for kit in kits) for feature in turned},
    )


def check_amount(amount: float) -> None:
    """Refuse an amount of blending outside 0..1.

    Raises
    ------
    UsageError
        If it is.
    """
    if not 0 <= amount <= 1:
        raise UsageError(f"amount {amount:g} must lie between 0 (the rhythm's own sound) and 1 (the other one)")


def morph(a: str, b: str, steps: int) -> list[list[tuple[str, Fraction]]]:
    """Return the mixes on the way from one kit or mix to another, both ends included, as `parse_mix` does.

    Parameters
    ----------
    a, b : str
        The ends, which come back as they are.
    steps : int
        How many, at least 2.

    Raises
    ------
    UsageError
        If `steps` is out of range, or an end is not written like a mix.
    """
    if not 2 <= steps <= MAX_STEPS:
        raise UsageError(f"--steps {steps}: must lie between 2 (the two kits) and {MAX_STEPS}")
    ends = parse_mix(a), parse_mix(b)
    made = []
    for step in range(steps):
        share = Fraction(step, steps - 1)
        weights: dict[str, Fraction] = {}
        for end, of_it in zip(ends, (1 - share, share), strict=True):
            for name, weight in end:
                weights[name] = weights.get(name, Fraction(0)) + weight * of_it
        made.append([(name, weights[name]) for name in sorted(weights) if weights[name]])
    return made


def turned(kit: Kit, knobs: Mapping[str, Knob]) -> dict[str, Knob]:
    """Return the knobs to turn when a kit plays: its own, with the user's on top.

    Relative ones add to the kit's own, absolute ones replace them.
    """
    found = {feature: Knob(value, relative=True) for feature, value in kit.shift.items() if value}
    for feature, knob in knobs.items():
        own = found.get(feature)
        moved = knob if own is None or not knob.relative else Knob(own.value + knob.value, relative=True)
        found[feature] = moved
    return found


def with_knobs(kit: Kit, knobs: Mapping[str, Knob], levels_db: Mapping[str, float] | None = None) -> Kit:
    """Return a kit that sounds from now on as with these knobs.

    Parameters
    ----------
    kit : Kit
    knobs : Mapping from feature name to Knob
        Absolute ones are taken as their distance from what the kit has on its reference pattern.
    levels_db : Mapping from voice to float, optional
        How much louder voices shall be, in dB.
    """
    shift, timbre, levels = dict(kit.shift), dict(kit.timbre), dict(kit.levels)
    for feature, knob in knobs.items():
        step = knob.value if knob.relative else knob.value - kit.timbre[feature]
        shift[feature] = shift.get(feature, 0.0) + step
        timbre[feature] = kit.timbre[feature] + step
    for voice, decibels in (levels_db or {}).items():
        levels[voice] *= 10 ** (decibels / 20)
    return replace(kit, shift=shift, timbre=timbre, levels=levels)


def _decimal(number: Fraction, places: int) -> str:
    text = f"{float(number):.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
