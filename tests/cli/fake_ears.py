"""A transcriber of a few lines that costs nothing: strokes are where the level jumps, told apart by brightness."""

from __future__ import annotations

import numpy as np

from loopnet_cli.analysis.transcription import FRAME_RATE, HeardHit, Transcription
from loopnet_cli.pattern import VOICES


class FakeTranscriber:
    """Remembers what it was asked: seconds, rate, whether as a circle."""

    def __init__(self) -> None:
        self.calls: list[tuple[float, int, bool]] = []

    def transcribe(self, audio, sample_rate, *, circular=False):
        assert audio.dtype == np.float32 and audio.ndim == 1
        seconds = len(audio) / sample_rate
        self.calls.append((seconds, sample_rate, circular))
        frames = int(np.ceil(seconds * FRAME_RATE))
        edges = np.minimum((np.arange(frames) * sample_rate / FRAME_RATE).astype(int), len(audio) - 1)
        level = np.maximum.reduceat(np.abs(audio), edges)
        bright = np.maximum.reduceat(np.abs(np.diff(audio, prepend=audio[:1])), edges)
        before = np.roll(level, 1) if circular else np.concatenate(([0.0], level[:-1]))
        struck = (level > 0.05) & (level > 3 * before)
        voices = np.zeros((frames, len(VOICES)), np.float32)
        hits = []
        for frame in np.flatnonzero(struck):
            ratio = bright[frame] / level[frame]
            voice = "kick" if ratio < 0.1 else "hat_closed" if ratio > 0.8 else "snare"
            voices[frame, VOICES.index(voice)] = 1.0
            hits.append(HeardHit(frame / FRAME_RATE, voice, float(min(1.0, level[frame])), 0.9))
        groups = [["kick"], ["snare", "clap", "rim"], ["hat_closed", "hat_open"]]
        activations = np.stack([voices[:, [VOICES.index(v) for v in group]].max(axis=1) for group in groups], axis=1)
        return Transcription(tuple(hits), activations, voices, seconds)
