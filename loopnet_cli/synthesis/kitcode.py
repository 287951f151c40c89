"""A kit from a recording: the codes and levels with which the model sounds like it.

Every stroke in a recording is covered by other strokes, so what is measured at one is more
than its own. Three things make up for it:

- of several strokes of a voice a low quantile is taken, cell by cell of the descriptor;
- what strokes of a voice are like, and how their parts hang together, is known from the training
  kits: a Gaussian over codes, which fills in what is covered (`StrokePrior`);
- the model plays the recording's own pattern with the kit found so far, the same is measured there,
  and the difference is what the kit still lacks. Where both are covered alike, there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.controls import Kit
from loopnet_cli.dynamics import velocity_gain
from loopnet_cli.errors import AudioError
from loopnet_cli.pattern import STEM_OF_VOICE, VOICES, Hit, Pattern
from loopnet_cli.synthesis import descriptor
from loopnet_cli.synthesis.mixdown import placed
from loopnet_cli.synthesis.strokeprior import UNIT_DB, StrokePrior
from loopnet_cli.synthesis.studio import StudioModel

Array = NDArray[np.float32]

SAMPLE_RATE = 44100
STROKES = 6
"""Strokes of a voice that are looked at, the clearest ones."""
QUANTILE = 0.3
"""Of these, cell by cell."""
ROUNDS = 5
"""How often the kit is played and compared."""
VELOCITY_STEPS = 4
"""Strokes played for comparison are rounded to so many velocities."""
ATTACK_MS, RISE_DB = 24.0, 1.5
"""When the attack is over, and by how much a band may rise from one cell to the next thereafter."""
FIRST_LEVEL_DB = -12.0
ONSET_SEARCH, ONSET_SPAN, ONSET_BLOCK = 0.010, 0.003, 32
"""Seconds around a hit in which its attack is sought, seconds compared before and after, samples a block."""
DARK_HERTZ, BRIGHT_HERTZ = 250.0, 4500.0
"""Spectral centroids under and over which a sound that is no drum is taken for a kick or a hat."""
HEIGHT = {"kick": 0, "rest": 1, "snare": 1, "hat": 2}
"""Octaves between the stems of a kit that is made from one sound."""
_LENGTH = descriptor.SAMPLES + descriptor.GRIDS[-1].size


class VoiceSound(NamedTuple):
    """What is known of one voice: its code, and its peak level at full velocity in dB."""

    code: Array
    level_db: float


class Target(NamedTuple):
    """What the voices of a recording sound like.

    Attributes
    ----------
    observed : dict of voice to ndarray of float32, shape (descriptor,)
        As measured in the recording, covered as it is.
    strokes : dict of voice to list of int
        Which hits of the pattern were measured.
    """

    observed: dict[str, Array]
    strokes: dict[str, list[int]]


def kit_from_audio(
    model: StudioModel,
    audio: Array,
    sample_rate: int,
    pattern: Pattern,
    *,
    name: str,
    description: str = "from a recording",
    prior: StrokePrior | None = None,
    rounds: int = ROUNDS,
) -> Kit:
    """Find the kit with which the model sounds like a recording.

    Parameters
    ----------
    model : StudioModel
    audio : ndarray of float32, shape (samples,)
        One turn of the recording's loop.
    sample_rate : int
        In Hz.
    pattern : Pattern
        What is played in it; its length is the loop's.
    name, description : str
        Of the kit.
    prior : StrokePrior, optional
        The one that comes with the package if not given.
    rounds : int
        How often the kit is played and compared.

    Returns
    -------
    Kit
        Voices that were not heard are those of the nearest kit in the bank. Where no kick was
        heard, or nothing else, as in everyday sounds, the stems that were not heard are made from
        those that were, an octave apart; where nothing was heard as a drum, from the strongest
        attack. Timbre and chroma are those of the nearest kit in the bank, to be replaced by what was measured.

    Raises
    ------
    AudioError
        If the recording is silent.
    """
    prior = prior or StrokePrior.load()
    loop = resample_circular(np.asarray(audio, np.float32), pattern.samples(SAMPLE_RATE))
    peak = float(np.abs(loop).max())
    if peak < 1e-5:
        raise AudioError("the recording is silent, so there is no sound to take")
    loop = loop / np.float32(peak)
    if not pattern.hits:
        pattern = replace(pattern, hits=(_loudest_stroke(loop, pattern),))
    target = _measure(loop, pattern)
    sounds = {v: prior.fit(v, seen, None, FIRST_LEVEL_DB) for v, seen in target.observed.items()}
    base = nearest_kit(model, {voice: code for voice, (code, _) in sounds.items()})
    # covered cells make first codes too bright and too long: the nearest kit is a better start
    found = {v: VoiceSound(np.asarray(base.codes[v], np.float32), level) for v, (_, level) in sounds.items()}
    played = _coarse(pattern)
    for _ in range(rounds):
        found = _improved(model, prior, target, played, found, base)
    stems = {STEM_OF_VOICE[voice] for voice in found}
    if "kick" not in stems or len(stems) == 1:
        found |= _retuned(prior, loop, pattern, target, found)
    return _kit(found, base, name, description)


def nearest_kit(model: StudioModel, codes: Mapping[str, Array]) -> Kit:
    """Return the kit of the bank whose codes lie closest to those given."""

    def distance(kit: Kit) -> float:
        return sum(float(np.mean((np.asarray(kit.codes[voice]) - code) ** 2)) for voice, code in codes.items())

    return min((model.kit(name) for name in model.kit_names), key=distance)


def _improved(
    model: StudioModel,
    prior: StrokePrior,
    target: Target,
    pattern: Pattern,
    sounds: Mapping[str, VoiceSound],
    base: Kit,
) -> dict[str, VoiceSound]:
    """Play the pattern, measure what was measured in the recording, and move the sounds by the difference."""
    kit = _kit(sounds, base, "", "")
    strokes = model.stroke_audio(model.score(pattern, kit))
    mix: Array = np.sum(list(placed(pattern, kit, strokes).values()), axis=0, dtype=np.float32)
    onsets = pattern.onset_samples(SAMPLE_RATE)
    improved = {}
    for voice, rows in target.strokes.items():
        hits = [(onsets[row], pattern.hits[row].velocity) for row in rows]
        seen = _observed(mix, hits)
        loudest = max(velocity for _, velocity in hits)
        alone = _padded(strokes[voice, round(loudest * 127) / 127] * np.float32(kit.levels[voice]))
        own: Array = np.clip(10 ** ((descriptor.log_powers(alone) - seen) * np.float32(UNIT_DB / 10)), 0, 1)
        # where others cover the voice, the difference says little of it
        wanted = prior.decode(*sounds[voice]) + target.observed[voice] - seen
        improved[voice] = VoiceSound(*prior.fit(voice, wanted, own, sounds[voice].level_db))
    return improved


def _measure(loop: Array, pattern: Pattern) -> Target:
    onsets = attacks(loop, pattern.onset_samples(SAMPLE_RATE))
    strokes = {voice: clearest(pattern, voice)[:STROKES] for voice in pattern.voices}
    observed = {
        voice: _observed(loop, [(onsets[row], pattern.hits[row].velocity) for row in rows])
        for voice, rows in strokes.items()
    }
    return Target(observed, strokes)


def clearest(pattern: Pattern, voice: str) -> list[int]:
    """Order the hits of a voice: loud ones with little else around them first.

    Returns
    -------
    list of int
        Indices into ``pattern.hits``.
    """
    beats, seconds = pattern.beats, 60 / pattern.tempo

    def clarity(row: int) -> float:
        hit = pattern.hits[row]
        cover = 0.0
        for other in pattern.hits:
            if other is hit:
                continue
            after = (other.beat - hit.beat) % beats * seconds
            before = (hit.beat - other.beat) % beats * seconds
            cover += velocity_gain(other.velocity) * (max(0.0, 10 - 40 * after) + max(0.0, 6 - 40 * before))
        return 20 * float(np.log10(velocity_gain(hit.velocity) + 1e-4)) - cover

    return sorted((row for row, hit in enumerate(pattern.hits) if hit.voice == voice), key=clarity, reverse=True)


def attacks(loop: Array, onsets: Sequence[int]) -> list[int]:
    """Move onsets to the steepest rise of the level near them; a transcriber's are milliseconds off."""
    blocks = len(loop) // ONSET_BLOCK
    span = round(ONSET_SPAN * SAMPLE_RATE / ONSET_BLOCK)
    power = np.square(loop[: blocks * ONSET_BLOCK]).reshape(blocks, ONSET_BLOCK).mean(axis=1)
    total = np.concatenate([[0.0], np.cumsum(np.tile(power, 3), dtype=np.float64)])
    middle = np.arange(blocks, 2 * blocks)
    after, before = total[middle + span] - total[middle], total[middle] - total[middle - span]
    floor = 1e-6 * float(power.max()) * span
    rise = np.log((after + floor) / (before + floor)) * np.sqrt((after + floor) / float(after.max() + floor))
    reach = round(ONSET_SEARCH * SAMPLE_RATE / ONSET_BLOCK)
    moved = []
    for onset in onsets:
        near = (onset // ONSET_BLOCK + np.arange(-reach, reach + 1)) % blocks
        moved.append(int(near[rise[near].argmax()]) * ONSET_BLOCK)
    return moved


def _observed(loop: Array, strokes: Sequence[tuple[int, float]]) -> Array:
    """Describe a voice as it stands in a loop, at full velocity: onsets in samples and velocities are given."""
    cells = [
        descriptor.log_powers(np.take(loop, np.arange(onset, onset + _LENGTH), mode="wrap"))
        - np.float32(20 / UNIT_DB * np.log10(velocity_gain(velocity)))
        for onset, velocity in strokes
    ]
    return decaying(np.asarray(np.quantile(np.stack(cells), QUANTILE, axis=0), np.float32))


def decaying(described: Array) -> Array:
    """Cut off what rises again after the attack: another stroke, heard or not, for drums decay.

    Parameters
    ----------
    described : ndarray of float32, shape (descriptor,)
        Log powers, time by time in each grid.

    Returns
    -------
    ndarray of float32, shape (descriptor,)
        From `ATTACK_MS` on no cell lies more than `RISE_DB` over the one before it in its band.
    """
    result, start = described.copy(), 0
    for grid in descriptor.GRIDS:
        times, bands = len(grid.times) - 1, len(grid.bands) - 1
        cells = result[start : start + times * bands].reshape(times, bands)
        for row in range(1, times):
            if grid.times[row] >= ATTACK_MS:
                np.minimum(cells[row], cells[row - 1] + np.float32(RISE_DB / UNIT_DB), out=cells[row])
        start += times * bands
    return result


def _padded(stroke: Array) -> Array:
    piece = np.zeros(_LENGTH, np.float32)
    piece[: min(len(stroke), _LENGTH)] = stroke[:_LENGTH]
    return piece


def _coarse(pattern: Pattern) -> Pattern:
    """Round velocities, so that few distinct strokes have to be sounded; hits keep their order."""
    hits = [replace(h, velocity=max(1, round(h.velocity * VELOCITY_STEPS)) / VELOCITY_STEPS) for h in pattern.hits]
    return replace(pattern, hits=tuple(hits))


def _loudest_stroke(loop: Array, pattern: Pattern) -> Hit:
    """Take the strongest attack of a sound that is no drum for a stroke of what it lies nearest to."""
    blocks = np.square(loop[: len(loop) // ONSET_BLOCK * ONSET_BLOCK]).reshape(-1, ONSET_BLOCK).mean(axis=1)
    rise = blocks - np.maximum.reduce([np.roll(blocks, shift) for shift in (1, 2, 3, 4)])
    onset = int(rise.argmax()) * ONSET_BLOCK
    power = np.square(np.abs(np.fft.rfft(np.take(loop, np.arange(onset, onset + SAMPLE_RATE // 5), mode="wrap"))))
    hertz = np.arange(len(power)) * 5.0
    centre = float((power * hertz).sum() / max(float(power.sum()), 1e-12))
    voice = "kick" if centre < DARK_HERTZ else "hat_closed" if centre > BRIGHT_HERTZ else "snare"
    return Hit(onset / len(loop) * pattern.beats % pattern.beats, voice, 1.0)


def _retuned(
    prior: StrokePrior, loop: Array, pattern: Pattern, target: Target, sounds: Mapping[str, VoiceSound]
) -> dict[str, VoiceSound]:
    """Make the stems that were not heard from the nearest that was, tuned down for a kick and up for a hat."""
    onsets = attacks(loop, pattern.onset_samples(SAMPLE_RATE))
    clearest_of = {STEM_OF_VOICE[voice]: voice for voice in reversed(target.strokes)}
    made = {}
    for other in VOICES:
        stem = STEM_OF_VOICE[other]
        if stem in clearest_of:
            continue
        heard = min(clearest_of, key=lambda known: abs(HEIGHT[known] - HEIGHT[stem]))
        row = target.strokes[clearest_of[heard]][0]
        gaps = [(onset - onsets[row]) % len(loop) for onset in onsets if onset != onsets[row]]
        alone = min(min(gaps, default=len(loop)), len(loop), _LENGTH * 2)
        tuned = _tuned(np.take(loop, np.arange(onsets[row], onsets[row] + alone), mode="wrap"), stem, heard)
        velocity = velocity_gain(pattern.hits[row].velocity)
        seen = descriptor.log_powers(_padded(tuned)) - np.float32(20 / UNIT_DB * np.log10(velocity))
        made[other] = VoiceSound(*prior.fit(other, seen, None, sounds[clearest_of[heard]].level_db))
    return made


def _tuned(stroke: Array, stem: str, heard: str) -> Array:
    """Play a stroke slower or faster, and let it fade where it is cut off."""
    position = np.arange(0, len(stroke) - 1, 2.0 ** (HEIGHT[stem] - HEIGHT[heard]))
    tuned: Array = np.interp(position, np.arange(len(stroke)), stroke).astype(np.float32)
    fade = min(len(tuned), SAMPLE_RATE // 100)
    tuned[len(tuned) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return tuned


def _kit(sounds: Mapping[str, VoiceSound], base: Kit, name: str, description: str) -> Kit:
    """Put sounds into a kit; other voices keep their balance with these in the base kit."""
    shift = np.median([sound.level_db - 20 * np.log10(base.levels[voice]) for voice, sound in sounds.items()])
    codes = dict(base.codes)
    levels = {voice: level * float(10 ** (shift / 20)) for voice, level in base.levels.items()}
    for voice, sound in sounds.items():
        codes[voice] = tuple(round(float(value), 5) for value in sound.code)
        levels[voice] = float(10 ** (sound.level_db / 20))
    return Kit(name, description, codes, levels, base.timbre, base.chroma)
