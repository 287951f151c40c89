"""One recording's rhythm in another one's sound: blending kits, and coming close to a sound by measuring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob, Loop
from loopnet_cli.errors import UsageError
from loopnet_cli.synthesis.audible import audible_levels, remixed, rhythm_kept
from loopnet_cli.synthesis.balance import balance_curve, band_levels, equalised
from loopnet_cli.synthesis.kit_mix import check_amount, mixed
from loopnet_cli.synthesis.kitcode import kit_from_audio
from loopnet_cli.synthesis.studio import StudioModel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.transcriber import Transcriber
    from loopnet_cli.pattern.model import Pattern

LIKENESS = ((True, 1.0), (True, 0.5), (True, 0.0), (False, 0.5), (False, 0.0))
"""How close to come to a recording, closest first: whether to match its features, and how far to go
to its tonal balance, within what `balance_curve` allows."""
RHYTHM_LOST = 0.05
"""How much less of the rhythm may be heard than with the kit alone, at the best levels of the stems."""


@dataclass(frozen=True)
class Sound:
    """How something sounds: a kit, and if it is a recording what was measured in it.

    Attributes
    ----------
    kit : Kit
        Codes and levels of the voices.
    timbre : Mapping from feature name to float, or None
        The 21 features, 0..1; None for a kit of the bank, which sounds as it does.
    balance : ndarray, or None
        Its `band_levels`.
    """

    kit: Kit
    timbre: Mapping[str, float] | None = None
    balance: NDArray[np.float64] | None = None


def sound_of(
    model: StudioModel,
    audio: NDArray[np.float32],
    sample_rate: int,
    pattern: Pattern,
    *,
    timbre: Mapping[str, float],
    chroma: Sequence[float],
    name: str,
    description: str = "from a recording",
) -> Sound:
    """Find out how a recording sounds.

    Parameters
    ----------
    model : StudioModel
    audio : ndarray of float32, shape (samples,)
        One turn of its loop, mono.
    sample_rate : int
        In Hz.
    pattern : Pattern
        What is played in it.
    timbre : Mapping from feature name to float
        Its 21 features as knob values.
    chroma : sequence of 12 float
        Its pitch classes.
    name, description : str
        Of the kit.

    Raises
    ------
    AudioError
        If the recording is silent.
    """
    kit = kit_from_audio(model, audio, sample_rate, pattern, name=name, description=description)
    measured = {feature: float(np.clip(timbre[feature], 0.0, 1.0)) for feature in TIMBRE_NAMES}
    kit = replace(kit, timbre=measured, chroma=tuple(float(value) for value in chroma))
    return Sound(kit, measured, band_levels(audio, sample_rate))


def blended_kit(a: Kit, b: Kit, amount: float, *, name: str | None = None) -> Kit:
    """Return the kit that lies so far on the way from one to another.

    Parameters
    ----------
    a, b : Kit
    amount : float
        0 is `a`, 1 is `b`. Codes and features are blended linearly, levels in decibels.
    name : str, optional
        Of the result; made of both names if not given.

    Raises
    ------
    UsageError
        If `amount` lies outside 0..1.
    """
    check_amount(amount)
    if amount in (0.0, 1.0):
        return b if amount else a

    return mixed(
        [(a, 1 - amount), (b, amount)],
        name=name or f"{a.name}+{b.name}",
        description=f"{1 - amount:.0%} {a.name}, {amount:.0%} {b.name}",
    )


def transfer(
    model: StudioModel,
    pattern: Pattern,
    sound: Sound,
    *,
    own: Sound | None = None,
    amount: float = 1.0,
    knobs: Mapping[str, Knob] | None = None,
    chroma: Sequence[float] | None = None,
    seed: int = 0,
    ears: Transcriber | None = None,
) -> Loop:
    """Play a rhythm in another sound.

    Parameters
    ----------
    model : StudioModel
    pattern : Pattern
        The rhythm.
    sound : Sound
        How it shall sound.
    own : Sound, optional
        How the rhythm's recording sounds by itself; needed for an `amount` below 1.
    amount : float
        0 is the rhythm's own sound, 1 the other one.
    knobs : Mapping from feature name to Knob, optional
        On top: relative ones move what `sound` has, absolute ones replace it.
    chroma : sequence of 12 float, optional
        Pitch classes to tune the loop to.
    seed : int
        Which noise sounds.
    ears : Transcriber, optional
        Who listens to the result: it comes only so close to the other sound that the rhythm is
        still heard, and its stems are moved where that helps. Without, it comes as close as it can,
        and strokes may drown.

    Returns
    -------
    Loop
        As `StudioModel.render` makes it.

    Raises
    ------
    UsageError
        If `amount` lies outside 0..1 or is below 1 with no sound to blend with.
    """
    if amount != 1.0 and own is None:
        raise UsageError(f"amount {amount:g} needs the rhythm's own sound: give a recording, or a kit for it")
    first = own or sound
    kit = blended_kit(first.kit, sound.kit, amount)
    match, wanted = _blended_timbre(first, sound, amount), _blended_balance(first, sound, amount)
    if match is None or wanted is None:
        return model.render(pattern, kit=kit, timbre=knobs, match=match, chroma=chroma, seed=seed)

    def rendered(matched: bool, turned: Mapping[str, Knob] | None) -> Loop:
        target = match if matched else None
        return model.render(pattern, kit=kit, timbre=turned, match=target, chroma=chroma, seed=seed)

    # the knobs are turned on top of the likeness, which must not turn them back
    bases = {matched: rendered(matched, None) for matched in ((True, False) if ears else (True,))}

    def likened(matched: bool, share: float) -> tuple[NDArray[np.float64], Loop]:
        curve = balance_curve(band_levels(bases[matched].audio, bases[matched].sample_rate), wanted, share)
        return curve, equalised(bases[matched], curve)

    levels: dict[str, float] = {}
    if ears is not None:
        brought_out = remixed(bases[False], audible_levels(bases[False], pattern, ears))
        least = rhythm_kept(brought_out, pattern, ears) - RHYTHM_LOST
    for matched, share in LIKENESS:
        curve, loop = likened(matched, share)
        if ears is None:
            break
        levels = audible_levels(loop, pattern, ears)
        if rhythm_kept(remixed(loop, levels), pattern, ears) >= least:
            break
    return remixed(equalised(rendered(matched, knobs), curve) if knobs else loop, levels)


def _blended_timbre(a: Sound, b: Sound, amount: float) -> dict[str, float] | None:
    """Return the features to come close to; a kit of the bank asks for none."""
    if b.timbre is None or (a.timbre is None and amount < 1):
        return None
    first = a.timbre or b.timbre
    return {name: (1 - amount) * first[name] + amount * b.timbre[name] for name in TIMBRE_NAMES}


def _blended_balance(a: Sound, b: Sound, amount: float) -> NDArray[np.float64] | None:
    if b.balance is None or (a.balance is None and amount < 1):
        return None
    first = b.balance if a.balance is None else a.balance
    # both at the same level, or the louder one decides
    blended: NDArray[np.float64] = (1 - amount) * (first - first.max()) + amount * (b.balance - b.balance.max())
    return blended
