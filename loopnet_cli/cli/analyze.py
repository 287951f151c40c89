"""``loopnet analyze``: recordings in, what is heard in them out."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from loopnet_cli.analysis.rhythm import quantized
from loopnet_cli.cli import analyze_options as options
from loopnet_cli.cli.console import Advance, Console
from loopnet_cli.cli.inputs import Input, expand_files, parse_meter
from loopnet_cli.cli.loops import Tally, one_of_many
from loopnet_cli.cli.options import Overwrite
from loopnet_cli.cli.outputs import STDOUT, Output, check_clashes, existing, fill_name, fill_path
from loopnet_cli.errors import AudioError, LoopnetError, UsageError
from loopnet_cli.pattern.model import Pattern
from loopnet_cli.synthesis import kit_store

if TYPE_CHECKING:
    from loopnet_cli.analysis.hearing import Heard
    from loopnet_cli.analysis.pieces import Progress

MAX_STDIN = 2**31


@dataclass(frozen=True, slots=True)
class Job:
    """One recording and the files to make of it; `kit` is the name of the kit to save."""

    input: Input
    output: Output
    kit: str | None

    @property
    def plot(self) -> Path | None:
        """Where the picture goes."""
        return self.output.plot

    @property
    def midi(self) -> Path | None:
        """Where the MIDI file goes."""
        return self.output.path

    @property
    def kit_file(self) -> Path | None:
        """Where the kit goes."""
        return self.output.stems.get("kit")


def analyze(
    inputs: options.Files,
    *,
    plot: options.Plot = None,
    midi: options.Midi = None,
    save_kit: options.SaveKit = None,
    overwrite: Overwrite = False,
    bpm: options.Bpm = None,
    bars: options.Bars = None,
    meter: options.Meter = None,
    start: options.Start = None,
    end: options.End = None,
    quantize: options.Quantize = None,
    strength: options.Strength = 1.0,
    swing: options.Swing = 0.5,
    as_json: options.AsJson = False,
    curves: options.Curves = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what is heard in recordings: tempo, bars, hits, level, chroma and timbre.

    A loop is heard whole and as a circle; of a longer recording the steadiest
    bars are chosen, or those that --start and --end name.
    """
    if midi == STDOUT and as_json:
        raise UsageError("--midi - and --json both want standard output: use one of them")
    if midi == STDOUT and sys.stdout.isatty():
        raise UsageError("--midi - would print a MIDI file on the terminal: redirect it, or name a file")
    if curves and not as_json:
        raise UsageError("--curves adds to --json: use both")
    if quantize is None and (strength != 1.0 or swing != 0.5):
        raise UsageError("--strength and --swing say how to quantize: use --quantize 16 with them")
    if quantize is not None:
        quantized(Pattern(()), quantize, strength=strength, swing=swing)  # says what is wrong with them
    if start is not None and end is not None and end <= start:
        raise UsageError(f"--end {end:g} must lie after --start {start:g}")
    how: dict[str, Any] = {"bpm": bpm, "bars": bars, "meter": parse_meter(meter), "start": start, "end": end}
    jobs = _plan(expand_files(inputs), plot, midi, save_kit)
    tally = Tally(Console(quiet))
    if not overwrite:
        jobs = [job for job in jobs if _replaces_nothing(job, tally)]
    if jobs:
        listener = _Listener(how, (quantize, strength, swing), tally.console)
        with _progress(listener, jobs) as advance:
            for job in jobs:
                with one_of_many(tally, job.input.label):
                    _one(job, listener, to_stdout=midi == STDOUT, as_json=as_json, curves=curves)
                    tally.written += 1
                advance(job.input.label)
    _close(tally)


def _plan(inputs: list[Input], plot: str | None, midi: str | None, kit: str | None) -> list[Job]:
    """Name all files before anything is heard, so that clashes cost no time."""
    if midi == STDOUT and len(inputs) > 1:
        raise UsageError(f"--midi - is one file, there are {len(inputs)}: name a folder")
    jobs = []
    for item in inputs:
        values = {"stem": item.stem}
        picture = _target("--plot", plot, (".png",), values)
        notes = None if midi == STDOUT else _target("--midi", midi, (".mid", ".midi"), values)
        name = None if kit is None else fill_name(kit, values, "--save-kit")
        kits = {} if name is None else {"kit": kit_store.kit_path(name)}
        folders = tuple(Path(text) for text in (plot, midi) if text and text != STDOUT and _is_folder(text))
        jobs.append(Job(item, Output(notes, kits, picture, folders), name))
    paths = [item.path for item in inputs if item.path is not None]
    check_clashes([job.output for job in jobs], paths, "by a folder (with / at its end) or {stem} in the name")
    return jobs


def _target(option: str, text: str | None, endings: tuple[str, ...], values: dict[str, str]) -> Path | None:
    """Return the file that an option names: in a folder by the recording's own name, or by a template."""
    if text is None:
        return None
    if _is_folder(text):
        return Path(text) / (fill_name("{stem}", values) + endings[0])
    if not text.lower().endswith(endings):
        raise UsageError(f"{option} {text}: call it {endings[0]}, or name a folder (with / at its end)")
    return fill_path(text, values, option)


def _is_folder(text: str) -> bool:
    return text.endswith(("/", "\\")) or Path(text).is_dir()


