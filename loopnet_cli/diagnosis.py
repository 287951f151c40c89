"""What works here and what does not: each thing looked at by itself, so that nothing broken hides the rest.

What may crash, hang or take long (libraries with native code, a rendered bar, the audio system) is tried in a
process of its own. Nothing but the standard library is imported here.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

OK, MISSING, BROKEN = "ok", "missing", "broken"
"""It works; something works without it; something needed does not work."""
PYTHONS = ((3, 11), (3, 14))
TIMEOUT = 120.0
REINSTALL = "pip install --force-reinstall loopnet"
NEEDED: dict[str, str] = {
    "numpy": "numpy", "scipy": "scipy.signal", "soundfile": "soundfile", "safetensors": "safetensors.numpy",
    "mido": "mido", "typer": "typer", "rich": "rich.console", "platformdirs": "platformdirs",
}  # fmt: skip
"""Distributions that `generate` cannot do without, and what of them is imported."""
USED: dict[str, tuple[str, str]] = {
    "essentia": ("essentia.standard", "tempo of recordings, chroma (analyze, transfer)"),
    "pretty_midi": ("pretty_midi", "reading and writing MIDI"),
    "matplotlib": ("matplotlib.figure", "pictures (--plot)"),
    "pyrubberband": ("pyrubberband", "stretching (dataset)"),
    "h5py": ("h5py", "data sets (dataset, train)"),
    "PyYAML": ("yaml", "job files in YAML (batch)"),
}
"""The same for what single commands use, and which."""
EXTRAS: dict[str, tuple[str, str]] = {
    "torch": ("training (train)", "pip install 'loopnet[train]'"),
    "distributed": ("more than one machine (--engine dask)", "pip install 'loopnet[dask]'"),
}
"""Distributions of which only the version is looked up, as loading them takes seconds."""
GRID = "kick: x...x...x...x... snare: ....x.......x... hat: x.x.x.x.x.x.x.x."

_IMPORTS = """
import importlib, json, sys
for name in sys.argv[1:]:
    print(json.dumps({"name": name, "error": "crashed"}), flush=True)
    try:
        module, error = importlib.import_module(name), None
    except BaseException as found:
        module, error = None, f"{type(found).__name__}: {found}"
    more = {}
    if name == "soundfile" and module:
        more["libsndfile"] = getattr(module, "__libsndfile_version__", None)
    if name == "numpy" and module:
        try:
            more["blas"] = module.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
        except Exception:
            pass
    print(json.dumps({"name": name, "error": error, **more}), flush=True)
"""
_BAR = """
import json, sys, time
from loopnet_cli import synthesis
from loopnet_cli.pattern.read import read_pattern
pattern = read_pattern(sys.argv[1]).pattern
model = synthesis.load_studio()
kit = model.kit(model.default_kit)
model.render(pattern, kit=kit)
times = []
for seed in range(1, 6):
    start = time.perf_counter()
    model.render(pattern, kit=kit, seed=seed)
    times.append(time.perf_counter() - start)
print(json.dumps(sorted(times)[2]))
"""
_MADMOM = """
from loopnet_cli.analysis.madmom_compat import import_madmom
import_madmom("madmom.features.beats")
"""
_DEVICE = """
from loopnet_cli.audio.play import device, load_sounddevice
device()
print(load_sounddevice().query_devices(None, "output")["name"])
"""


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes
    ----------
    name : str
        The thing.
    status : str
        `OK`, `MISSING` or `BROKEN`.
    found : str
        A version, a time, or what is wrong.
    fix : str
        The command that helps; empty where nothing needs to be done.
    """

    name: str
    status: str
    found: str
    fix: str = ""


