"""What is promised of the command line: an orderly end whatever is typed, files only where they were asked for.

The models are fakes, as in tests/cli. A command runs in ``box/work``, with the user's kits in ``box/data/kits``;
what lies beside must stay as it is.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np

CHECKS: dict[str, Callable[[bytes, Path], str | None]] = {}
GRID = "kick: x...x...x...x..."
_ERROR = "loopnet: error: "
FILES: dict[str, bytes] = {}
"""What lies in ``box/work`` before a command runs."""


def load(folder: Path) -> None:
    """Put the fakes in their places and load the rest."""
    os.environ["HOME"] = str(folder)
    import fake_main  # noqa: F401 - the studio model
    import matplotlib.pyplot  # noqa: F401
    import soundfile  # noqa: F401
    import typer.testing
    from fake_ears import FakeTranscriber
    from fake_studio import beat, make_kit
    from sounds import drum_loop, encoded

    from loopnet_cli.analysis.section import Section
    from loopnet_cli.controls import TIMBRE_NAMES
    from loopnet_cli.errors import AudioError
    from loopnet_cli.pattern.write import to_midi
    from loopnet_cli.synthesis import kit_file

    def find_section(audio, sample_rate, *, bpm=None, bars=None, meter=None, **rest):
        seconds = len(audio) / sample_rate
        count, meter = bars or max(1, round(seconds / 2)), meter or (4, 4)
        tempo = 60 * count * meter[0] * 4 / meter[1] / seconds
        return Section(0.0, seconds, tempo, count, meter, True, 0.9, "length", {"length": tempo})

    def kit_from_audio(model, audio, sample_rate, pattern, *, name, description):
        if not pattern.hits:
            raise AudioError("the recording is silent, so there is no sound to take")
        return make_kit(name, description, 0.8)

    fakes = {
        "loopnet_cli.analysis.transcriber.load_transcriber": lambda folder=None: FakeTranscriber(),
        "loopnet_cli.analysis.section.find_section": find_section,
        "loopnet_cli.analysis.timbre.timbre_features": lambda *_, **__: dict.fromkeys(TIMBRE_NAMES, 30.0),
        "loopnet_cli.analysis.hearing._chroma": lambda *_: np.linspace(0, 1, 12, dtype=np.float32),
        "loopnet_cli.synthesis.transfer.kit_from_audio": kit_from_audio,
        "loopnet_cli.synthesis.kitcode.kit_from_audio": kit_from_audio,
    }
    for name, fake in fakes.items():
        mock.patch(name, fake).start()
    # building the commands takes longer than most of them take
    mock.patch("typer.testing._get_command", cache(typer.testing._get_command)).start()
    wav = encoded(drum_loop(bars=1, bpm=120, rate=8000), rate=8000)
    kit = kit_file.text_of(kit_file.entry_of(make_kit("mine", "one of mine", 0.5)))
    jobs = f"inputs,name\n{GRID},{{seed}}\n".encode()
    FILES.update({"beat.mid": to_midi(beat()), "a.wav": wav, "b.wav": wav, "kit.json": kit, "jobs.csv": jobs})
    for words in (
        ("generate", "beat.mid", "-o", "x.wav"),
        ("analyze", "a.wav"),
        ("transfer", "-r", "a.wav", "-t", "b.wav"),
    ):
        box = folder / words[0]
        box.mkdir()
        run(box, list(words))


def run(box: Path, words: list[str], files: Mapping[str, bytes] | None = None, *, rows: int = 1) -> tuple[int, str]:
    """Run a command in ``box/work`` and return its exit code and what it said; fail where it ends in disorder.

    A command that is given many `rows` may say an error of each.
    """
    from typer.testing import CliRunner

    from loopnet_cli.cli.app import app

    work = box / "work"
    for path, content in {
        **{f"work/{k}": v for k, v in FILES.items()},
        "data/kits/mine.json": FILES["kit.json"],
        **(files or {}),
    }.items():
        (box / path).parent.mkdir(parents=True, exist_ok=True)
        (box / path).write_bytes(content)
    os.environ["LOOPNET_DATA"] = str(box / "data")
    with contextlib.chdir(work):
        result = CliRunner().invoke(app, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    said = result.stderr
    errors = [line for line in said.splitlines() if line.startswith(_ERROR)]
    assert result.exit_code in (0, 1, 2), (result.exit_code, said)
    assert "Traceback" not in said and "unexpected" not in said, said
    assert (1 <= len(errors) <= rows) if result.exit_code else not errors, (
        f"exit code {result.exit_code}, {len(errors)} errors: {said[:3000]}"
    )
    assert all(c.isprintable() or c == "\n" for c in said), repr(said)
    return result.exit_code, errors[0] if errors else ""


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """Return all that is in a folder."""
    found: dict[str, bytes | str | None] = {}
    for path in sorted(folder.rglob("*")):
        key = os.fsdecode(os.fsencode(path.relative_to(folder)))
        found[key] = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else None
    return found


def leaves() -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield every command of the program with the words that call it, from the program itself."""
    import typer

    from loopnet_cli.cli.app import app

    def walk(command, path):
        if hasattr(command, "commands"):
            for name, sub in command.commands.items():
                yield from walk(sub, (*path, name))
        else:
            yield path, command

    yield from walk(typer.main.get_command(app), ())


