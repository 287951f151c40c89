"""``loopnet play``: loops to listen to."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from loopnet_cli.audio import play as player
from loopnet_cli.cli.console import Console
from loopnet_cli.cli.inputs import expand_files
from loopnet_cli.cli.options import Quiet
from loopnet_cli.cli.outputs import STDOUT
from loopnet_cli.errors import AudioError

MAX_STDIN = 2**28


def play(
    files: Annotated[
        list[str], typer.Argument(metavar="FILES", help="Audio (WAV, FLAC, AIFF, OGG, MP3, ...); - reads stdin.")
    ],
    *,
    times: Annotated[
        int | None, typer.Option("--times", "-n", metavar="N", help="Play each N times, then end.", min=1)
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="Number or name of the audio device. Default: the system's.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Play loops round and round, without a gap, until Ctrl-C.

    Many files are played one after the other, then again from the first. Files of other sample rates interrupt
    the sound for a moment.
    """
    inputs = expand_files(files)
    console = Console(quiet)
    open_output = player.device(device)
    sources = [(_content() if item.source == STDOUT else item.source, item.label) for item in inputs]
    try:
        player.play(sources, open_output, times=times, started=lambda name: console.info(f"playing {name}"))
    except KeyboardInterrupt:
        if times is not None:
            raise
        # the way it is meant to end


def _content() -> bytes:
    content = sys.stdin.buffer.read(MAX_STDIN + 1)
    if len(content) > MAX_STDIN:
        raise AudioError(f"standard input is larger than {MAX_STDIN >> 20} MB: save it as a file first")
    return content
