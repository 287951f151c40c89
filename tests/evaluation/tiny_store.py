"""A small data set of made-up bars with patterns, and folders of audio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from loopnet_cli.analysis.envelope import envelope
from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.data.rows import (
    FRAMES,
    STUDIO_RATE,
    STUDIO_SAMPLES,
    LoopInfo,
    Rows,
    pattern_text,
    to_int16,
)
from loopnet_cli.data.store_writer import StoreWriter
from loopnet_cli.pattern.model import Hit, Pattern
from loopnet_cli.synthesis.curves import pattern_activations
from loopnet_cli.synthesis.papernet import PAPER_RATE, PAPER_SAMPLES


def pattern_of(number: int) -> Pattern:
    hits = [Hit(0.0, "kick", 0.9), Hit(1.0 + 0.25 * (number % 3), "snare", 0.7), Hit(2.5, "kick", 0.6)]
    hits += [Hit(0.5 * k, "hat_closed", 0.5) for k in range(number % 2, 8, 1 + number % 2)]
    return Pattern(tuple(hits), 1, (4, 4), 130.0)


def sound_of(pattern: Pattern, seed: int, samples: int = STUDIO_SAMPLES) -> np.ndarray:
    """Play a pattern with a tone that falls for kicks and noise for all else; circular."""
    rng = np.random.default_rng(seed)
    audio = np.zeros(samples, np.float32)
    t = np.arange(samples // 4) / STUDIO_RATE
    for hit in pattern.hits:
        if hit.voice == "kick":
            stroke = np.sin(2 * np.pi * (50 + seed % 5) * t) * np.exp(-t * (12 + seed % 7))
        else:
            stroke = 0.4 * rng.standard_normal(len(t)) * np.exp(-t * (30 if hit.voice == "snare" else 90))
        place = (round(hit.beat / 4 * samples) + np.arange(len(t))) % samples
        audio[place] += hit.velocity * stroke
    return 0.5 * audio / np.abs(audio).max()


def write_store(
    path: Path, *, test: int = 10, train: int = 10, bars_a_loop: int = 1, studio: bool = True, known: bool = True
) -> Path:
    """Write test and train loops, test loops first; `known` is whether patterns are stored."""
    rng = np.random.default_rng(0)
    with StoreWriter(path, {"made_by": "a test"}, studio=studio, exact={"patterns": True}) as writer:
        for number in range(test + train):
            patterns = [pattern_of(number * bars_a_loop + bar) for bar in range(bars_a_loop)]
            full = np.stack([sound_of(pattern, 31 * number + bar) for bar, pattern in enumerate(patterns)])
            low = np.stack([resample_circular(one, PAPER_SAMPLES) for one in full])
            info = LoopInfo(
                name=f"loop-{number}", source="kit-a, kit-b", split="test" if number < test else "train", tempo=130.0,
                tempo_from="rendered", confidence=1.0, folded=1.0, sample_rate=STUDIO_RATE, seconds=1.846, beats=4,
                bars=bars_a_loop,
            )  # fmt: skip
            rows = Rows(
                audio_paper=to_int16(low),
                audio_studio=to_int16(full) if studio else None,
                activations=np.stack([pattern_activations(pattern, FRAMES) for pattern in patterns]),
                envelope=np.stack([envelope(one, PAPER_RATE) for one in low]).astype(np.float16),
                chroma=rng.random((bars_a_loop, 12)).astype(np.float32),
                timbre=(20 + 40 * rng.random((bars_a_loop, 21))).astype(np.float32),
                loop=np.zeros(bars_a_loop, np.int32),
                bar=np.arange(bars_a_loop, dtype=np.int16),
                patterns=tuple(pattern_text(pattern) if known else "" for pattern in patterns),
            )
            writer.append([info], rows)
    return path


def write_pairs(folder: Path, count: int = 4, *, late: float = 0.0) -> tuple[Path, Path]:
    """Write loops, and the same with other noise and `late` seconds later; at other rates."""
    made, wanted = folder / "made", folder / "wanted"
    for number in range(count):
        for place, seed, rate in ((wanted, number, STUDIO_RATE), (made, 100 + number, 32000)):
            place.mkdir(parents=True, exist_ok=True)
            audio = sound_of(pattern_of(number), seed)
            if place is made:
                audio = np.roll(audio, round(late * STUDIO_RATE))
            soundfile.write(place / f"{number}.wav", resample_circular(audio, round(len(audio) * rate / 44100)), rate)
    return made, wanted