BASE: dict[str, list[str]] = {
    "generate": [GRID, "-o", "new.wav", "--seed", "1"],
    "transfer": ["-r", "a.wav", "-t", "b.wav", "-o", "new.wav", "--seed", "1"],
    "batch": ["jobs.csv", "--dry-run", "--out-dir", "new"],
    "grid": [GRID, "--sweep", "brightness=0:1:2", "-o", "new", "--dry-run"],
    "analyze": ["a.wav"],
    "play": ["a.wav"],
    "train": ["missing.h5", "--model", "multi", "-o", "new"],
    "kits show": ["tight-studio"],
    "kits save": ["new", "a.wav"],
    "kits import": ["kit.json", "--name", "new"],
    "kits export": ["tight-studio"],
    "kits remove": ["mine"],
    "kits morph": ["tight-studio", "warm-808", "--out-dir", "new"],
    "kits play-sheet": ["tight-studio", "-o", "new.wav"],
    "dataset build": ["missing", "-o", "new.h5"],
    "dataset render": ["--bars", "2", "-o", "new.h5", "--material", "missing"],
    "dataset inspect": ["a.wav"],
    "evaluate tables": ["missing", "--out", "new"],
    "evaluate pairs": ["missing", "nothing"],
    "evaluate frechet": ["missing", "nothing"],
    "evaluate statistics": ["missing", "-o", "new.npz"],
}
"""Words that make a command do its work quickly; one that is not here runs without any."""


def options() -> list[tuple[str, str, str]]:
    """Return every option of every command that takes a value: command, option, and what its value is called."""
    found = []
    for path, command in leaves():
        for parameter in command.params:
            names = [name for name in parameter.opts if name.startswith("-")]
            if names and not getattr(parameter, "is_flag", False):
                found.append((" ".join(path), max(names, key=len), parameter.metavar or ""))
    return found


_PLACES = re.compile(r"FILE|DIR|PAGE|DATASET|TEMPLATE|PREFIX|SOURCE", re.IGNORECASE)


def is_place(option: str, metavar: str) -> bool:
    """Tell whether an option's value names a file or a folder."""
    return bool(_PLACES.search(metavar)) or option in ("--output", "--out-dir", "-o")


def _flags(content: bytes, box: Path) -> str | None:
    """Options with odd values: ``[command, [[option, value], ...]]``."""
    command, chosen = json.loads(content)
    words = command.split()
    given = {option for option, _ in chosen}
    base = list(BASE.get(command, []))
    for option in given:  # given by hand, not twice
        if option in base:
            del base[base.index(option) : base.index(option) + 2]
    short = {"--output": "-o", "--out-dir": "-o"}
    for option in given & short.keys():
        if short[option] in base:
            del base[base.index(short[option]) : base.index(short[option]) + 2]
    words += [f"{option}={value}" for option, value in chosen] + base
    code, said = run(box, words, rows=50 if command in ("batch", "grid") else 1)
    assert {path.name for path in box.iterdir()} <= {"work", "data"}, sorted(box.iterdir())
    now = tree(box / "work")
    for name, before in FILES.items():
        assert now[name] == before, f"{name} was written over"
    return None if code == 0 else said


CHECKS["flags"] = _flags

