"""Rendering the bars of a data set, with exact labels.

Bar ``n`` depends on the seed and on ``n`` alone. Every tenth bar is a test bar, played by kits that play no
training bar, and from grooves or MIDI files that are in none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loopnet_cli.data.bar_features import describe_bar
from loopnet_cli.data.making import Plan
from loopnet_cli.data.parts import Part, PartsFolder, work_seconds
from loopnet_cli.data.rows import (
    BEATS,
    FRAMES,
    SPLITS,
    STUDIO_RATE,
    TEMPO,
    TEST,
    TRAIN,
    LoopInfo,
    pattern_text,
    stack_rows,
)
from loopnet_cli.errors import DatasetError, UsageError
from loopnet_cli.version import __version__

if TYPE_CHECKING:
    from loopnet_cli.data.bar_sources import BarSource

BLOCK = 25
"""Bars a task."""
TEST_EVERY = 10
EXACT, HEARD = "exact", "heard"


@dataclass(frozen=True)
class RenderSettings:
    """How bars are rendered.

    Attributes
    ----------
    seed : int
    material : str or None
        Folder of the training material; None for the studio model.
    patterns : str or None
        Folder of MIDI files for the studio model; None for bars made up.
    activations : str
        `EXACT` or `HEARD` (by the transcriber).
    studio : bool
        Whether bars are kept at 44.1 kHz too.
    """

    seed: int = 0
    material: str | None = None
    patterns: str | None = None
    activations: str = EXACT
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

    def died(self, how: str) -> Part:
        """Raise: bars of our own making do not crash, so the machine is too small."""
        raise DatasetError(f"bars from {self.first} on: {how}")


def plan_render(bars: int, target: Path, settings: RenderSettings) -> Plan:
    """Plan the rendering of bars.

    Raises
    ------
    UsageError
        If the material and patterns are both named, or a folder is missing.
    """
    if settings.material is not None and settings.patterns is not None:
        raise UsageError("--material comes with grooves of its own: leave --patterns out")
    for folder in (settings.material, settings.patterns):
        if folder is not None and not Path(folder).is_dir():
            raise UsageError(f"{folder}: no such folder")
    parts = PartsFolder(target)
    tasks = [RenderTask(settings, parts, first, min(BLOCK, bars - first)) for first in range(0, bars, BLOCK)]
    told: dict[str, Any] = {"made_by": "dataset render", "version": __version__, "bars": bars, **asdict(settings)}
    exact = {"activations": settings.activations == EXACT, "patterns": True}
    return Plan(target, told, tasks, render_part, settings.studio, exact)


def split_of(number: int) -> int:
    """Return `TRAIN` or `TEST` for a bar."""
    return TEST if number % TEST_EVERY == TEST_EVERY - 1 else TRAIN


def render_part(task: RenderTask) -> str:
    """Render the bars of a task and keep them as a part; return its key."""
    began = work_seconds()
    loops, rows = [], []
    for at, number in enumerate(range(task.first, task.first + task.count)):
        loop, row = render_bar(task.settings, number, at)
        loops.append(loop)
        rows.append(row)
    part = Part(tuple(loops), stack_rows(rows, studio=task.settings.studio), (), work_seconds() - began)
    task.folder.save(task.key, part)
    return task.key


def render_bar(settings: RenderSettings, number: int, loop: int = 0) -> tuple[LoopInfo, dict[str, object]]:
    """Render one bar: what is known of it, and its row."""
    from loopnet_cli.synthesis.curves import pattern_activations

    split = split_of(number)
    bar = _source(settings.material, settings.patterns, split == TEST, settings.seed).bar(number)
    info = LoopInfo(
        name=f"bar-{number:08d}",
        source=", ".join(bar.kits),
        split=SPLITS[split],
        tempo=TEMPO,
        tempo_from="rendered",
        confidence=1.0,
        folded=1.0,
        sample_rate=STUDIO_RATE,
        seconds=bar.pattern.seconds,
        beats=BEATS,
        bars=1,
    )
    if settings.activations == EXACT:
        curves = pattern_activations(bar.pattern, FRAMES)
    else:
        from loopnet_cli.data.curation import ears

        curves = ears().transcribe(bar.audio, STUDIO_RATE, circular=True).activations
    return info, describe_bar(bar.audio, STUDIO_RATE, curves, pattern=pattern_text(bar.pattern), bar=0, loop=loop)


@cache
def _source(material: str | None, patterns: str | None, test: bool, seed: int) -> BarSource:
    """Load one side of a source, once a process."""
    from loopnet_cli.data.bar_sources import MaterialBars, StudioBars

    if material is not None:
        return MaterialBars(Path(material), test=test, seed=seed)
    return StudioBars(None if patterns is None else Path(patterns), test=test, seed=seed)
