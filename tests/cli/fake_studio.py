"""What tests of the command line share: rhythms, and a studio model of a few lines that costs nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from loopnet_cli.controls import TIMBRE_NAMES, Kit, Loop
from loopnet_cli.pattern import STEM_OF_VOICE, STEMS, VOICES, Hit, Pattern
from loopnet_cli.synthesis.bank import find_kit

GRID = "kick: x...x... snare: ..x...x. hat: x.x.x.x."


def beat(bars: int = 1, meter: tuple[int, int] = (4, 4), tempo: float = 120.0) -> Pattern:
    """A kick, a hat and a snare a bar."""
    hits = []
    for bar in range(bars):
        start = bar * meter[0] * 4 / meter[1]
        hits += [Hit(start, "kick", 1.0), Hit(start + 1, "snare", 0.8), Hit(start + 0.5, "hat_closed", 0.5)]
    return Pattern(tuple(hits), bars, meter, tempo)


def names(folder: Path) -> set[str]:
    """All files under a folder, hidden ones too, by relative path."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def make_kit(name: str, description: str, value: float) -> Kit:
    return Kit(
        name=name,
        description=description,
        codes=dict.fromkeys(VOICES, (0.0,)),
        levels=dict.fromkeys(VOICES, 0.5),
        timbre=dict.fromkeys(TIMBRE_NAMES, value),
        chroma=(1.0,) + (0.0,) * 11,
    )


BANK = {
    kit.name: kit
    for kit in (
        make_kit("dusty-vinyl", "soft and dull", 0.3),
        make_kit("tight-studio", "dry and even", 0.5),
        make_kit("warm-808", "long kick, thin hats", 0.6),
    )
}


class FakeNormalisation:
    def to_unit(self, raw):
        return {name: value / 100 for name, value in raw.items()}


class FakeStudio:
    """Each hit is a decaying tone of its own pitch; remembers what it was asked."""

    default_kit = "tight-studio"
    normalisation = FakeNormalisation()

    def __init__(self) -> None:
        self.calls: list[dict] = []
        self.level = 0.5

    @property
    def kit_names(self):
        return tuple(BANK)

    def kit(self, name):
        return find_kit(BANK, name)

    def render(self, pattern, *, kit, timbre=None, match=None, chroma=None, seed=0, refine=0):
        asked = {"timbre": timbre, "match": match, "chroma": chroma, "seed": seed, "refine": refine}
        self.calls.append({"pattern": pattern, "kit": kit, **asked})
        total = pattern.samples()
        rng = np.random.default_rng(seed)
        stems = {name: np.zeros(total) for name in STEMS}
        time = np.arange(min(total, 8000)) / 44100
        for hit, at in zip(pattern.hits, pattern.onset_samples(), strict=True):
            pitch = 60 * 1.7 ** VOICES.index(hit.voice)
            tone = np.sin(2 * np.pi * pitch * time) + 0.3 * rng.standard_normal(len(time))
            stroke = self.level * hit.velocity * tone * np.exp(-time * 30)
            np.add.at(stems[STEM_OF_VOICE[hit.voice]], (at + np.arange(len(time))) % total, stroke)
        stems = {name: stem.astype(np.float32) for name, stem in stems.items()}
        audio = np.sum(list(stems.values()), axis=0, dtype=np.float32)
        return Loop(audio, stems, 44100, pattern.tempo, pattern.bars, pattern.meter, seed, {"model": "fake"})