NAMED: dict[str, tuple[list[str], str]] = {
    "generate --name": (["generate", GRID, "--seed", "1", "--out-dir", "place", "--name={}"], "work/place"),
    "generate --stems --name": (
        ["generate", GRID, "--out-dir=place", "--stems=place", "--name={}"],
        "work/place",
    ),
    "transfer --name": (
        ["transfer", "-r", "a.wav", "-t", "b.wav", "--seed", "1", "--out-dir", "place", "--name={}"],
        "work/place",
    ),
    "grid --name": (
        ["grid", GRID, "--sweep=brightness=0.5", "-o", "place", "--dry-run", "--name={}"],
        "work/place",
    ),
    "kits save": (["kits", "save", "--", "{}", "a.wav"], "data/kits"),
    "kits import --name": (["kits", "import", "kit.json", "--name={}"], "data/kits"),
    "kits morph --save": (["kits", "morph", "tight-studio", "warm-808", "--steps=3", "--save={}"], "data/kits"),
    "analyze --save-kit": (["analyze", "a.wav", "--save-kit={}"], "data/kits"),
    "kits remove": (["kits", "remove", "--", "{}"], "data/kits"),
    "kits show": (["kits", "show", "--", "{}"], "nowhere"),
    "kits export": (["kits", "export", "--", "{}"], "nowhere"),
    "generate --kit": (["generate", GRID, "-o", "x.wav", "--kit={}"], "work"),
    "generate INPUT": (["generate", "--seed=1", "--out-dir=place", "--", "{}"], "work/place"),
}
"""Where names go in, and the folder that files made of them have to stay in."""


def _names(content: bytes, box: Path) -> str | None:
    """A name in one of the places of `NAMED`: ``[place, name]``."""
    place, name = json.loads(content)
    words, folder = NAMED[place]
    if "\0" in name:  # no such word can be typed
        return "NUL"
    before = tree_after_setup(box)
    code, said = run(box, [word.replace("{}", name) for word in words], rows=9)  # * is all that is here
    _stayed(box, before, folder)
    return None if code == 0 else said


def tree_after_setup(box: Path) -> dict[str, bytes | str | None]:
    """Return what is in the box before a command runs, as `run` makes it, with things around that could be hit."""
    for path in ("victim.wav", "victim.json", "data/victim.json", "work/victim.wav"):
        (box / path).parent.mkdir(parents=True, exist_ok=True)
        (box / path).write_bytes(b"mine")
    setup = {f"work/{name}": content for name, content in FILES.items()} | {"data/kits/mine.json": FILES["kit.json"]}
    return {**tree(box), **setup}


def _stayed(box: Path, before: Mapping[str, bytes | str | None], folder: str) -> None:
    after = tree(box)
    for path in before:
        if before[path] is not None and not (path == "data/kits/mine.json" and path not in after):
            assert after.get(path) == before[path], f"{path} was changed"
    new = {path for path in after if path not in before and after[path] is not None}
    outside = [path for path in new if os.path.dirname(path) != folder]  # noqa: PTH120 - it is a text
    assert not outside, f"written outside {folder}: {outside}"
    strange = [path for path in new if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in path)]
    assert not strange, f"a strange name: {strange}"


CHECKS["names"] = _names


TARGETS: dict[str, tuple[list[str], str]] = {
    "generate -o": (["generate", GRID, "-o", "x.wav"], "x.wav"),
    "generate --name": (["generate", GRID, "--out-dir", "out", "--name", "x"], "out/x.wav"),
    "generate --stems": (["generate", GRID, "-o", "y.wav", "--stems", "stems"], "stems/y_kick.wav"),
    "generate --plot": (["generate", GRID, "-o", "y.wav", "--plot", "x.png"], "x.png"),
    "generate --report": (["generate", GRID, "-o", "y.wav", "--report", "x.html"], "x.html"),
    "transfer -o": (["transfer", "-r", "a.wav", "-t", "b.wav", "-o", "x.flac"], "x.flac"),
    "transfer --plot": (["transfer", "-r", "a.wav", "-t", "b.wav", "-o", "y.flac", "--plot", "x.png"], "x.png"),
    "transfer --report": (["transfer", "-r", "a.wav", "-t", "b.wav", "-o", "y.flac", "--report", "x.html"], "x.html"),
    "analyze --plot": (["analyze", "a.wav", "--plot", "x.png"], "x.png"),
    "analyze --midi": (["analyze", "a.wav", "--midi", "x.mid"], "x.mid"),
    "analyze --save-kit": (["analyze", "a.wav", "--save-kit", "x"], "../data/kits/x.json"),
    "kits save": (["kits", "save", "x", "a.wav"], "../data/kits/x.json"),
    "kits import": (["kits", "import", "kit.json", "--name", "x"], "../data/kits/x.json"),
    "kits export": (["kits", "export", "tight-studio", "-o", "x.json"], "x.json"),
    "kits show --plot": (["kits", "show", "tight-studio", "--plot", "x.png"], "x.png"),
    "kits play-sheet": (["kits", "play-sheet", "tight-studio", "-o", "x.wav"], "x.wav"),
    "kits morph --save": (
        ["kits", "morph", "tight-studio", "warm-808", "--steps=3", "--save", "x"],
        "../data/kits/x-1.json",
    ),
    "batch": (["batch", "jobs.csv", "--seed", "5", "--out-dir", "out"], "out/5.wav"),
    "batch --report": (["batch", "jobs.csv", "--seed", "5", "--out-dir", "out", "--report", "x.html"], "x.html"),
    "grid": (["grid", GRID, "--sweep", "seed=1,2", "-o", "out", "--name", "x{seed}"], "out/x2.wav"),
    "grid index": (["grid", GRID, "--sweep", "seed=1,2", "-o", "out"], "out/index.json"),
    "dataset build": (["dataset", "build", ".", "-o", "x.h5"], "x.h5"),
    "dataset build --rejected": (["dataset", "build", ".", "-o", "y.h5", "--rejected", "x.csv"], "x.csv"),
    "dataset render": (["dataset", "render", "--bars", "2", "-o", "x.h5"], "x.h5"),
    "evaluate statistics": (["evaluate", "statistics", ".", "-o", "x.npz"], "x.npz"),
}
"""Commands that write, and one of the files that each writes."""
KINDS = ("file", "empty file", "folder", "link")


