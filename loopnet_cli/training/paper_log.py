"""What a training run leaves to look at and to listen to: a table, a curve, bars."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.audio.files import make_folder, write_whole
from loopnet_cli.data.store import BarStore
from loopnet_cli.synthesis.papernet import PAPER_RATE
from loopnet_cli.training.paper_batches import inputs_of
from loopnet_cli.training.paper_checkpoint import Progress
from loopnet_cli.training.paper_losses import STFT_UNIT
from loopnet_cli.training.papernet import PaperNet

COLUMNS = ("step", "epoch", "training_loss", "development_loss", "rate", "seconds")
HEARD_BARS = 4
"""Test bars that are rendered after every epoch."""
NOISE_SEED = 20210606


class Log:
    """The learning curve of a run: ``log.csv``, ``curve.png``, and TensorBoard's files if asked.

    Parameters
    ----------
    folder : Path
    about : dict
        Written to ``recipe.json``.
    after_step : int
        Rows past it were of steps that are taken again.
    tensorboard : bool
    """

    def __init__(self, folder: Path, about: dict[str, Any], *, after_step: int, tensorboard: bool) -> None:
        make_folder(folder)
        self.folder = folder
        write_whole(folder / "recipe.json", (json.dumps(about, indent=1) + "\n").encode())
        self.rows = [row for row in read_log(folder / "log.csv") if row["step"] <= after_step]
        self._losses: list[float] = []
        self._board: Any = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            # purge_step: what a stopped run had logged past its checkpoint is dropped
            self._board = SummaryWriter(  # type: ignore[no-untyped-call]
                str(folder / "tensorboard"), purge_step=after_step + 1
            )

    def add(self, loss: float) -> None:
        """Take in the loss of a step."""
        self._losses.append(loss)

    def end_epoch(self, progress: Progress, development: float, rate: float) -> None:
        """Write what the epoch gave."""
        # the first epoch after a resume may have been cut: its mean is over the steps since
        training = float(np.mean(self._losses)) if self._losses else float("nan")
        self._losses.clear()
        values = (progress.step, progress.epoch, training, development, rate, progress.seconds)
        self.rows.append(dict(zip(COLUMNS, values, strict=True)))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([f"{row[name]:.6g}" for name in COLUMNS] for row in self.rows)
        write_whole(self.folder / "log.csv", text.getvalue().encode())
        write_whole(self.folder / "curve.png", curve_picture(self.rows))
        if self._board is not None:
            for name, value in (("loss/training", training), ("loss/development", development), ("rate", rate)):
                self._board.add_scalar(name, value, progress.step, walltime=time.time())
            self._board.flush()


def read_log(path: Path) -> list[dict[str, float]]:
    """Read a learning curve; an absent one is empty, a damaged row ends it."""
    rows: list[dict[str, float]] = []
    if not path.exists():
        return rows
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            try:
                rows.append({name: float(row[name]) for name in COLUMNS})
            except (KeyError, TypeError, ValueError):
                break
    return rows


def curve_picture(rows: list[dict[str, float]]) -> bytes:
    """Draw a learning curve as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    steps = [row["step"] for row in rows]
    axes.plot(steps, [row["training_loss"] for row in rows], label="training bars", color="#8a8f98")
    axes.plot(steps, [row["development_loss"] for row in rows], label="development bars", color="#d1495b")
    axes.set(xlabel="step", ylabel="loss")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_png(picture)  # type: ignore[no-untyped-call]
    return picture.getvalue()


@torch.no_grad()
def write_audio(
    folder: Path, net: PaperNet, store: BarStore, test: NDArray[np.int64], ranges: Normalisation, epoch: int
) -> None:
    """Render the first test bars, always the same with the same noise, beside their originals."""
    rows = test[:HEARD_BARS]
    if not len(rows):
        return
    bars = store.read(rows)
    inputs = inputs_of(net.config, bars, ranges, np.random.default_rng(NOISE_SEED))
    made = net(inputs.to(next(net.parameters()).device)).float().cpu().numpy()
    if net.config.is_spectral:
        from loopnet_cli.audio.resample import resample_circular
        from loopnet_cli.synthesis.griffin_lim import griffin_lim

        sounds = (griffin_lim(m * np.float32(STFT_UNIT), rng=np.random.default_rng(NOISE_SEED)) for m in made)
        made = np.stack([resample_circular(sound, bars.audio.shape[1]) for sound in sounds])
    else:
        made = made[:, 0]
    heard = folder / "audio"
    make_folder(heard / f"epoch_{epoch:04d}")
    for number, (sound, original) in enumerate(zip(made, bars.audio, strict=True)):
        write_whole(heard / f"epoch_{epoch:04d}" / f"bar_{number}.wav", _wav(sound))
        if not (heard / f"original_{number}.wav").exists():
            write_whole(heard / f"original_{number}.wav", _wav(original))


def _wav(audio: NDArray[np.float32]) -> bytes:
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, np.clip(audio, -1, 1), PAPER_RATE, format="WAV", subtype="PCM_16")
    return stream.getvalue()
