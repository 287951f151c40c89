"""The console script with the fake model: run as a script, so that worker processes, which import it, have it too."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

from fake_studio import BANK, FakeStudio

import loopnet_cli.synthesis
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.synthesis import bank


class Studio(FakeStudio):
    """Does what the environment says: takes its time, or dies."""

    def render(self, pattern, **how):
        time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
        deadly = os.environ.get("FAKE_DEADLY_SEED")
        if deadly is not None and how["seed"] == int(deadly):
            mark = Path(os.environ["FAKE_MARK"])
            tries = len(mark.read_text()) if mark.exists() else 0
            mark.write_text("x" * (tries + 1))
            if tries < int(os.environ["FAKE_DEATHS"]):
                os.kill(os.getpid(), 9)
        if os.environ.get("FAKE_BUG_SEED") == str(how["seed"]):
            raise ZeroDivisionError("somewhere")
        return super().render(pattern, **how)


bank.read_bank = lambda *_: BANK
loopnet_cli.synthesis.load_studio = Studio

from loopnet_cli.cli import produce
from loopnet_cli.cli.app import main

produce.analyse = lambda model, loop: produce.Measured(dict.fromkeys(TIMBRE_NAMES, 0.25), (0.5,) * 12)

if __name__ == "__main__":
    main()
