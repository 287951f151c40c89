"""How fast training bars are rendered: ``python -m loopnet_cli.data.bench DATA``."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from loopnet_cli.data.corpus import load_corpus
from loopnet_cli.data.grooves import Grooves
from loopnet_cli.data.renderer import BarRenderer


def bars_a_second(data: Path, *, count: int, seed: int) -> tuple[float, float]:
    """Render bars of the training side.

    Returns
    -------
    rate : float
        Bars per second of CPU time; reading MIDI files when they are first drawn is part of it.
    seconds : float
        Mean length of a bar.
    """
    renderer = BarRenderer(load_corpus(data), Grooves(data), seed=seed)
    renderer.bar(0)
    began, length = time.process_time(), 0.0
    for number in range(1, count + 1):
        length += renderer.bar(number).pattern.seconds
    return count / (time.process_time() - began), length / count


def main() -> None:
    """Parse the command line and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="training material")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    rate, seconds = bars_a_second(arguments.data, count=arguments.count, seed=arguments.seed)
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    print(
        f"{rate:.1f} bars a second of CPU time, {seconds:.2f} s a bar, N = {arguments.count}, OMP_NUM_THREADS {threads}"
    )


if __name__ == "__main__":
    main()