def _replaces_nothing(job: Job, tally: Tally) -> bool:
    found = existing(job.output)
    if found is None:
        return True
    what = f"kit {job.kit} exists" if found == job.kit_file else f"{found} exists"
    tally.fail(AudioError(f"{what}: use --overwrite"), job.input.label)
    return False


class _Listener:
    """Hears recordings; what is loaded for it is loaded once, when it is first needed."""

    def __init__(self, how: dict[str, Any], grid: tuple[int | None, float, float], console: Console) -> None:
        self._how, self._grid, self.console = how, grid, console
        self._ears: Any = None
        self._studio: Any = None
        self._normalisation: Any = None
        self.progress: Progress | None = None

    def hear(self, item: Input) -> Heard:
        """Hear one recording."""
        from loopnet_cli.analysis import transcriber
        from loopnet_cli.analysis.hearing import hear
        from loopnet_cli.synthesis import bank

        if self._ears is None:
            self._ears = transcriber.load_transcriber()
            self._normalisation = bank.read_normalisation()
        source: str | bytes = item.source
        if item.source == STDOUT:
            source = sys.stdin.buffer.read(MAX_STDIN + 1)
            if len(source) > MAX_STDIN:
                raise AudioError(f"{item.label} is larger than 2 GB: cut it first")
        return hear(
            source, name=item.label, transcriber=self._ears, normalisation=self._normalisation,
            progress=self.progress, **self._how,
        )  # fmt: skip

    def pattern(self, heard: Heard) -> Pattern:
        """Return the pattern as it shall be written."""
        steps, strength, swing = self._grid
        if steps is None:
            return heard.pattern
        return quantized(heard.pattern, steps, strength=strength, swing=swing)

    def kit(self, heard: Heard, name: str) -> bytes:
        """Make a kit of how a recording sounds and return its file's content."""
        from loopnet_cli import synthesis
        from loopnet_cli.synthesis.kit_making import kit_heard

        if self._studio is None:
            self._studio = synthesis.load_studio()
        words = ["loopnet", "kits", "save", name, heard.name]
        told = {key: value for key, value in self._how.items() if value is not None}
        if "meter" in told:
            told["meter"] = "{}/{}".format(*told["meter"])
        made = shlex.join([*words, *(f"--{key}={value}" for key, value in told.items())])
        return kit_store.encode_kit(kit_heard(self._studio, heard, name), made)


@contextmanager
def _progress(listener: _Listener, jobs: list[Job]) -> Iterator[Advance]:
    """Show how many recordings are done, or how much of a long one."""
    if len(jobs) > 1:
        with listener.console.progress(len(jobs), "recordings") as advance:
            yield advance
        return
    with ExitStack() as stack:
        bars: list[Advance] = []

        def go_on(done: float, total: float, past: list[float] = [0.0]) -> None:  # noqa: B006 - the memory of this bar
            if not bars:
                bars.append(stack.enter_context(listener.console.progress(round(total), "seconds")))
            bars[0](steps=round(done) - round(past[0]))
            past[0] = done

        listener.progress = go_on
        yield lambda label="", steps=1: None


def _one(job: Job, listener: _Listener, *, to_stdout: bool, as_json: bool, curves: bool) -> None:
    """Hear one recording, write its files, report."""
    from loopnet_cli.audio.files import make_folder, write_together
    from loopnet_cli.cli import analysis_report
    from loopnet_cli.pattern.write import to_midi

    console = listener.console
    heard = listener.hear(job.input)
    pattern = listener.pattern(heard)
    if not pattern.hits and (job.midi or job.kit or to_stdout):
        raise AudioError(f"{heard.name}: no drum hits were heard, so there is no MIDI or kit to write")
    files: list[tuple[Path, bytes]] = []
    if job.plot is not None:
        from loopnet_cli.plotting_heard import plot_heard

        files.append((job.plot, plot_heard(heard, pattern)))
    if job.midi is not None:
        files.append((job.midi, to_midi(pattern)))
    if job.kit is not None and job.kit_file is not None:
        files.append((job.kit_file, listener.kit(heard, job.kit)))
        make_folder(job.kit_file.parent)
    for folder in job.output.folders:
        make_folder(folder)
    write_together(files)
    for warning in heard.warnings:
        console.warn(f"{heard.name}: {warning}")
    if to_stdout:
        sys.stdout.buffer.write(to_midi(pattern))
        sys.stdout.buffer.flush()
    elif as_json:
        written = {"plot": job.plot, "midi": job.midi, "kit": job.kit_file}
        outputs = {kind: None if path is None else str(path) for kind, path in written.items()}
        told = analysis_report.plain(heard, pattern, outputs, curves=curves)
        print(json.dumps(told, allow_nan=False), flush=True)
    elif not console.quiet:
        analysis_report.show(heard)
    if files:
        console.info(f"{heard.name}: wrote {', '.join(str(path) for path, _ in files)}")


def _close(tally: Tally) -> None:
    """Sum the run up where it had more than one file, and leave with its exit code."""
    if tally.written + tally.failed > 1:
        failed = [f"{tally.failed} failed"] if tally.failed else []
        tally.console.info(", ".join([f"{tally.written} analysed", *failed]))
    if tally.bug is not None:
        raise tally.bug
    if tally.failed:
        raise typer.Exit(LoopnetError.exit_code)
