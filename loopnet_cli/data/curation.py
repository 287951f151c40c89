"""From a recording to bars of a data set, or to the reason why it is left out; one file at a time.

Steps: read; find its tempo and how sure that is; stretch it to the tempo of the data set; cut it into bars;
describe each bar. `curate_file` depends on its task alone and keeps what came of it as a part.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.hints import file_hints
from loopnet_cli.audio.read import mix_down
from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.audio.stream import open_audio
from loopnet_cli.audio.stretch import stretch_loop
from loopnet_cli.data.bar_features import CEILING, describe_bar
from loopnet_cli.data.parts import Part, PartsFolder, work_seconds
from loopnet_cli.data.rows import BEATS, SPLITS, STUDIO_RATE, TEMPO, TEST, TRAIN, LoopInfo, Rejected, pattern_text
from loopnet_cli.data.rows import stack_rows as stack
from loopnet_cli.data.tempo_fit import Fit, estimated_fit, fit_length, folded, stated_fit
from loopnet_cli.data.tempo_table import Entry
from loopnet_cli.errors import AudioError, DatasetError, MissingProgramError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loopnet_cli.analysis.transcriber import Transcriber

    Audio = NDArray[np.float32]

MAX_BYTES, MAX_SECONDS, MAX_CHANNELS = 2**29, 180.0, 16
MIN_RATE = 22050
"""Hz: below, there is next to nothing for the high band (9 kHz and up) to measure."""
FEATURE_RATES = (32000, 192000)
"""Hz, between which features are measured at the file's own rate."""
SILENCE = 1e-4
OFFSET = 0.005
"""From here on a steady offset is taken away."""
NO_STRETCH = 1e-3
"""Up to this change of length (a semitone's sixtieth) the loop is resampled: that is closer to it than stretching."""
SEAM_SECONDS = 0.005
TEST_SHARE = 0.1


@dataclass(frozen=True)
class BuildSettings:
    """How recordings are turned into bars.

    Attributes
    ----------
    low, high : float
        Tempos that are kept, BPM.
    fold : bool
        Whether half and double time may be read as a tempo within.
    confidence : float
        What the tempo's confidence has to exceed, 0..1.
    seed : int
        Of the split.
    studio : bool
        Whether bars are kept at 44.1 kHz too.
    """

    low: float = 120.0
    high: float = 140.0
    fold: bool = False
    confidence: float = 0.99
    seed: int = 0
    studio: bool = True


@dataclass(frozen=True)
class FileTask:
    """A file to be turned into bars.

    Attributes
    ----------
    settings : BuildSettings
    folder : PartsFolder
        Where its part is kept.
    path : Path
    source : str
        Its path as it is told.
    key : str
        Name of its part.
    entry : Entry or None
        What a table says of it.
    """

    settings: BuildSettings
    folder: PartsFolder
    path: Path
    source: str
    key: str
    entry: Entry | None = None

    def died(self, how: str) -> Part:
        """Return the part of a file that took its process with it."""
        return Part(rejected=(Rejected(self.source, "not readable", how),))


