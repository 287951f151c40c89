"""How often the tempo of real loops is found: ``python -m loopnet_cli.analysis.tempo_bench DATA -o docs/TEMPO.md``.

File names and chunks are not looked at. Every file is read twice: by essentia and our own periodicity alone, and
with madmom where it is installed.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from loopnet_cli.analysis.madmom_compat import has_madmom
from loopnet_cli.analysis.section import Section, find_section
from loopnet_cli.audio.read import read_audio
from loopnet_cli.data.splits import held_out

EXACT_BPM = 1.0
TOLERANCE = 0.04
COMMON = (4, 4)
BEFORE = """\
# Tempo and bars

Written by `python -m loopnet_cli.analysis.tempo_bench DATA -o docs/TEMPO.md` (part of `make bench-parts`).

A loop's tempo follows from its length once its bars are counted. Every count of bars that gives 50 to 220 BPM is a
hypothesis. How periodic the loop is as a circle, whether its beats and backbeats are struck, how many of essentia's
estimators agree (`PercivalBpmEstimator`, `RhythmExtractor2013` twice, `LoopBpmEstimator`), madmom's beats and
downbeats where it is installed, and a prior (115 BPM; 1, 2, 4, 8 bars) choose among them. The weights are fitted by
`python -m loopnet_cli.analysis.tempo_fit` on 300 rendered performances and 25 real loops of the training side.
Whether a file is cut as a loop is judged by the confidence measure of Font and Serra: how near its length comes to
whole beats at the pulse that is heard. From other recordings the steadiest bars are taken.

Below are the real loops of the training material (`loops.csv`), by their sound alone: names and chunks are not looked
at.

- **Exact**: within 1 BPM. **Octave**: within 4 % of the tempo, its half or its double. **Third**: also a third or
  three times. **As a loop**: taken whole.
- The weights were fitted without the 14 held-out loops. They were not unseen, though: their figures were printed
  while the evidence was chosen, and `stargate_Drums-67BPM` was looked at when that of backbeats was designed. On the
  training side the figures are those of loops that were fitted; leaving each of the 25 out of the fit in turn, its
  bars are counted right for 23.
- The four loops in 15/16, 5/8, 7/8 and 19/16 are read with their meter given, as by `--meter`. Untold, every loop is
  taken for 4/4: the row "no meter told" counts that.
