"""A loop several times in a row."""

from __future__ import annotations

from dataclasses import replace

from loopnet_cli.controls import Loop
from loopnet_cli.errors import UsageError

MAX_SECONDS = 7200.0
"""The longest audio made by repeating."""


def repeat_loop(loop: Loop, times: int) -> Loop:
    """Return the loop `times` times in a row: a longer loop, as seamless inside as at its ends.

    The length is `times` times the samples of one loop, so that every turn is the same.

    Raises
    ------
    UsageError
        If `times` is below 1 or the result longer than `MAX_SECONDS`.
    """
    import numpy as np

    seconds = loop.audio.shape[0] / loop.sample_rate
    if times < 1 or times * seconds > MAX_SECONDS:
        most = max(1, int(MAX_SECONDS / seconds))
        raise UsageError(f"--repeat {times}: a loop of {seconds:.1f} s can be played 1 to {most} times")
    if times == 1:
        return loop
    stems = {name: np.tile(stem, times) for name, stem in loop.stems.items()}
    return replace(loop, audio=np.tile(loop.audio, times), stems=stems, bars=loop.bars * times)
