"""The console script with the fake model: run as a script, so that worker processes, which import it, have it too."""

from __future__ import annotations

import os
import time
from pathlib import Path

from fake_studio import BANK, FakeStudio

import loopnet_cli.synthesis
from loopnet_cli.cli import produce
from loopnet_cli.cli.app import main
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.synthesis import bank


class Studio(FakeStudio):
    """Does what the environment says: takes its time, dies, or has a bug."""

    def render(self, pattern, **how):
        folder, seed = os.environ.get("FAKE_FOLDER"), str(how["seed"])
        if folder is not None:
            with (Path(folder) / f"begun-{seed}").open("a") as mark:
                mark.write(f"{os.getpid()}\n")
        time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
        if folder is not None and os.environ.get("FAKE_DEADLY_SEED") == seed:
            tries = len((Path(folder) / f"begun-{seed}").read_text().splitlines())
            if tries <= int(os.environ.get("FAKE_DEATHS", "1")):
                os.kill(os.getpid(), 9)
        if os.environ.get("FAKE_BUG_SEED") == seed:
            raise ZeroDivisionError("somewhere")
        return super().render(pattern, **how)


bank.read_bank = lambda *_: BANK
loopnet_cli.synthesis.load_studio = Studio
produce.analyse = lambda model, loop: produce.Measured(dict.fromkeys(TIMBRE_NAMES, 0.25), (0.5,) * 12)

if __name__ == "__main__":
    main()