class RejectedError(Exception):
    """Why a file is left out: `reason` in few words, `detail` of this file."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def curate_file(task: FileTask) -> str:
    """Turn a file into bars and keep them, or why there are none, as a part; return its key.

    Raises
    ------
    DatasetError, MissingProgramError
        If the part cannot be kept, or Rubber Band is not installed: that would be so of every file.
    """
    began = work_seconds()
    try:
        part = curate(task)
    except (DatasetError, MissingProgramError):
        raise
    except RejectedError as error:
        part = _left_out(task, error.reason, error.detail)
    except MemoryError:
        part = _left_out(task, "not readable", "needs more memory than there is")
    except Exception as error:  # whatever a file holds, the others go on
        part = _left_out(task, "could not be analysed", f"{type(error).__name__}: {error}")
    task.folder.save(task.key, replace(part, seconds=work_seconds() - began))
    return task.key


def curate(task: FileTask) -> Part:
    """Turn a file into bars.

    Raises
    ------
    RejectedError
        If it is left out.
    """
    settings = task.settings
    content, audio, rate = _read(task)
    fit = find_fit(audio, rate, task, content)
    piece = audio[round(fit.start * rate) : round(fit.end * rate)]
    loop, loop_rate = _at_tempo(piece, rate, fit)
    digest = hashlib.sha256(content).hexdigest()
    rows = [row for bar in range(fit.beats // BEATS) if (row := _row(loop, loop_rate, bar)) is not None]
    if not rows:
        raise RejectedError("silent", "every bar of it is silent")
    info = LoopInfo(
        name=task.source.replace("\\", "/").rpartition("/")[2],
        source=task.source,
        split=SPLITS[split_of(digest, settings.seed)],
        tempo=fit.tempo,
        tempo_from=fit.tempo_from,
        confidence=fit.confidence,
        folded=fit.folded,
        sample_rate=loop_rate,
        seconds=fit.end - fit.start,
        beats=fit.beats,
        bars=len(rows),
        sha256=digest,
    )
    return Part((info,), stack(rows, studio=settings.studio))


def split_of(digest: str, seed: int) -> int:
    """Return `TRAIN` or `TEST` for a content: one in ten, whatever else there is.

    Parameters
    ----------
    digest : str
        SHA-256 of the file's content.
    seed : int
    """
    drawn = int.from_bytes(hashlib.sha256(f"{seed}:{digest}".encode()).digest()[:8], "big") / 2**64
    return TEST if drawn < TEST_SHARE else TRAIN


def find_fit(audio: Audio, rate: int, task: FileTask, content: bytes) -> Fit:
    """Find the tempo of a loop that may be kept.

    Raises
    ------
    RejectedError
        If it has none, or one that is out of range or not sure.
    """
    settings, fit = task.settings, None
    if task.entry is not None:
        if task.entry.meter != (4, 4):
            raise RejectedError("not in 4/4", f"{task.entry.meter[0]}/{task.entry.meter[1]} (table)")
        fit = fit_length(audio, rate, task.entry.tempo, "table")
    else:
        hints = file_hints(task.path, content)
        if hints.one_shot:
            raise RejectedError("not a loop", "its acid chunk calls it a single sound")
        if hints.meter not in (None, (4, 4)):
            raise RejectedError("not in 4/4", f"{hints.meter[0]}/{hints.meter[1]} (acid chunk)")
        fit = stated_fit(audio, rate, task.path.name, hints) or estimated_fit(audio, rate, settings.confidence)
    if fit is None:
        raise RejectedError("no tempo found", "nothing states it, and estimates disagree")
    inside = settings.low <= fit.tempo <= settings.high
    if settings.fold and not inside:
        fit = folded(fit, audio, rate, settings.low, settings.high) or fit
        inside = settings.low <= fit.tempo <= settings.high
    told = f"{fit.tempo:.6g} BPM ({fit.tempo_from})"
    if not inside:
        raise RejectedError("tempo out of range", told)
    if not fit.confidence > settings.confidence:
        count = (fit.end - fit.start) * fit.tempo / 60
        raise RejectedError("length is no whole beats", f"confidence {fit.confidence:.3f}: {count:.3f} beats at {told}")
    if fit.beats < BEATS:
        raise RejectedError("shorter than a bar", f"{fit.beats} beats at {told}")
    return fit


def _read(task: FileTask) -> tuple[bytes, Audio, int]:
    """Read a file, mixed to one channel, without a steady offset."""
    try:
        if task.path.stat().st_size > MAX_BYTES:
            raise RejectedError("too long", "larger than 512 MB")
        content = task.path.read_bytes()
        with open_audio(content, task.path.name) as stream:
            rate = stream.sample_rate
            if stream.channels > MAX_CHANNELS:
                raise RejectedError("not readable", f"{stream.channels} channels")
            if rate < MIN_RATE:
                raise RejectedError("sample rate too low", f"{rate} Hz, at least {MIN_RATE} are needed")
            blocks, total = [], 0
            for block in stream.blocks():
                blocks.append(mix_down(block))
                total += len(block)
                if total > MAX_SECONDS * rate:
                    raise RejectedError("too long", f"more than {MAX_SECONDS:g} s")
    except (AudioError, OSError) as error:
        raise RejectedError("not readable", getattr(error, "strerror", None) or str(error)) from error
    audio = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    if not len(audio):
        raise RejectedError("not readable", "no audio in it (0 samples)")
    if not np.isfinite(audio).all():
        raise RejectedError("not readable", "holds values that are no numbers (NaN or infinity)")
    # the median, not the mean: a kick's own asymmetry is no offset, and silence has to stay silent
    offset = float(np.median(audio))
    if abs(offset) > OFFSET:
        audio = audio - np.float32(offset)
    if float(np.abs(audio).max()) < SILENCE:
        raise RejectedError("silent", "never above -80 dB")
    return content, audio, rate


def _at_tempo(audio: Audio, rate: int, fit: Fit) -> tuple[Audio, int]:
    """Bring a loop to the tempo of the data set; at its own rate, or 44.1 kHz where that cannot be analysed."""
    feature_rate = rate if FEATURE_RATES[0] <= rate <= FEATURE_RATES[1] else STUDIO_RATE
    if feature_rate != rate:
        audio = resample_circular(audio, round(len(audio) * feature_rate / rate))
    samples = round(fit.beats * 60 / TEMPO * feature_rate)
    if abs(samples / len(audio) - 1) <= NO_STRETCH:
        loop = resample_circular(audio, samples)
    else:
        loop = stretch_loop(audio, feature_rate, samples)
    # the level is the file's own, unless the audio would not fit into 16 bits
    peak = float(np.abs(loop).max(initial=0.0))
    return loop * np.float32(CEILING / peak) if peak > CEILING else loop, feature_rate


def cut_bar(loop: Audio, rate: int, bar: int) -> Audio:
    """Cut a bar out of a loop; its last milliseconds go over into what came before it, so that it repeats.

    Parameters
    ----------
    loop : ndarray of float32, shape (samples,)
        At the tempo of the data set, seamless.
    rate : int
        In Hz.
    bar : int
        From 0 on.

    Returns
    -------
    ndarray of float32, shape (samples of a bar,)
    """
    length = 60 / TEMPO * BEATS * rate
    start, count = round(bar * length), round(length)
    cut = np.take(loop, np.arange(start, start + count), mode="wrap")
    fade = int(SEAM_SECONDS * rate)
    ramp = (0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)).astype(np.float32)
    before = np.take(loop, np.arange(start - fade, start), mode="wrap")
    cut[-fade:] = (1 - ramp) * cut[-fade:] + ramp * before
    return cut


def _row(loop: Audio, rate: int, bar: int) -> dict[str, object] | None:
    """Describe a bar; None if it is silent."""
    from loopnet_cli.analysis.rhythm import heard_pattern
    from loopnet_cli.analysis.search import Section

    audio = cut_bar(loop, rate, bar)
    # a neighbour's stroke may reach into its edges
    if float(np.quantile(np.abs(audio), 0.99)) < SILENCE:
        return None
    heard = ears().transcribe(audio, rate, circular=True)
    section = Section(0.0, len(audio) / rate, TEMPO, 1, (4, 4), True, 1.0, "")
    pattern = pattern_text(heard_pattern(heard, section))
    # as heard: an absent drum stays near 0, whatever its highest value
    return describe_bar(audio, rate, heard.activations, pattern=pattern, bar=bar, loop=0)


def _left_out(task: FileTask, reason: str, detail: str) -> Part:
    line = "".join(c if c.isprintable() else "?" for c in " ".join(detail.split()))
    return Part(rejected=(Rejected(task.source, reason, line[:300]),))


@cache
def ears() -> Transcriber:
    """Load the transcriber, once a process."""
    from loopnet_cli.analysis.transcriber import load_transcriber

    return load_transcriber()
