"""From audio to hits: the trained ear and its judge, run over a recording in pieces, and the picking of onsets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.ear import GROUPS, Ear, EarConfig
from loopnet_cli.analysis.judge import Judge, JudgeConfig, heard_twice
from loopnet_cli.analysis.spectrogram import BANDS, HOP, SAMPLE_RATE, WINDOWS, band_powers, loudness_scale
from loopnet_cli.analysis.transcription import ACTIVATIONS, FRAME_RATE, HeardHit, Transcription
from loopnet_cli.errors import AudioError
from loopnet_cli.pattern.model import STEM_OF_VOICE, STEMS, VOICES
from loopnet_cli.synthesis.bank import load_weights

Array = NDArray[np.float32]

WEIGHTS_FILE = "ear.safetensors"
FORMAT_VERSION = "2"
JUDGE = "judge."
"""What the names of the judge's weights begin with."""
PIECE = 1500
"""Frames heard at once: 15 s, which bounds the memory whatever the length of the recording."""
LEAST_GAP = 3
"""Frames between two hits of a group: 30 ms."""
SEAM = 6
"""Frames heard beyond each end of a loop."""
QUIET = 20
"""Frames of silence heard before and after a recording, so that a stroke at its very start is one."""
SAME_STROKE = 0.015
"""Seconds around the seam within which two onsets are one."""
THRESHOLDS = (*ACTIVATIONS, *STEMS["rest"])
"""The activations that hits are picked from."""


@dataclass(frozen=True)
class Picking:
    """How hits are picked from activations; stored with the weights.

    Attributes
    ----------
    thresholds : Mapping from name to float
        For kick, snare, hat and each voice of the rest: the activation from which a peak is a hit.
    delay : float
        Seconds by which peaks come late on the development clips.
    """

    thresholds: Mapping[str, float]
    delay: float = 0.0


class Transcriber:
    """A loaded transcriber.

    Parameters
    ----------
    ear : Ear
        The network.
    picking : Picking
        Thresholds.
    judge : Judge, optional
        Who hears the strokes again, beside each other; without, hits are picked from what the ear says.
    """

    def __init__(self, ear: Ear, picking: Picking, judge: Judge | None = None) -> None:
        self.ear, self.picking, self.judge = ear, picking, judge

    def transcribe(self, audio: Array, sample_rate: int, *, circular: bool = False) -> Transcription:
        """Transcribe a recording.

        Parameters
        ----------
        audio : ndarray of float32, shape (samples,)
            Mono, full scale -1..1, of any length.
        sample_rate : int
            In Hz; other rates than 44.1 kHz are resampled.
        circular : bool
            Whether the recording is a loop, so that its end is heard before its start.

        Returns
        -------
        Transcription

        Raises
        ------
        AudioError
            If there is no audio or it is not mono.
        """
        if audio.ndim != 1 or not len(audio):
            raise AudioError(f"audio of shape {audio.shape} cannot be transcribed: one channel of samples is needed")
        seconds = len(audio) / sample_rate
        frames = int(np.ceil(seconds * FRAME_RATE))
        # around the seam the peaks are sought on both sides of it: a loop is no whole number of frames
        beyond = SEAM if circular else 0
        pieces = _pieces(_at_rate(audio, sample_rate), frames, beyond, self.ear.config.reach, circular)
        heard = np.concatenate([self._listen(*piece) for piece in pieces], axis=1)
        hits = [hit for name in THRESHOLDS for hit in self._hits(name, heard, beyond, seconds)]
        if beyond:
            heard = heard[:, beyond:-beyond]
        count = len(VOICES)
        activations = np.stack([heard[activation_row(name)] for name in ACTIVATIONS], axis=1)
        return Transcription(tuple(sorted(hits)), activations, np.ascontiguousarray(heard[:count].T), seconds)

    def _listen(self, powers: Array, before: int, frames: int) -> Array:
        x = loudness_scale(powers)
        heard = self.ear(x) if self.judge is None else heard_twice(self.ear, self.judge, x)
        return heard[:, before : before + frames]

    def _hits(self, name: str, heard: Array, beyond: int, seconds: float) -> list[HeardHit]:
        """Pick the peaks of one activation; each is the voice of its group that is surest around it."""
        rows = [VOICES.index(voice) for voice in STEMS.get(name, (name,))]
        velocities = heard[len(VOICES) + len(GROUPS) :]
        hits: list[HeardHit] = []
        for frame, position in find_peaks(heard[activation_row(name)], self.picking.thresholds[name]):
            time = (position - beyond) / FRAME_RATE - self.picking.delay
            if beyond:
                # a stroke on the seam is seen on both sides of it
                if not -SAME_STROKE <= time < seconds + SAME_STROKE:
                    continue
                time %= seconds
                if any(min(abs(h.seconds - time), seconds - abs(h.seconds - time)) < 2 * SAME_STROKE for h in hits):
                    continue
            else:
                time = min(max(time, 0.0), float(np.nextafter(seconds, 0)))
            winner = rows[int(heard[rows, max(0, frame - 1) : frame + 2].max(axis=1).argmax())]
            velocity = float(np.clip(velocities[winner, frame], 1 / 127, 1.0))
            hits.append(HeardHit(time, VOICES[winner], velocity, float(heard[activation_row(name), frame])))
        return hits


