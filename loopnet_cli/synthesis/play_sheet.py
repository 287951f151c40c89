"""Kits to listen to: each voice soft, medium and loud, then a short pattern, with the times of all of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.audio import riff
from loopnet_cli.audio.cues import cue_chunks
from loopnet_cli.controls import Kit
from loopnet_cli.pattern.model import VOICES, Hit, Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.synthesis.studio import StudioModel

VELOCITIES: tuple[float, ...] = (0.3, 0.6, 1.0)
"""Soft, medium, loud: on the first three beats of a voice's bar, the fourth lets it ring."""
TEMPO = 120.0
GROOVE = """bpm=112 meter=4/4
kick:  X..5..X. ..X..... | X..5..X. ..X..7..
snare: ....9... ....9..2 | ....9... ....9...
hat:   8.5.8.58 8.5.8.5. | 8.5.8.58 8.5.8...
oh:    ........ ........ | ........ ......8.
tom:   ........ ........ | ........ .....685
crash: 8....... ........ | ........ ........
"""
"""The pattern that a kit plays where no other is asked for."""

FLOOR = 1e-3
"""Level (-60 dB) below which the end of a part is cut off."""


@dataclass(frozen=True)
class Mark:
    """A place in a sheet: in seconds, what begins there, and its kit."""

    seconds: float
    what: str
    kit: str


@dataclass(frozen=True)
class Sheet:
    """A kit, heard.

    Attributes
    ----------
    kit : Kit
    audio : ndarray of float32, shape (samples,)
        Peaks at -1 dBFS, ends in silence.
    sample_rate : int
        In Hz.
    marks : tuple of Mark
        In the order of time.
    """

    kit: Kit
    audio: NDArray[np.float32]
    sample_rate: int
    marks: tuple[Mark, ...]

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.audio) / self.sample_rate


def play_sheet(model: StudioModel, kit: Kit, groove: Pattern, *, seed: int = 0) -> Sheet:
    """Play a kit: its voices one after the other, then a pattern.

    Parameters
    ----------
    model : StudioModel
    kit : Kit
    groove : Pattern
        What it plays at the end.
    seed : int
        Of the noise.
    """
    hits = tuple(
        Hit(4.0 * bar + beat, voice, velocity)
        for bar, voice in enumerate(VOICES)
        for beat, velocity in enumerate(VELOCITIES)
    )
    parts = []
    for pattern in (Pattern(hits, len(VOICES), (4, 4), TEMPO), groove):
        # a bar of silence takes the tails that would sound over the start of a loop
        loop = model.render(Pattern(pattern.hits, pattern.bars + 1, pattern.meter, pattern.tempo), kit=kit, seed=seed)
        least = pattern.samples(loop.sample_rate)
        sounding = np.flatnonzero(np.abs(loop.audio) > FLOOR)
        end = max(least, int(sounding[-1]) + 1 if sounding.size else 0)
        part = loop.audio[:end].copy()
        fade = min(end, loop.sample_rate // 50)
        part[end - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        parts.append(part)
    gap = np.zeros(loop.sample_rate // 2, np.float32)
    bar_seconds = 4 * 60 / TEMPO
    marks = [Mark(bar * bar_seconds, voice.replace("_", " "), kit.name) for bar, voice in enumerate(VOICES)]
    marks.append(Mark((parts[0].shape[0] + gap.shape[0]) / loop.sample_rate, "pattern", kit.name))
    audio: NDArray[np.float32] = np.concatenate([parts[0], gap, parts[1], gap])
    return Sheet(kit, audio, loop.sample_rate, tuple(marks))


def encode_sheets(sheets: Sequence[Sheet]) -> bytes:
    """Return sheets one after the other as a WAV file of 24 bits, with their marks in it."""
    rate = sheets[0].sample_rate
    # 24 bits are the upper three bytes of 32
    samples = b"".join(
        np.rint(np.clip(sheet.audio, -1, 1) * (2**31 - 2**8))
        .astype("<i4")
        .view(np.uint8)
        .reshape(-1, 4)[:, 1:]
        .tobytes()
        for sheet in sheets
    )
    places = [(round(mark.seconds * rate), f"{mark.kit}: {mark.what}") for mark in all_marks(sheets)]
    return riff.wave_bytes(samples, sample_rate=rate, channels=1, bits=24, floating=False, chunks=cue_chunks(places))


def all_marks(sheets: Sequence[Sheet]) -> list[Mark]:
    """Return the marks of sheets that are played one after the other."""
    found, start = [], 0.0
    for sheet in sheets:
        found += [Mark(start + mark.seconds, mark.what, mark.kit) for mark in sheet.marks]
        start += sheet.seconds
    return found


def as_clock(seconds: float) -> str:
    """Return a time as a player shows it: ``1:02.5``."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"