def diagnose(*, fast: bool = False) -> Iterator[Finding]:
    """Look at everything; yields findings as they are made, and raises nothing.

    Parameters
    ----------
    fast : bool
        Leave out what takes seconds: loading libraries, rendering bars, the audio system.
    """
    quick: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("loopnet", _versions),
        ("weights", _weights),
        ("packages", _packages if fast else _loaded_packages),
        ("extras", _extras),
        ("rubberband", _rubberband),
        ("threads", _threads),
        ("your kits", _user_folder),
    ]
    slow: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("madmom", _madmom),
        ("audio device", _device),
        ("a bar", _bar),
    ]
    for name, look in quick if fast else quick + slow:
        try:
            yield from look()
        except Exception as error:
            yield Finding(name, BROKEN, f"{type(error).__name__}: {_line(error)}", REINSTALL)


def _versions() -> Iterator[Finding]:
    from loopnet_cli.version import __version__

    yield Finding("loopnet", OK, f"{__version__} in {_package()}")
    here = sys.version_info[:2]
    good = PYTHONS[0] <= here < PYTHONS[1]
    fix = "" if good else "install Python 3.11, 3.12 or 3.13, and loopnet in it"
    yield Finding("python", OK if good else BROKEN, f"{platform.python_version()}, {platform.platform()}", fix)


def _weights() -> Iterator[Finding]:
    from loopnet_cli.synthesis import bank

    try:
        folder = bank.weights_folder()
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        expected = {str(name): str(digest) for name, digest in manifest.items()}
    except Exception as error:
        yield Finding("weights", BROKEN, _line(error), REINSTALL)
        return
    fix = f"git -C {folder.parent} checkout -- weights" if (folder.parent / ".git").exists() else REINSTALL
    for name, digest in expected.items():
        try:
            with (folder / name).open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            yield Finding(f"weights/{name}", BROKEN, f"cannot be read: {error.strerror or error}", fix)
            continue
        same = found == digest
        told = f"{(folder / name).stat().st_size / 1e6:.1f} MB, checksum right" if same else "damaged: wrong checksum"
        yield Finding(f"weights/{name}", OK if same else BROKEN, told, "" if same else fix)


def _packages() -> Iterator[Finding]:
    for name in (*NEEDED, *USED):
        version = _version(name)
        status = OK if version else BROKEN if name in NEEDED else MISSING
        yield Finding(name, status, version or "not installed", "" if version else f"pip install {name}")


def _loaded_packages() -> Iterator[Finding]:
    modules = {**NEEDED, **{name: module for name, (module, _) in USED.items()}}
    loaded: dict[str, dict[str, Any]] = {}
    waiting = list(modules.values())
    while waiting:
        # a crash takes the process with it: those behind get another one
        told = [json.loads(line) for line in _python(_IMPORTS, *waiting).stdout.splitlines() if line.startswith("{")]
        loaded.update({entry["name"]: entry for entry in told})
        waiting = [module for module in waiting if module not in loaded] if told else []
    for name, module in modules.items():
        version, entry = _version(name), loaded.get(module, {"error": "it could not be tried"})
        purpose = "" if name in NEEDED else f", for {USED[name][1]}"
        bad = BROKEN if name in NEEDED else MISSING
        if version is None and entry["error"]:
            yield Finding(name, bad, f"not installed{purpose}", f"pip install {name}")
        elif entry["error"]:
            yield Finding(
                name, bad, f"{version} does not load{purpose}: {_line(entry['error'])}",
                f"pip install --force-reinstall {name}",
            )  # fmt: skip
        else:
            more = [f"{key} {entry[key]}" for key in ("libsndfile", "blas") if entry.get(key)]
            yield Finding(name, OK, ", ".join([version or "installed", *more]))


def _extras() -> Iterator[Finding]:
    for name, (purpose, fix) in EXTRAS.items():
        version = _version(name)
        found = f"{version} (not loaded)" if version else f"not installed, for {purpose}"
        yield Finding(name, OK if version else MISSING, found, "" if version else fix)


def _rubberband() -> Iterator[Finding]:
    program = shutil.which("rubberband")
    fix = "apt install rubberband-cli" if sys.platform.startswith("linux") else "install rubberband"
    fix = "brew install rubberband" if sys.platform == "darwin" else fix
    if program is None:
        yield Finding("rubberband", MISSING, "not installed, for stretching (dataset)", fix)
        return
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, errors="replace")
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode or not said:
        yield Finding("rubberband", MISSING, f"{program} does not run: {_line(' '.join(said))}", fix)
    else:
        yield Finding("rubberband", OK, f"{said[0].strip()} in {program}")


