"""``loopnet dataset``: data sets of bars, from recordings or rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from loopnet_cli.cli.console import Console
from loopnet_cli.errors import DatasetError

app = typer.Typer(help="Make data sets of bars to train and test on, and look into them.", no_args_is_help=True)


@app.command("render")
def render(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DATASET", help="The data set's file (.h5).")],
    bars: Annotated[int, typer.Option(metavar="N", help="How many bars.", min=1)],
    seed: Annotated[int, typer.Option(metavar="N", help="What chance is drawn from.", min=0)] = 1,
    material: Annotated[Path | None, typer.Option(metavar="DIR", help="One-shots and grooves to render with.")] = None,
    workers: Annotated[int, typer.Option(metavar="N", help="Processes; 0 works in this one.", min=0)] = 1,
    no_studio: Annotated[bool, typer.Option("--no-studio", help="Leave the 44.1 kHz audio out.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a data set that exists.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")] = False,
) -> None:
    """Render bars with exact labels."""
    from dataclasses import asdict

    from loopnet_cli.data.parts import PartsFolder
    from loopnet_cli.data.rendered import BLOCK, RenderSettings, RenderTask, render_part
    from loopnet_cli.data.workers import do_all

    if output.exists() and not overwrite:
        raise DatasetError(f"{output} exists: use --overwrite")
    settings = RenderSettings(seed, str(material), not no_studio)
    folder = PartsFolder(output)
    told = {"made_by": "dataset render", "bars": bars, **asdict(settings)}
    folder.open(told)
    tasks = [RenderTask(settings, folder, first, min(BLOCK, bars - first)) for first in range(0, bars, BLOCK)]
    left = [task for task in tasks if not folder.done(task.key)]
    with Console(quiet).progress(len(left), "blocks") as advance:
        for key in do_all(render_part, left, workers):
            advance(key)
    folder.assemble([task.key for task in tasks], told, studio=settings.studio)
