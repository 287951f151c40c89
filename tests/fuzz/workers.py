"""A process of its own that tries inputs, so that a crash, a hang or too much memory of one input is seen as such.

`Worker.attempt` sends the name of a check and an input to a process that runs ``work.py``, and waits so long and no
longer. The process has a limit on its memory; whoever makes it end, or lets it wait, has failed.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

SECONDS = 30.0
"""For one input. They take milliseconds: this is how long a busy machine may stand still."""
MEGABYTES = 1024
"""Of address space beyond what the process has after loading its libraries."""
_START_SECONDS = 180.0


@dataclass(frozen=True)
class Verdict:
    """What became of an input.

    Attributes
    ----------
    kind : str
        ``accepted``; ``refused`` with one line; or ``failed``: a traceback, a crash, a hang, too much memory,
        a broken promise.
    told : str
        The line, or what is wrong.
    seconds : float
    """

    kind: str
    told: str
    seconds: float

    def check(self) -> None:
        """Fail the test if the input did."""
        assert self.kind != "failed", self.told


class Worker:
    """The process, started when it is first needed and again after it has died."""

    def __init__(self, module: str = "checks", seconds: float = SECONDS, megabytes: int = MEGABYTES) -> None:
        self.module, self.seconds, self.megabytes = module, seconds, megabytes
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def attempt(self, check: str, content: bytes) -> Verdict:
        """Try one input."""
        process = self._running()
        begun = time.monotonic()
        try:
            process.stdin.write(json.dumps([check, len(content)]).encode() + b"\n" + content)
            process.stdin.flush()
            line = self._line(self.seconds)
        except BrokenPipeError:
            line = b""
        seconds = time.monotonic() - begun
        if line:
            kind, told = json.loads(line)
            return Verdict(kind, told, seconds)
        gone = "no answer" if line is None else "the process ended"
        self.close()
        return Verdict("failed", f"{gone} after {seconds:.1f} s (exit code {process.returncode})", seconds)

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._process, self._buffer = None, b""

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        root = Path(__file__).parents[2]
        where = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            # a warning is shown each time, not only the first
            [sys.executable, "-W", "always::RuntimeWarning", str(Path(__file__).with_name("work.py")), self.module,
             str(self.megabytes)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=where,
        )  # fmt: skip
        assert self._line(_START_SECONDS) == b"ready", "the process that tries inputs does not start"
        return self._process

    def _line(self, seconds: float) -> bytes | None:
        """Return the next line; nothing where the process has ended, None where there is none in time."""
        end = time.monotonic() + seconds
        stream = self._process.stdout.fileno()
        while b"\n" not in self._buffer:
            if not select.select([stream], [], [], max(0.0, end - time.monotonic()))[0]:
                return None
            piece = os.read(stream, 1 << 16)
            if not piece:
                return b""
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line
