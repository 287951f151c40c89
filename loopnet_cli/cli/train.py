"""``loopnet train``: a data set of bars in, one of the paper's models out."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from loopnet_cli.cli.console import Console
from loopnet_cli.errors import UsageError
from loopnet_cli.synthesis.papernet import PAPER_MODELS, PaperConfig

if TYPE_CHECKING:
    from loopnet_cli.training.paper import Recipe, Run

Model = StrEnum("Model", {name: name for name in PAPER_MODELS})  # type: ignore[misc]


class Variant(StrEnum):
    """How the filters grow; see `PaperConfig`."""

    text = "text"
    code = "code"


class Device(StrEnum):
    """Where to train."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Precision(StrEnum):
    """Of the arithmetic."""

    auto = "auto"
    fp32 = "fp32"
    bf16 = "bf16"


def train(
    dataset: Annotated[Path, typer.Argument(help="Data set made by loopnet dataset build or render.")],
    *,
    model: Annotated[Model, typer.Option("--model", help="Which of the paper's five models.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder of the run: weights, checkpoint, curve, audio of test bars.")
    ],
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run that is in the folder.")] = False,
    steps: Annotated[int, typer.Option("--steps", min=1, max=10_000_000, help="Steps in all.")] = 20_000,
    batch: Annotated[int, typer.Option("--batch", min=1, max=4096, help="Bars a step; the paper has 16.")] = 16,
    rate: Annotated[float, typer.Option("--rate", min=1e-7, max=1.0, help="Adam's rate at its highest.")] = 1e-3,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=2**31 - 1, help="What weights, order and noise are drawn from.")
    ] = 0,
    patience: Annotated[
        int, typer.Option("--patience", min=0, help="Stop after so many epochs without a better one; 0: never.")
    ] = 20,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="Stop after so long; --resume goes on from there.")
    ] = None,
    variant: Annotated[
        Variant, typer.Option("--variant", help="Filters double every 3 layers (text) or every 2 (published code).")
    ] = Variant.text,
    noise: Annotated[
        bool, typer.Option("--noise/--no-noise", help="With a noise input, or the paper's network to the parameter.")
    ] = True,
    device: Annotated[Device, typer.Option("--device", help="Where to train.")] = Device.auto,
    precision: Annotated[
        Precision, typer.Option("--precision", help="bf16 is mixed precision; auto takes it where it is faster.")
    ] = Precision.auto,
    threads: Annotated[int, typer.Option("--threads", min=0, max=1024, help="On the CPU; 0: one a core.")] = 0,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write TensorBoard's logs too (pip install tensorboard).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")] = False,
) -> None:
    """Train one of the paper's models.

    The run's folder holds weights.safetensors (the best epoch, for --model of
    generate and transfer), checkpoint.safetensors, log.csv, curve.png,
    recipe.json, and test bars rendered after every epoch. Ctrl-C saves and stops.
    """
    config = PaperConfig(model.value, variant.value, noise)
    console = Console(quiet)
    _check_folder(output, resume=resume)
    if tensorboard:
        _check_tensorboard()
    from loopnet_cli.data.probe import probe
    from loopnet_cli.data.store import BarStore
    from loopnet_cli.training import paper

    chosen = paper.best_device() if device.value == "auto" else device.value
    recipe = paper.Recipe(
        steps=steps, batch=batch, rate=rate, seed=seed, patience=patience, device=chosen,
        precision=paper.best_precision(chosen) if precision.value == "auto" else precision.value, threads=threads,
    )  # fmt: skip
    paper.check(recipe)
    probe(dataset)
    with BarStore(dataset) as store:
        run = paper.Run(store, output, config, recipe, tensorboard=tensorboard)
        console.info(_plan(run, recipe))
        limit = float("inf") if minutes is None else minutes * 60
        left = max(0, recipe.steps - run.progress.step)
        with _stoppable(run), console.progress(left, f"training {config.model}") as advance:
            complete = run.train(seconds=limit, tell=lambda text, done: advance(text, done))
    _tell(console, run, complete, as_json=as_json)


def _check_folder(folder: Path, *, resume: bool) -> None:
    from loopnet_cli.training.paper_checkpoint import CHECKPOINT

    there = (folder / CHECKPOINT).exists()
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file: -o names a folder")
    if there and not resume:
        raise UsageError(f"{folder} holds a run already: add --resume to go on, or name another folder")
    if resume and not there:
        raise UsageError(f"{folder} holds no run to resume: leave --resume out to begin one")
    if not there and folder.is_dir() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty and holds no run: name another folder")


def _check_tensorboard() -> None:
    from importlib.util import find_spec

    if find_spec("tensorboard") is None:
        raise UsageError("--tensorboard needs a package that is not installed: pip install tensorboard")


def _plan(run: Run, recipe: Recipe) -> str:
    division = run.division
    begin = f"from step {run.progress.step} " if run.progress.step else ""
    return (
        f"training {run.config.model} {begin}to step {recipe.steps} on {len(division.training)} bars,"
        f" seed {recipe.seed}, {recipe.device}, {recipe.precision};"
        f" {len(division.development)} bars choose the epoch"
    )


@contextmanager
def _stoppable(run: Run) -> Iterator[None]:
    """Save before an interruption or a polite kill ends the command."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        run.save()
        raise typer.Abort() from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(console: Console, run: Run, complete: bool, *, as_json: bool) -> None:
    progress = run.progress
    state = "complete" if complete else "stopped: go on with --resume"
    console.info(
        f"{run.folder}: {state}; step {progress.step}, best development loss {progress.best:.4g}"
        f" in epoch {progress.best_epoch}, {progress.seconds / 60:.1f} minutes"
    )
    if as_json:
        best = progress.best if progress.best_epoch else None
        print(json.dumps({
            "folder": str(run.folder), "model": run.config.model, "complete": complete, "step": progress.step,
            "epoch": progress.epoch, "best_epoch": progress.best_epoch, "development_loss": best,
            "seconds": round(progress.seconds, 1), "seed": run.recipe.seed,
        }))  # fmt: skip