def _overwriting(content: bytes, box: Path) -> str | None:
    """Something that is there already: ``[what of TARGETS, what of KINDS]``. It must stay as it is."""
    name, kind = json.loads(content)
    words, target = TARGETS[name]
    path = Path(os.path.normpath(box / "work" / target))
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "folder":
        path.mkdir()
        (path / "within").write_bytes(b"mine")
    elif kind == "link":
        (box / "elsewhere").write_bytes(b"mine")
        path.symlink_to(box / "elsewhere")
    else:
        path.write_bytes(b"mine" if kind == "file" else b"")
    before = tree(box)
    code, said = run(box, words, rows=9)
    after = tree(box)
    for found, was in before.items():
        assert after.get(found, "gone") == was, f"{found} was written over"
    assert code or kind == "folder", "nothing was said"  # some commands put their file into a folder
    about = ("exist", "folder", path.name, path.stem)
    assert not code or any(word in said for word in about), f"refused for another reason: {said}"
    return said


CHECKS["overwriting"] = _overwriting


def _giant(content: bytes, box: Path) -> str | None:
    """One of `giants.CASES`, by its name."""
    import giants

    (box / "work").mkdir()
    words = next(case for case in giants.CASES if case.__name__ == content.decode())(box / "work")
    before = {*FILES, *(path.name for path in (box / "work").iterdir())}
    code, said = run(box, words)
    assert {path.name for path in (box / "work").iterdir()} == before, "something was written"
    assert "not enough memory" not in said, said
    return None if code == 0 else said


CHECKS["giant"] = _giant


def _hostile_midi(content: bytes, box: Path) -> str | None:
    """A rhythm whose file and tracks have hostile names: ``[file name, track name]``."""
    import smf_bytes as smf

    stem, track = json.loads(content)
    stem = stem.replace("\0", "").replace("/", "_").encode("utf-8", "replace")[:200].decode("utf-8", "ignore")
    body = smf.name(track[:40].encode("utf-8", "replace").decode()) + smf.hits(0, 1, 2)
    before = tree_after_setup(box)
    files = {f"work/in/{stem}.mid": smf.song(body)}
    code, said = run(box, ["generate", "--seed=1", "--out-dir=place", "--", f"in/{stem}.mid"], files)
    _stayed(box, {**before, **files}, "work/place")
    return None if code == 0 else said


CHECKS["hostile_midi"] = _hostile_midi


def _imported_kit(content: bytes, box: Path) -> str | None:
    """A kit from elsewhere, imported as it is, then listed, shown and used."""
    before = tree_after_setup(box)
    path = {"work/theirs.json": content}
    code, said = run(box, ["kits", "import", "theirs.json"], path)
    _stayed(box, {**before, **path}, "data/kits")
    if code == 0:
        for name in (p.stem for p in (box / "data/kits").glob("*.json")):
            run(box, ["kits", "show", "--", name])
        run(box, ["kits", "list"])
    return None if code == 0 else said


CHECKS["imported_kit"] = _imported_kit


def _planned_jobs(content: bytes, box: Path) -> str | None:
    """Job files, by ``batch --dry-run``: nothing is written."""
    before = tree_after_setup(box)
    path = {"work/theirs.jsonl": content}
    code, said = run(box, ["batch", "theirs.jsonl", "--dry-run", "--out-dir=place"], path, rows=3)
    _stayed(box, {**before, **path}, "nowhere")
    return None if code == 0 else said


CHECKS["planned_jobs"] = _planned_jobs
