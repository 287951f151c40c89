"""Long recordings: transcribed a minute at a time, so that an hour costs time but no memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.transcription import FRAME_RATE, Transcription
from loopnet_cli.audio.read import mix_down
from loopnet_cli.audio.stream import open_audio

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
    for audio, before, length, is_last in _pieces(source, facts, name):
        # the last frame of all may be a short one
        until = math.ceil((before + length) * FRAME_RATE) / FRAME_RATE if is_last else before + length
        parts.append(ears.transcribe(audio - np.float32(facts.dc), rate).between(before, until))
        if progress is not None:
            progress(total if is_last else float(len(parts) * PIECE_SECONDS), total)
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


def _pieces(
    source: str | Path | bytes, facts: Survey, name: str
) -> Iterator[tuple[NDArray[np.float32], int, float, bool]]:
    """Decode once; yield each piece with its margins: audio, seconds before it, its seconds, whether it is the last."""
    rate = facts.sample_rate
    piece, margin = PIECE_SECONDS * rate, MARGIN_SECONDS * rate
    count = max(1, math.ceil((facts.stop - facts.start) / piece))
    held, first = np.zeros(0, np.float32), facts.start  # what was decoded and is still needed, and its frame
    with open_audio(source, name) as stream:
        blocks = stream.blocks(facts.start, facts.stop)
        for index in range(count):
            begin = facts.start + index * piece
            stop = min(begin + piece, facts.stop)
            start, until = max(facts.start, begin - margin), min(stop + margin, facts.stop)
            waiting = [held[start - first :]]
            first = start
            missing = until - start - len(waiting[0])
            while missing > 0 and (block := next(blocks, None)) is not None:
                waiting.append(mix_down(block))
                missing -= len(block)
            held = np.concatenate(waiting)
            yield held[: until - start], (begin - start) // rate, (stop - begin) / rate, index == count - 1


def busiest(whole: Transcription, facts: Survey, seconds: float) -> tuple[int, int]:
    """Return the span of so many seconds with the most hits, weighed by velocity, as frames of the file."""
    count = int((whole.seconds - seconds) / _STEP) + 1
    times = np.array([hit.seconds for hit in whole.hits])
    weights = np.concatenate(([0.0], np.cumsum([hit.velocity for hit in whole.hits])))
    starts = np.arange(count) * _STEP
    inside = weights[np.searchsorted(times, starts + seconds)] - weights[np.searchsorted(times, starts)]
    begin = facts.start + round(float(starts[int(np.argmax(inside))]) * facts.sample_rate)
    return begin, min(begin + round(seconds * facts.sample_rate), facts.stop)