- The misses among loops cut as such are all of a factor of two.
- Where a file is not surely cut as a loop, its tempo in the table is itself a guess from its length ("whole bars
  assumed"). Many have tails; where all trackers agree on another tempo the label is likelier to be wrong.
"""


@dataclass(frozen=True)
class Loop:
    """A line of ``loops.csv``."""

    path: Path
    tempo: float
    meter: tuple[int, int]
    cut: bool
    held: bool


@dataclass(frozen=True)
class Answer:
    """What was found in a loop, and the CPU seconds it took."""

    loop: Loop
    section: Section
    seconds: float

    @property
    def exact(self) -> bool:
        """Within 1 BPM."""
        return abs(self.section.tempo - self.loop.tempo) <= EXACT_BPM

    def near(self, *factors: float) -> bool:
        """Within 4 % of the tempo times one of the factors."""
        ratio = self.section.tempo / self.loop.tempo
        return any(abs(ratio / factor - 1) <= TOLERANCE for factor in factors)


def read_loops(data: Path) -> list[Loop]:
    """Read the table of real loops."""
    held = held_out("loops")
    loops = []
    with (data / "loops" / "loops.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            path = data / row["file"]
            top, bottom = row["meter"].split("/")
            loops.append(
                Loop(
                    path,
                    float(row["bpm_exact"]),
                    (int(top), int(bottom)),
                    row["cut_as_loop"] == "yes",
                    path.name in held,
                )
            )
    return loops


def answer(loop: Loop, *, madmom: bool, told: bool = True) -> Answer:
    """Find the tempo of a loop; `told`: with its meter where that is not 4/4."""
    audio, rate = read_audio(loop.path, mono=True)
    meter = loop.meter if told and loop.meter != COMMON else None
    began = time.process_time()
    section = find_section(audio, rate, meter=meter, madmom=madmom)
    return Answer(loop, section, time.process_time() - began)


def table(answers: Sequence[Answer]) -> str:
    """Return the accuracies of groups of loops as Markdown."""
    groups: dict[str, Callable[[Loop], bool]] = {
        "all": lambda loop: True,
        "cut as loops": lambda loop: loop.cut,
        "cut as loops, training side": lambda loop: loop.cut and not loop.held,
        "cut as loops, held out": lambda loop: loop.cut and loop.held,
        "not surely cut as loops": lambda loop: not loop.cut,
        "training side": lambda loop: not loop.held,
        "held out": lambda loop: loop.held,
    }
    lines = ["| loops | N | exact | octave | octave or third | as a loop |", "|---|---|---|---|---|---|"]
    for name, belongs in groups.items():
        group = [one for one in answers if belongs(one.loop)]
        if group:
            lines.append(row(name, group))
    return "\n".join(lines)


def row(name: str, group: Sequence[Answer]) -> str:
    """Return the accuracies of one group of loops as a line of a table."""
    tests: list[Callable[[Answer], bool]] = [
        lambda one: one.exact,
        lambda one: one.near(0.5, 1, 2),
        lambda one: one.near(1 / 3, 0.5, 1, 2, 3),
        lambda one: one.section.is_loop,
    ]
    counts = [sum(map(test, group)) for test in tests]
    shares = [f"{100 * count / len(group):.1f} % ({count})" for count in counts]
    return f"| {name} | {len(group)} | " + " | ".join(shares) + " |"


def misses(answers: Sequence[Answer]) -> str:
    """Return the loops whose tempo was not found exactly, as Markdown."""
    lines = ["| file | side | cut as a loop | BPM | found | confidence | how |", "|---|---|---|---|---|---|---|"]
    for one in answers:
        if not one.exact:
            loop, found = one.loop, one.section
            lines.append(
                f"| {loop.path.stem} | {'held out' if loop.held else 'training'} | {'yes' if loop.cut else 'not sure'} "
                f"| {loop.tempo:.2f} | {found.tempo:.2f}, {found.bars} bars | {found.confidence:.2f} | {found.method} |"
            )
    return "\n".join(lines)


def report(loops: Sequence[Loop]) -> str:
    """Return the whole page."""
    parts = [BEFORE]
    odd = [loop for loop in loops if loop.meter != COMMON]
    answer(loops[0], madmom=has_madmom())  # the first call imports and designs filters
    for madmom in (False, True) if has_madmom() else (False,):
        answers = [answer(loop, madmom=madmom) for loop in loops]
        blind = [answer(loop, madmom=madmom, told=False) for loop in odd]
        untold = [one for one in answers if one.loop.cut and one.loop not in odd] + [
            one for one in blind if one.loop.cut
        ]
        seconds = sorted(one.seconds for one in answers)
        parts += [
            f"## {'With madmom' if madmom else 'Without madmom'}\n\n{table(answers)}\n"
            f"{row('cut as loops, no meter told', untold)}\n",
            f"CPU time a file: median {seconds[len(seconds) // 2]:.2f} s, longest {seconds[-1]:.1f} s.\n",
            f"Not exact:\n\n{misses(answers)}\n",
        ]
    if not has_madmom():
        parts.append("madmom was not installed.\n")
    return "\n".join(parts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print or write the page."""
    parser = argparse.ArgumentParser(prog="python -m loopnet_cli.analysis.tempo_bench", description=__doc__)
    parser.add_argument("data", type=Path, help="training material, with loops/loops.csv")
    parser.add_argument("-o", "--output", type=Path, help="page to write; printed otherwise")
    options = parser.parse_args(arguments)
    if not (options.data / "loops" / "loops.csv").is_file():
        parser.error(f"{options.data}: no loops/loops.csv in it")
    page = report(read_loops(options.data))
    if options.output is None:
        print(page, end="")
    else:
        options.output.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
