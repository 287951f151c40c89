"""What every command that writes loops checks and decides before it starts."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from loopnet_cli.audio.levels import parse_normalize
from loopnet_cli.audio.write import check_format
from loopnet_cli.cli import loops, options, produce
from loopnet_cli.cli.outputs import STDOUT, choose_format, is_folder
from loopnet_cli.errors import PatternError, UsageError

if TYPE_CHECKING:
    from loopnet_cli.cli.report import Book

SHORT_SEEDS = 1_000_000
"""Seeds that are drawn lie below: short enough to be typed again."""


def check_targets(
    output: str | None,
    out_dir: Path | None,
    plot: str | None,
    *,
    as_json: bool,
    overwrite: bool,
    skip_existing: bool,
) -> None:
    """Make sure that the options which say where files go do not contradict each other.

    Raises
    ------
    UsageError
        If they do.
    """
    if overwrite and skip_existing:
        raise UsageError("--overwrite and --skip-existing contradict each other")
    if output is not None and out_dir is not None:
        raise UsageError("-o names one file, --out-dir a folder: use one of them")
    if output not in (None, STDOUT) and (output.endswith(("/", os.sep)) or is_folder(Path(output))):
        raise UsageError(f"-o {output} is a folder: use --out-dir {output}")
    if output == STDOUT and as_json:
        raise UsageError("-o - and --json both want standard output: use one of them")
    if output == STDOUT and sys.stdout.isatty():
        raise UsageError("-o - would print a WAV on the terminal: redirect it, or name a file")
    if plot is not None and not plot.lower().endswith(".png"):
        raise UsageError(f"--plot {plot}: the picture is a PNG, call it .png")


def chosen_finish(
    output: str | None,
    name: str,
    format: options.Format | None,
    subtype: options.Subtype,
    *,
    sample_rate: int | None,
    normalize: str,
    repeat: int,
) -> produce.Finish:
    """Return what happens to rendered loops; the file's name or the template of names may tell the format.

    Raises
    ------
    UsageError
        If a value is wrong, or two contradict each other.
    """
    mode, target = parse_normalize(normalize)
    file_format = choose_format(format and format.value, name if output in (None, STDOUT) else output)
    check_format(file_format, subtype.value)
    return produce.Finish(sample_rate, mode, target, repeat, file_format, subtype.value)


def chosen_naming(
    output: str | None, out_dir: Path | None, name: str, stems: Path | None, plot: str | None, finish: produce.Finish
) -> loops.Naming:
    """Return where files go."""
    return loops.Naming(
        path=None if output in (None, STDOUT) else Path(output or ""),
        to_stdout=output == STDOUT,
        folder=out_dir or Path(),
        template=name,
        ending=f".{finish.format}",
        stems_folder=stems,
        plot=plot,
    )


def chosen_book(
    report: Path | None,
    audio: options.ReportAudioMode | None,
    output: str | None,
    *,
    overwrite: bool,
    skip_existing: bool,
) -> Book | None:
    """Return what makes the page of a run, if one is asked for.

    Raises
    ------
    UsageError
        If the options contradict each other, or the page is not called .html.
    AudioError
        If it exists and may not be replaced.
    """
    if report is None:
        if audio is not None:
            raise UsageError(f"--report-audio {audio.value} is about the page: use it with --report PAGE.html")
        return None
    if output == STDOUT and audio is options.ReportAudioMode.link:
        raise UsageError("--report-audio link needs files to link to: name one by -o, or leave it out")
    from loopnet_cli.cli.report import Book
    from loopnet_cli.report import check_report

    # a page that exists is left out as loops are: it is kept
    check_report(report, overwrite=overwrite or skip_existing)
    return Book(report, audio or options.ReportAudioMode.embed, overwrite=overwrite, keep=skip_existing)


def chosen_seed(seed: int | None) -> int:
    """Return the seed that was given, or a random one."""
    return secrets.randbelow(SHORT_SEEDS) if seed is None else seed


def chosen_chroma(text: str | None) -> tuple[float, ...] | None:
    """Return the pitch classes that were typed, C first; None for none.

    Raises
    ------
    UsageError
        If they cannot be read.
    """
    if text is None:
        return None
    from loopnet_cli.chroma_names import parse_chroma

    try:
        return tuple(parse_chroma(text))
    except UsageError as error:  # which begins with the word chroma
        raise UsageError(f"--{error}") from error


def chosen_map(text: str) -> str | Mapping[int, str]:
    """Return a drum map: ``auto``, a name, or the content of a file.

    Raises
    ------
    UsageError
        If there is no such map, or the file is none.
    """
    from loopnet_cli.pattern.maps import drum_map, find_drum_map

    try:
        if text == "auto":
            return text
        if Path(text).suffix.lower() in (".toml", ".json"):
            return find_drum_map(text)
        drum_map(text)
    except PatternError as error:
        raise UsageError(f"--map: {error}") from error
    return text
