"""Long recordings: transcribed a minute at a time, so that an hour costs time but no memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.transcription import FRAME_RATE, Transcription
from loopnet_cli.audio.read import read_part

if TYPE_CHECKING:
    from loopnet_cli.analysis.transcriber import Transcriber
    from loopnet_cli.audio.survey import Survey

PIECE_SECONDS, MARGIN_SECONDS = 60, 2
"""Each piece is heard with what lies around it. Whole seconds are whole frames and whole samples at any rate."""
_STEP = 10.0

Progress = Callable[[float, float], None]
"""Called with the seconds done and those of the whole."""


def transcribe_in_pieces(
    ears: Transcriber, source: str | Path | bytes, facts: Survey, name: str, progress: Progress | None
) -> Transcription:
    """Transcribe the part of a file that was chosen, a minute at a time."""
    rate, total = facts.sample_rate, facts.seconds
    parts: list[Transcription] = []
    at = 0.0
    while at < total:
        length = min(PIECE_SECONDS, total - at)
        before, after = min(MARGIN_SECONDS, at), min(MARGIN_SECONDS, total - at - length)
        begin = facts.start + round((at - before) * rate)
        stop = min(facts.start + round((at + length + after) * rate), facts.stop)
        audio = read_part(source, begin, stop, name=name) - np.float32(facts.dc)
        # the last frame of all may be a short one
        until = before + length if after else math.ceil((before + length) * FRAME_RATE) / FRAME_RATE
        parts.append(ears.transcribe(audio, rate).between(before, until))
        at += length
        if progress is not None:
            progress(at, total)
    hits = tuple(
        replace(hit, seconds=hit.seconds + index * PIECE_SECONDS)
        for index, part in enumerate(parts)
        for hit in part.hits
    )
    return Transcription(
        hits,
        np.concatenate([part.activations for part in parts]),
        np.concatenate([part.voices for part in parts]),
        total,
    )


def busiest(whole: Transcription, facts: Survey, seconds: float) -> tuple[int, int]:
    """Return the span of so many seconds with the most hits, weighed by velocity, as frames of the file."""
    count = int((whole.seconds - seconds) / _STEP) + 1
    times = np.array([hit.seconds for hit in whole.hits])
    weights = np.concatenate(([0.0], np.cumsum([hit.velocity for hit in whole.hits])))
    starts = np.arange(count) * _STEP
    inside = weights[np.searchsorted(times, starts + seconds)] - weights[np.searchsorted(times, starts)]
    begin = facts.start + round(float(starts[int(np.argmax(inside))]) * facts.sample_rate)
    return begin, min(begin + round(seconds * facts.sample_rate), facts.stop)
