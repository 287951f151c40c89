"""Rendering the bars of a data set: from the training material, with exact labels.

Bar ``n`` depends on the seed and on ``n`` alone. Every tenth bar is a test bar, played by kits and from grooves
of the held-out side of the split (`loopnet_cli.data.splits`); the others are of the training side.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.data.bar_features import describe_bar
from loopnet_cli.data.parts import Part, PartsFolder
from loopnet_cli.data.rows import FRAMES, SPLITS, STUDIO_RATE, TEMPO, TEST, TRAIN, LoopInfo, pattern_text, stack_rows
from loopnet_cli.pattern.model import Pattern

if TYPE_CHECKING:
    from loopnet_cli.data.renderer import BarRenderer

BLOCK = 25
"""Bars a task."""
TEST_EVERY = 10


@dataclass(frozen=True)
class RenderSettings:
    """How bars are rendered.

    Attributes
    ----------
    seed : int
    material : str
        Folder of the training material.
    studio : bool
        Whether 44.1 kHz audio is kept.
    """

    seed: int
    material: str
    studio: bool = True


@dataclass(frozen=True)
class RenderTask:
    """Bars `first` to ``first + count - 1``."""

    settings: RenderSettings
    folder: PartsFolder
    first: int
    count: int

    @property
    def key(self) -> str:
        """Name of its part."""
        return f"bars-{self.first:08d}"


def split_of(number: int) -> int:
    """Return `TRAIN` or `TEST` for a bar."""
    return TEST if number % TEST_EVERY == TEST_EVERY - 1 else TRAIN


def render_part(task: RenderTask) -> str:
    """Render the bars of a task and keep them as a part; return its key."""
    began = time.monotonic()
    loops, rows = [], []
    for at, number in enumerate(range(task.first, task.first + task.count)):
        loop, row = render_bar(task.settings, number, at)
        loops.append(loop)
        rows.append(row)
    part = Part(tuple(loops), stack_rows(rows, studio=task.settings.studio), (), time.monotonic() - began)
    task.folder.save(task.key, part)
    return task.key


def render_bar(settings: RenderSettings, number: int, loop: int = 0) -> tuple[LoopInfo, dict[str, object]]:
    """Render one bar: what is known of it, and its row."""
    from loopnet_cli.synthesis.curves import pattern_activations

    split = split_of(number)
    bar = _renderer(settings.material, split == TEST, settings.seed).bar(number)
    kits = sorted({drum.instrument.kit for drum in bar.drums.values()})
    info = LoopInfo(
        name=f"bar-{number:08d}",
        source=", ".join(kits),
        split=SPLITS[split],
        tempo=TEMPO,
        tempo_from="rendered",
        confidence=1.0,
        folded=1.0,
        sample_rate=STUDIO_RATE,
        seconds=bar.pattern.seconds,
        bars=1,
    )
    curves = pattern_activations(bar.pattern, FRAMES)
    return info, describe_bar(bar.audio, STUDIO_RATE, curves, pattern=pattern_text(bar.pattern), bar=0, loop=loop)


@cache
def _renderer(material: str, test: bool, seed: int) -> BarRenderer:
    """Load one side of the material, once a process."""
    from loopnet_cli.data.corpus import load_corpus
    from loopnet_cli.data.grooves import Grooves
    from loopnet_cli.data.renderer import BarRenderer

    class BarsOfFour(Grooves):
        """Grooves in 4/4, at the tempo of the data set."""

        def draw(self, rng: np.random.Generator, *, bars: int = 1) -> Pattern:
            """Draw until the meter is right."""
            while True:
                pattern = super().draw(rng, bars=bars)
                if pattern.meter == (4, 4):
                    return replace(pattern, tempo=TEMPO)

    root = Path(material)
    return BarRenderer(load_corpus(root, test=test), BarsOfFour(root, test=test), seed=seed)
