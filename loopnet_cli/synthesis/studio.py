"""The studio model: controls in, a seamless loop with stems out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob, Loop
from loopnet_cli.dynamics import velocity_gain
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.pattern import VOICES, Pattern
from loopnet_cli.recent import Recent
from loopnet_cli.synthesis.aiming import nearest_step, refined
from loopnet_cli.synthesis.bank import DEFAULT_KIT, WEIGHTS_FILE, find_kit, load_weights, read_bank
from loopnet_cli.synthesis.harmony import tuning
from loopnet_cli.synthesis.hitnet import SAMPLE_RATE, HitNet, HitNetConfig, Strokes
from loopnet_cli.synthesis.kit_mix import turned
from loopnet_cli.synthesis.mixdown import mixed_down, placed
from loopnet_cli.synthesis.shaping import ACTUATORS, LIMITS, Shape, shape_strokes
from loopnet_cli.synthesis.sound import TABLE_HOPS, Sounder
from loopnet_cli.synthesis.timbrenet import TimbreNet, as_mapping, as_vector, profile_of

Array = NDArray[np.float32]

TONAL_VOICES = ("kick", "tom")
PEAK_BEND = np.float32(0.16)
"""Strokes of noise are bent by ``(1 + b) x - b x**3``: drawn noise peaks 1 to 2 dB higher over its
RMS than the recorded strokes of the training kits; tones would only get harmonics from it."""
MATCHING = 12
"""From so many features on, a request is to match a sound. The errors of the ear on each would add up,
so steps towards it are rendered and measured: half a second a bar, instead of none."""
MATCHING_SHARES = (0.25, 0.5, 1.0)
"""Steps tried, as shares of the way."""
LIKENESS_SHARES = (0.25, 0.5)
"""The same towards the features of a recording: all the way, a kick drowns where the recording has none."""
KEPT_STROKES = 256
"""How many strokes (of 60 kB) are kept as the hit network gave them: seeds, knobs and chroma turn round one pattern,
and patterns share the strokes of a kit."""
FORMAT_VERSION = "1"


class Score(NamedTuple):
    """What a pattern and a kit come to before any knob: the distinct strokes and who plays them.

    Attributes
    ----------
    keys : list of (voice, velocity)
        Each distinct stroke once.
    strokes : Strokes
        From the hit network, in the order of `keys`.
    profile : ndarray of float32
        What the loop is made of.
    """

    keys: list[tuple[str, float]]
    strokes: Strokes
    profile: Array


class StudioModel:
    """A loaded model.

    Parameters
    ----------
    net : HitNet
        Codes and velocities to strokes.
    timbre : TimbreNet
        Knobs to actuators.
    normalisation : Normalisation
        From AudioCommons points to knob values.
    bank : Mapping of name to Kit
        The kits.
    """

    def __init__(self, net: HitNet, timbre: TimbreNet, normalisation: Normalisation, bank: Mapping[str, Kit]) -> None:
        self.net, self.timbre, self.normalisation = net, timbre, normalisation
        self._bank = dict(bank)
        self._sounder = Sounder(net.config)
        self._strokes: Recent[tuple[bytes, str, float], Strokes] = Recent(KEPT_STROKES)

    @property
    def kit_names(self) -> tuple[str, ...]:
        """Names of the kits in the bank."""
        return tuple(self._bank)

    @property
    def default_kit(self) -> str:
        """Name of the kit that is used when none is asked for."""
        return DEFAULT_KIT

    def kit(self, name: str) -> Kit:
        """Return a kit of the bank, or raise UsageError with names that look alike."""
        return find_kit(self._bank, name)

    def render(
        self,
        pattern: Pattern,
        *,
        kit: Kit,
        timbre: Mapping[str, Knob] | None = None,
        match: Mapping[str, float] | None = None,
        chroma: Sequence[float] | None = None,
        seed: int = 0,
        refine: int = 0,
    ) -> Loop:
        """Render a loop.

        Parameters
        ----------
        pattern : Pattern
            The rhythm, at its tempo.
        kit : Kit
            How the voices sound.
        timbre : Mapping from feature name to Knob, optional
            Features named here are moved; the others stay as the kit has them in this pattern.
        match : Mapping from feature name to float, optional
            All 21 features of a sound to come closer to, by measuring, before the knobs are turned.
        chroma : sequence of 12 float, optional
            Pitch classes to tune the loop to, C first, 0..1.
        seed : int
            Which noise sounds, at least 0.
        refine : int
            Rounds of measuring what the knobs did and correcting it (`loopnet_cli.synthesis.aiming`); each takes
            about half a second a bar. Not together with `match`.

        Returns
        -------
        Loop
            44.1 kHz, exactly ``pattern.samples()`` samples, peak at -1 dBFS, stems that sum to it.

        Raises
        ------
        UsageError
            If a feature is unknown, the chroma is not twelve numbers or the seed is negative.
        AudioError
            If nothing sounds, or the loop is to be measured and too long for it.
        """
        timbre = turned(kit, timbre or {})
        unknown = sorted(timbre.keys() - set(TIMBRE_NAMES))
        if unknown:
            raise UsageError(f"unknown timbre feature {unknown[0]!r}: use one of {', '.join(TIMBRE_NAMES)}")
        if chroma is not None and len(chroma) != 12:
            raise UsageError(f"a chroma has 12 numbers, not {len(chroma)}")
        if seed < 0:
            raise UsageError(f"seed {seed} must not be negative")
        score = self.score(pattern, kit)
        natural = self.timbre.natural(score.profile)
        start = natural if match is None else as_vector(match)
        asked = start.copy()
        for index, name in enumerate(TIMBRE_NAMES):
            if name in timbre:
                knob = timbre[name]
                asked[index] = start[index] + knob.value if knob.relative else knob.value
        hand = partial(self.timbre.actuators, score.profile)
        sound = partial(self.sound, pattern, kit, score, seed=seed)

        def measure(vector: Array, chroma: Sequence[float] | None = None) -> Array:
            return self._measured(sound(vector, chroma=chroma))

        if match is not None:
            vector = nearest_step(start, measure, hand, LIKENESS_SHARES) + hand(asked - start)
            vector = np.clip(vector, -LIMITS, LIMITS).astype(np.float32)
        elif len(timbre) >= MATCHING:
            vector = nearest_step(asked, measure, hand, MATCHING_SHARES)
        else:
            vector = hand(asked - natural)
        if refine and timbre and match is None:
            _check_length(pattern)
            knobs = [timbre.get(name) for name in TIMBRE_NAMES]
            vector, asked = refined(
                vector,
                np.array([0.0 if knob is None else knob.value for knob in knobs], np.float32),
                given=np.array([knob is not None for knob in knobs]),
                relative=np.array([knob is not None and knob.relative for knob in knobs]),
                measure=partial(measure, chroma=chroma),
                slopes=partial(self.timbre.slopes, score.profile),
                rounds=refine,
            )
        stems = sound(vector, chroma=chroma)
        settings: dict[str, object] = {
            "model": "studio",
            "kit": kit.name,
            "timbre": {name: (f"{k.value:+g}" if k.relative else k.value) for name, k in timbre.items()},
            "timbre_asked": {name: round(value, 4) for name, value in as_mapping(asked).items()},
            "chroma": None if chroma is None else [float(value) for value in chroma],
            "seed": seed,
            **({"refine": refine} if refine else {}),
        }
        audio: Array = np.sum(list(stems.values()), axis=0, dtype=np.float32)
        return Loop(audio, stems, SAMPLE_RATE, pattern.tempo, pattern.bars, pattern.meter, seed, settings)

    def _measured(self, stems: Mapping[str, Array]) -> Array:
        """Measure the 21 features of the sum of stems, as knob values."""
        from loopnet_cli.analysis.timbre import timbre_features

        audio: Array = np.sum(list(stems.values()), axis=0)
        return as_vector(self.normalisation.to_unit(timbre_features(audio, SAMPLE_RATE)))

    def score(self, pattern: Pattern, kit: Kit) -> Score:
        """Ask the hit network for every distinct stroke of a pattern."""
        if not pattern.hits:
            raise UsageError("the pattern has no hits to render: check the map or the voices chosen")
        uses: dict[tuple[str, float], float] = {}
        for hit in pattern.hits:
            key = (hit.voice, round(hit.velocity * 127) / 127)
            uses[key] = uses.get(key, 0.0) + (kit.levels[hit.voice] * velocity_gain(hit.velocity)) ** 2
        keys = sorted(uses, key=lambda key: (VOICES.index(key[0]), key[1]))
        codes = np.array([kit.codes[voice] for voice, _ in keys], np.float32)
        strokes = self._asked(codes, keys)
        gains = np.sqrt([uses[key] for key in keys]).astype(np.float32)
        return Score(keys, strokes, profile_of(pattern, strokes, gains, self.net.config))

    def _asked(self, codes: Array, keys: list[tuple[str, float]]) -> Strokes:
        """Ask the hit network for strokes that are not kept; it gives the same for each, whatever is asked with it."""
        names = [(code.tobytes(), *key) for code, key in zip(codes, keys, strict=True)]
        found = self._strokes.find(names)
        if missing := [row for row, name in enumerate(names) if name not in found]:
            velocities = np.array([max(keys[row][1], 1 / 127) for row in missing], np.float32)
            made = self.net.strokes(codes[missing], [keys[row][0] for row in missing], velocities)
            for place, row in enumerate(missing):
                found[names[row]] = self._strokes.keep(names[row], made.take([place]))
        return Strokes(*(np.concatenate(parts) for parts in zip(*(found[name] for name in names), strict=True)))

    def sound(
        self,
        pattern: Pattern,
        kit: Kit,
        score: Score,
        vector: Array,
        *,
        seed: int,
        chroma: Sequence[float] | None = None,
    ) -> dict[str, Array]:
        """Sound a score with an actuator setting.

        Returns
        -------
        dict of stem name to ndarray of float32, shape (samples,)
            At the level of the finished loop.
        """
        shape = Shape.from_vector(vector) if np.any(vector) else None
        return mixed_down(placed(pattern, kit, self.stroke_audio(score, shape, seed, chroma)), shape, chroma)

    def stroke_audio(
        self, score: Score, shape: Shape | None = None, seed: int = 0, chroma: Sequence[float] | None = None
    ) -> dict[tuple[str, float], Array]:
        """Sound each distinct stroke, at a peak of 1."""
        rng = np.random.default_rng(seed)
        offsets = {voice: int(rng.integers(TABLE_HOPS)) for voice in VOICES}
        audio: dict[tuple[str, float], Array] = {}
        for voice in dict.fromkeys(voice for voice, _ in score.keys):
            rows = [row for row, key in enumerate(score.keys) if key[0] == voice]
            strokes = score.strokes.take(rows)
            if shape is not None:
                strokes = shape_strokes(strokes, shape, self.net.config)
            ratio = 1.0 if chroma is None else tuning(strokes, self.net.config, chroma)
            sounded = self._sounder.sound(strokes, offset=offsets[voice], shape=shape, tuning=ratio)
            peaks = np.maximum(np.abs(sounded).max(axis=1, keepdims=True), 1e-6)
            sounded /= peaks
            if voice not in TONAL_VOICES:
                sounded *= 1 + PEAK_BEND - PEAK_BEND * np.square(sounded)
            for row, stroke in zip(rows, sounded, strict=True):
                audio[score.keys[row]] = stroke
        return audio


def _check_length(pattern: Pattern) -> None:
    """Refuse to measure what is too long before it is rendered."""
    from loopnet_cli.analysis.timbre import MAX_SECONDS

    if pattern.seconds > MAX_SECONDS:
        raise AudioError(f"a loop of {pattern.seconds:.0f} s cannot be refined: use up to {MAX_SECONDS:g} s")


def load_studio(folder: Path | None = None) -> StudioModel:
    """Load the model that comes with the package.

    Parameters
    ----------
    folder : Path, optional
        Weights from elsewhere.

    Raises
    ------
    WeightsError
        If a file is missing, damaged or of another version.
    """

    def build(metadata: Mapping[str, str], tensors: Mapping[str, Array]) -> StudioModel:
        config = json.loads(metadata["config"])
        config["channels"] = tuple(config["channels"])
        made_for = json.loads(metadata["timbre_names"]), json.loads(metadata["actuators"])
        if made_for != (list(TIMBRE_NAMES), list(ACTUATORS)):
            raise ValueError("made for other features than this version's")
        normalisation = Normalisation.from_dict(json.loads(metadata["normalisation"]))
        net = HitNet(HitNetConfig(**config), _part(tensors, "hits."))
        return StudioModel(net, TimbreNet(_part(tensors, "timbre.")), normalisation, read_bank(folder))

    return load_weights(WEIGHTS_FILE, FORMAT_VERSION, build, folder)


def _part(tensors: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    return {name[len(prefix) :]: value for name, value in tensors.items() if name.startswith(prefix)}