def _threads() -> Iterator[Finding]:
    from loopnet_cli.threads import THREAD_VARIABLES

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = [f"{name}={os.environ[name]}" for name in THREAD_VARIABLES if name in os.environ]
    yield Finding("processors", OK, ", ".join([f"{usable} of {os.cpu_count()} may be used", *told]))


def _user_folder() -> Iterator[Finding]:
    from loopnet_cli.synthesis import kit_store

    folder = kit_store.kit_folder()
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        if not nearest.is_dir():
            raise NotADirectoryError(20, f"{nearest} is no folder")
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        yield Finding(
            "your kits", MISSING, f"{folder} cannot be written: {error.strerror or error}",
            f"chmod u+rwx {nearest}, or set {kit_store.DATA_VARIABLE} to another folder",
        )  # fmt: skip
        return
    kits, problems = kit_store.user_kits()
    if problems:
        fix = "see `loopnet kits list`; `loopnet kits remove NAME` removes one"
        yield Finding("your kits", MISSING, f"{len(kits)} in {folder}, and {len(problems)} that cannot be used", fix)
    else:
        yield Finding(
            "your kits", OK, f"{len(kits)} in {folder}" if kits else f"none in {folder}, which can be written"
        )


def _madmom() -> Iterator[Finding]:
    version = _version("madmom")
    fix = "pip install numpy cython 'setuptools<81' && pip install --no-build-isolation 'loopnet[beats]'"
    if version is None:
        yield Finding("madmom", MISSING, "not installed: essentia tracks the beats of long recordings", fix)
        return
    done = _python(_MADMOM)
    if done.returncode:
        yield Finding("madmom", MISSING, f"{version} does not load: {_last(done.stderr)}", fix)
    else:
        yield Finding("madmom", OK, version)


def _device() -> Iterator[Finding]:
    done = _python(_DEVICE)
    if done.returncode == 0:
        yield Finding("audio device", OK, _last(done.stdout))
        return
    # errors of loopnet end with what to do
    text = _last(done.stderr).partition("Error: ")[2] or _last(done.stderr)
    what, colon, fix = text.partition("): ") if "): " in text else text.partition(": ")
    yield Finding("audio device", MISSING, what + colon.rstrip(": "), fix)


def _bar() -> Iterator[Finding]:
    import time

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bar.wav"
        start = time.perf_counter()
        done = _python(None, "-m", "loopnet_cli", "generate", GRID, "--seed", "1", "-q", "-o", str(out))
        cold = time.perf_counter() - start
        if done.returncode or not out.is_file():
            yield Finding("a bar", BROKEN, _last(done.stderr), "mend what is broken above, else " + REINSTALL)
            return
    warm = _python(_BAR, GRID)
    if warm.returncode:
        yield Finding("a bar", BROKEN, _last(warm.stderr), REINSTALL)
        return
    yield Finding(
        "a bar", OK, f"{cold:.2f} s cold (from the shell to the file), {1000 * float(warm.stdout):.0f} ms warm"
    )


def _package() -> Path:
    return Path(__file__).resolve().parent


def _python(code: str | None, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with this loopnet, and with nothing from the folder that happens to be the current one."""
    path = [str(_package().parent), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    command = [sys.executable, "-P", *(() if code is None else ("-c", code)), *words]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONUTF8": "1"}
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        out = error.stdout if isinstance(error.stdout, str) else (error.stdout or b"").decode("utf-8", "replace")
        return subprocess.CompletedProcess(command, 124, out, f"gave up after {TIMEOUT:.0f} s")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except Exception:  # not installed, or its metadata damaged
        return None


def _last(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return _line(lines[-1]) if lines else "it ended without a word"


def _line(text: object) -> str:
    return " ".join(str(text).split())[:300] or type(text).__name__