def activation_row(name: str) -> int:
    """Return which output of the ear is the activation of kick, snare, hat or a voice of the rest."""
    return len(VOICES) + list(GROUPS).index(name) if name in GROUPS else VOICES.index(name)


def find_peaks(curve: Array, threshold: float) -> list[tuple[int, float]]:
    """Find the peaks of an activation.

    Parameters
    ----------
    curve : ndarray of float32, shape (frames,)
        0..1.
    threshold : float
        Peaks below it are none.

    Returns
    -------
    list of (int, float)
        Frame of each peak and its place between frames, by a parabola through the logarithms
        of three values: exact for the bumps that the ear is trained on.
    """
    padded = np.pad(curve, LEAST_GAP)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * LEAST_GAP + 1)
    # the first of equals
    is_peak = (curve >= threshold) & (curve >= windows.max(axis=1)) & (curve > windows[:, :LEAST_GAP].max(axis=1))
    peaks = []
    for frame in np.flatnonzero(is_peak):
        left, middle, right = np.log(np.maximum(padded[frame + LEAST_GAP - 1 : frame + LEAST_GAP + 2], 1e-4))
        bend = left - 2 * middle + right
        shift = 0.5 * (left - right) / bend if bend < -1e-6 else 0.0
        peaks.append((int(frame), float(frame) + float(np.clip(shift, -0.5, 0.5))))
    return peaks


def _at_rate(audio: Array, sample_rate: int) -> Array:
    if sample_rate == SAMPLE_RATE:
        return audio
    from math import gcd

    from scipy.signal import resample_poly

    common = gcd(SAMPLE_RATE, sample_rate)
    resampled: Array = resample_poly(audio, SAMPLE_RATE // common, sample_rate // common).astype(np.float32)
    return resampled


def _pieces(audio: Array, frames: int, beyond: int, reach: int, circular: bool) -> Iterator[tuple[Array, int, int]]:
    """Yield band powers of overlapping pieces, the frames before what is wanted, and the frames wanted.

    Wanted are `frames` and `beyond` more to each side.
    """
    lead = beyond + reach if circular else QUIET
    if circular:
        audio = np.take(audio, np.arange(-lead * HOP, len(audio) + (lead + 1) * HOP), mode="wrap")
    for first in range(-beyond, frames + beyond, PIECE):
        wanted = min(PIECE, frames + beyond - first)
        start, stop = max(first - reach, -lead), min(first + wanted + reach, frames + lead)
        yield band_powers(audio, start + lead if circular else start, stop - start), first - start, wanted


def load_transcriber(folder: Path | None = None) -> Transcriber:
    """Load the transcriber that comes with the package.

    Parameters
    ----------
    folder : Path, optional
        Weights from elsewhere.

    Raises
    ------
    WeightsError
        If the file is missing, damaged or of another version.
    """

    def build(metadata: Mapping[str, str], tensors: Mapping[str, Array]) -> Transcriber:
        if json.loads(metadata["made_for"]) != inputs_and_outputs():
            raise ValueError("made for other features than this version's")
        picking = json.loads(metadata["picking"])
        thresholds = {name: float(picking["thresholds"][name]) for name in THRESHOLDS}
        judging = {name.removeprefix(JUDGE): value for name, value in tensors.items() if name.startswith(JUDGE)}
        hearing = {name: value for name, value in tensors.items() if not name.startswith(JUDGE)}
        ear = Ear(EarConfig.from_dict(json.loads(metadata["config"])), hearing)
        judge = Judge(JudgeConfig.from_dict(json.loads(metadata["judge"])), judging)
        return Transcriber(ear, Picking(thresholds, float(picking["delay"])), judge)

    return load_weights(WEIGHTS_FILE, FORMAT_VERSION, build, folder)


def inputs_and_outputs() -> dict[str, list[object]]:
    """Name what the network takes and gives, to be stored with the weights and compared when they are read."""
    return {"input": [SAMPLE_RATE, HOP, *WINDOWS, BANDS], "output": [*VOICES, *GROUPS], "stems": list(STEM_OF_VOICE)}
