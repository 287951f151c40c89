"""What runs in the process of `workers.Worker`: reads inputs from standard input, tries them, answers a line each."""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), *(str(Path(__file__).parents[1] / part) for part in ("cli", "pattern"))]


def main() -> None:
    # answers go out by a channel of their own; what libraries print is looked at
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    with tempfile.TemporaryDirectory(prefix="loopnet-fuzz-") as folder:
        printed = Path(folder) / "stderr"
        os.dup2(os.open(printed, os.O_RDWR | os.O_CREAT | os.O_APPEND), 2)
        sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
        checks = importlib.import_module(sys.argv[1])
        checks.load(Path(folder))
        limit_memory(int(sys.argv[2]))
        start = address_space()
        answers.write(b"ready\n")
        answers.flush()
        while line := sys.stdin.buffer.readline():
            name, size = json.loads(line)
            content = sys.stdin.buffer.read(size)
            box = Path(tempfile.mkdtemp(dir=folder))
            os.chdir(box)
            kind, told = attempt(checks.CHECKS[name], content, box)
            sys.stderr.flush()
            said = printed.read_bytes()
            if said and kind != "failed":
                kind, told = "failed", "printed past the program: " + said.decode(errors="replace")[-2000:]
            os.truncate(printed, 0)
            os.chdir(folder)
            if address_space() > start + (100 << 20):
                gc.collect()  # what an exception held
                start = address_space()
            shutil.rmtree(box, ignore_errors=True)
            answers.write(json.dumps([kind, told]).encode() + b"\n")
            answers.flush()


def address_space() -> int:
    """Return how many bytes the process has."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def limit_memory(megabytes: int) -> None:
    """Let the process have so much more than it has."""
    most = address_space() + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def attempt(check, content: bytes, box: Path) -> tuple[str, str]:
    from loopnet_cli.errors import LoopnetError

    try:
        told = check(content, box)
    except LoopnetError as error:
        told = str(error)
        if not told or "\n" in told or len(told) > 5000:
            return "failed", f"{type(error).__name__} is not one line: {told[:5000]!r}"
        return "refused", told[:500]
    except BaseException as error:
        return "failed", "".join(traceback.format_exception(error))[-4000:]
    return "accepted" if told is None else "refused", told or ""


if __name__ == "__main__":
    main()
