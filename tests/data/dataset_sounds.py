"""What tests of data sets share: tiny recordings, bars of random numbers, and ears that cost nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from loopnet_cli.analysis.transcription import HeardHit, Transcription
from loopnet_cli.audio.riff import acid_chunk
from loopnet_cli.data.rows import ROW_SHAPES, LoopInfo, Rows, stack_rows
from loopnet_cli.pattern import VOICES


def drum_loop(bars: int = 1, bpm: float = 130.0, rate: int = 44100, *, hats: bool = True, seed: int = 5) -> np.ndarray:
    """Kicks, snares and hats, cut as a loop: circular, mono, loud from its first sample to its last."""
    bar = 240.0 / bpm
    total = round(bars * bar * rate)
    audio = np.zeros(total)
    rng = np.random.default_rng(seed)
    time = np.arange(round(0.12 * rate)) / rate
    noise = rng.standard_normal(len(time))
    kick = np.sin(2 * np.pi * (50 + seed) * time) * np.exp(-time * 30)
    snare = 0.5 * (np.sin(2 * np.pi * 190 * time) + 0.4 * noise) * np.exp(-time * 40)
    hat = 0.25 * np.diff(noise, prepend=0) * np.exp(-time * 60)
    strokes = [(kick, (0.0, 0.5, 0.625)), (snare, (0.25, 0.75))]
    if hats:
        strokes.append((hat, [(n + 0.5) / 8 for n in range(8)]))
    for n in range(bars):
        for stroke, places in strokes:
            for place in places:
                at = round((n + place) * bar * rate)
                np.add.at(audio, (at + np.arange(len(stroke))) % total, stroke)
    audio += 0.002 * np.abs(audio).max() * rng.standard_normal(total)
    return (0.8 * audio / np.abs(audio).max()).astype(np.float32)


def write(path: Path, audio: np.ndarray, rate: int = 44100, **how) -> Path:
    soundfile.write(path, audio, rate, **{"subtype": "PCM_16", **how})
    return path


def add_acid(path: Path, tempo: float, meter: tuple[int, int], beats: float, *, one_shot: bool = False) -> Path:
    """Put an ``acid`` chunk at the end of a WAV file."""
    content = bytearray(path.read_bytes())
    chunk = bytearray(acid_chunk(tempo, meter, beats))
    if one_shot:
        chunk[8] |= 1
    content += chunk
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    path.write_bytes(content)
    return path


def fake_rows(count: int, *, studio: bool = True, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    return stack_rows(
        [
            {
                name: n if name == "bar" else 0 if name == "loop" else rng.integers(0, 90, shape).astype(kind)
                for name, (shape, kind) in ROW_SHAPES.items()
            }
            | {"pattern": ""}
            for n in range(count)
        ],
        studio=studio,
    )


def fake_row(audio, rate, activations, *, pattern: str, bar: int, loop: int) -> dict[str, object]:
    """What `describe_bar` gives, of numbers that cost nothing."""
    row = {name: np.full(shape, 0.5).astype(kind) for name, (shape, kind) in ROW_SHAPES.items()}
    audio_studio = np.rint(32767 * np.interp(np.linspace(0, len(audio), 81415), np.arange(len(audio)), audio))
    return row | {"audio_studio": audio_studio, "pattern": pattern, "bar": bar, "loop": loop}


def fake_loop(name: str = "a.wav", *, split: str = "train", bars: int = 1, sha256: str = "") -> LoopInfo:
    return LoopInfo(name, f"in/{name}", split, 120.0, "file name", 1.0, 1.0, 44100, 2.0, 4 * bars, bars, sha256)


class FakeEars:
    """Hears a kick at the start, and nothing else."""

    def transcribe(self, audio, sample_rate, *, circular=False):
        assert circular
        seconds = len(audio) / sample_rate
        frames = int(np.ceil(seconds * 100))
        voices = np.zeros((frames, len(VOICES)), np.float32)
        voices[0, 0] = 0.9
        activations = np.zeros((frames, 3), np.float32)
        activations[0, 0] = 0.9
        return Transcription((HeardHit(0.0, "kick", 0.9),), activations, voices, seconds)
