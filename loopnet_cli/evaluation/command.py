"""The command: ``python -m loopnet_cli.evaluation DATA_FOLDER``."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import sys
import time
from collections.abc import Sequence
from importlib import import_module, metadata
from pathlib import Path

from loopnet_cli.errors import LoopnetError
from loopnet_cli.evaluation.report import MARKDOWN_NAME, write_section

SECTIONS: dict[str, str] = {
    "timing": "timing",
    "coherence": "coherence",
    "reconstruction": "reconstruction",
    "crispness": "crispness",
    "seam": "seam",
    "level": "level",
    "chroma": "harmony",
    "hearing": "hearing",
    "beatbox": "beatbox",
    "transfer": "transfer",
    "speed": "speed",
    "hearing-speed": "hearing_speed",
}
"""Sections in the order of the page, and the module of each."""
LAST = ("pictures",)
"""What is made at the end and is no section."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the evaluation; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    chosen = [name.strip() for name in options.only.split(",")] if options.only else [*SECTIONS, *LAST]
    unknown = [name for name in chosen if name not in SECTIONS and name not in LAST]
    if unknown:
        parser.error(f"unknown section {unknown[0]!r}: use {', '.join((*SECTIONS, *LAST))}")
    if options.loops < 1:
        parser.error("--loops must be at least 1")
    given = sys.argv[1:] if arguments is None else arguments
    # where the material lies on this machine is nobody else's business
    hidden = {
        str(options.data): "DATA",
        str(options.weights): "WEIGHTS",
        str(options.embedding_weights): "YAMNET",
        str(options.out): "OUT",
        str(options.state): "STATE",
    }
    words = ["python", "-m", "loopnet_cli.evaluation", *(hidden.get(word, word) for word in given)]
    print(f"seed {options.seed}, {options.loops} loops, results in {options.out}", file=sys.stderr)
    try:
        for name in [key for key in (*SECTIONS, *LAST) if key in chosen]:
            _run(name, options, shlex.join(words))
    except LoopnetError as error:
        print(f"evaluation: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on", file=sys.stderr)
        return 130
    print(options.out / MARKDOWN_NAME)
    return 0


def _run(name: str, options: argparse.Namespace, command: str) -> None:
    began = time.monotonic()
    if name == "pictures":
        from loopnet_cli.evaluation.pictures import draw_all

        draw_all(options.data, options.weights, options.seed, options.out)
        return
    module = import_module(f"loopnet_cli.evaluation.{SECTIONS[name]}")
    if hasattr(module, "section"):
        section, what = module.section(weights=options.weights), module.MATERIAL
        count = None
    else:
        from loopnet_cli.evaluation.jobs import measure_all

        # a section with material of its own has as many cases as that
        count = module.cases() if hasattr(module, "cases") else options.loops
        rows = measure_all(
            SECTIONS[name],
            count,
            data=options.data,
            weights=options.weights,
            seed=options.seed,
            workers=options.workers,
            state=options.state,
            embedding=options.embedding_weights,
        )
        section = module.summarise(rows, options.seed)
        what = getattr(module, "MATERIAL", f"{count} loops of the held-out split, seed {options.seed}")
    minutes = (time.monotonic() - began) / 60
    run = {
        "command": command,
        "loops": options.loops if count is None else count,
        "split": "held-out",
        "seed": options.seed,
        **machine(),
        "weights": _weights_digest(options.weights),
        "minutes": round(minutes, 1),
    }
    run["summary"] = (
        f"{what[0].upper()}{what[1:]}; {run['cpu']}, {run['cores']} cores; {run['versions']}; weights {run['weights']}."
    )
    write_section(options.out, name, section, run, tuple(SECTIONS))


def machine() -> dict[str, object]:
    """Describe the machine and the versions in use."""
    packages = ("loopnet", "numpy", "scipy", "essentia")
    versions = [f"Python {platform.python_version()}"]
    for package in packages:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            from loopnet_cli.version import __version__

            versions.append(f"{package} {__version__ if package == 'loopnet' else 'absent'}")
    return {"cpu": _cpu(), "cores": _cores(), "versions": ", ".join(versions)}


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _weights_digest(weights: Path | None) -> str:
    import hashlib

    from loopnet_cli.synthesis.bank import weights_folder

    return hashlib.sha256(((weights or weights_folder()) / "manifest.json").read_bytes()).hexdigest()[:12]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m loopnet_cli.evaluation", description=__doc__)
    parser.add_argument("data", type=Path, metavar="DATA_FOLDER", help="the training material")
    parser.add_argument("--loops", type=int, default=120, help="loops per section (default 120)")
    parser.add_argument("--seed", type=int, default=2, help="what the loops are drawn from (default 2)")
    parser.add_argument("--workers", type=int, default=2, help="processes; 0 measures in this one (default 2)")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of results (default docs)")
    parser.add_argument("--weights", type=Path, help="folder with weights (default: the package's own)")
    parser.add_argument(
        "--embedding-weights", type=Path, metavar="FILE", help="yamnet.tflite, for distances in its embedding"
    )
    parser.add_argument("--state", type=Path, default=Path("build/evaluation"), help="folder to resume from")
    parser.add_argument("--only", help=f"sections, comma-separated: {', '.join((*SECTIONS, *LAST))}")
    return parser
