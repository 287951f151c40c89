"""Some voices of a loop alone, sounding as they do among the others.

A sound is found, balanced and turned by knobs for all that is played. So everything is rendered, and what
was not asked for is silenced afterwards; a kick alone is then the kick of the whole loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.model import STEM_OF_VOICE, Pattern

if TYPE_CHECKING:
    from loopnet_cli.controls import Loop


def voices_alone(pattern: Pattern, names: Iterable[str]) -> Pattern:
    """Return the hits of the named voices or stems.

    Raises
    ------
    PatternError
        If a name is unknown, or none of them is played.
    """
    wanted = tuple(names)
    chosen = pattern.only(wanted)
    if not chosen.hits:
        played = ", ".join(pattern.voices) or "nothing"
        raise PatternError(f"no {' or '.join(wanted)} to be left alone: {played} is played")
    return chosen


def to_render(pattern: Pattern, chosen: Pattern) -> Pattern:
    """Return what has to be rendered so that the stems of the chosen hits hold these alone.

    Parameters
    ----------
    pattern : Pattern
        All that is played.
    chosen : Pattern
        From `voices_alone`.
    """
    stems = {STEM_OF_VOICE[voice] for voice in chosen.voices}
    hits = [hit for hit in pattern.hits if STEM_OF_VOICE[hit.voice] not in stems or hit.voice in chosen.voices]
    return replace(pattern, hits=tuple(hits))


def render_alone(model: Any, pattern: Pattern, chosen: Pattern, **how: Any) -> tuple[Loop, Loop]:
    """Render some of the hits alone, as they sound among the others.

    Parameters
    ----------
    model : StudioModel or PaperPlayer
    pattern, chosen : Pattern
        All that is played, and from `voices_alone` what shall be left.
    how
        As the model's `render` takes it.

    Returns
    -------
    alone, whole : Loop
        `whole` has what was taken away, too, but for voices that share a stem with those left alone.
    """
    of_its_own = getattr(model, "render_alone", None)
    if of_its_own is not None:
        alone, whole = of_its_own(pattern, chosen, **how)
        return alone, whole
    whole = model.render(to_render(pattern, chosen), **how)
    return isolated(whole, chosen), whole


def isolated(loop: Loop, chosen: Pattern) -> Loop:
    """Return a loop in which only the stems of the chosen hits sound, at the level they have in it."""
    import numpy as np

    kept = {STEM_OF_VOICE[voice] for voice in chosen.voices}
    stems = {name: stem if name in kept else np.zeros_like(stem) for name, stem in loop.stems.items()}
    return replace(loop, stems=stems, audio=np.sum(list(stems.values()), axis=0, dtype=np.float32))
