"""madmom loads and runs under today's numpy, and nothing outside it is changed."""

from __future__ import annotations

import collections
import doctest
import subprocess
import sys

import numpy as np
import pytest

from loopnet_cli.analysis import madmom_compat
from loopnet_cli.analysis.madmom_compat import MadmomError, has_madmom, import_madmom

needs_madmom = pytest.mark.skipif(not has_madmom(), reason="madmom is not installed (extra: beats)")

RATE = 44100


def clicks(*, beats: int, tempo: float, meter: int) -> np.ndarray:
    """Noise bursts on the beat, a low thump added on the first of each bar; mono int16."""
    rng = np.random.default_rng(0)
    step = round(60 / tempo * RATE)
    audio = np.zeros(beats * step)
    t = np.arange(4000)
    for beat in range(beats):
        burst = 0.3 * rng.standard_normal(t.size) * np.exp(-t / 600)
        if beat % meter == 0:
            burst += 0.6 * np.sin(2 * np.pi * 60 / RATE * t) * np.exp(-t / 2000)
        audio[beat * step : beat * step + t.size] += burst
    return (audio / np.abs(audio).max() * 30000).astype(np.int16)


@needs_madmom
def test_spectrogram_has_the_expected_shape_and_peak() -> None:
    signal_module = import_madmom("madmom.audio.signal")
    spectrogram_module = import_madmom("madmom.audio.spectrogram")
    tone = (10000 * np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE)).astype(np.int16)
    signal = signal_module.Signal(tone, sample_rate=RATE)
    spectrogram = np.asarray(spectrogram_module.Spectrogram(signal, frame_size=2048, hop_size=441))
    assert spectrogram.shape == (100, 1024)
    assert abs(spectrogram[50].argmax() * RATE / 2048 - 1000) < RATE / 2048


@needs_madmom
def test_beats_are_found_where_they_are() -> None:
    beats = import_madmom("madmom.features.beats")
    signal = import_madmom("madmom.audio.signal").Signal(clicks(beats=12, tempo=120, meter=4), sample_rate=RATE)
    found = beats.DBNBeatTrackingProcessor(fps=100)(beats.RNNBeatProcessor()(signal))
    assert np.abs(found * 2 - np.round(found * 2)).max() <= 0.06
    assert np.median(np.diff(found)) == pytest.approx(0.5, abs=0.011)


@needs_madmom
def test_the_downbeat_tracker_runs_in_spite_of_ragged_arrays() -> None:
    downbeats = import_madmom("madmom.features.downbeats")
    activations = np.full((400, 2), 0.01)
    activations[::50, 0] = 0.8  # beats at 120 BPM,
    activations[::200] = (0.05, 0.9)  # every fourth one a downbeat
    found = downbeats.DBNDownBeatTrackingProcessor(beats_per_bar=[3, 4], fps=100)(activations)
    assert [int(position) for position in found[:, 1]] == [1, 2, 3, 4, 1, 2, 3, 4]


@needs_madmom
def test_what_was_lent_for_the_import_is_taken_back() -> None:
    """In a fresh process, where the import really happens."""
    code = (
        "import collections, doctest, warnings\n"
        "import numpy as np\n"
        "warnings.simplefilter('error')\n"
        "before = (set(vars(collections)), set(vars(np)), doctest.OutputChecker, np.asarray)\n"
        "from loopnet_cli.analysis.madmom_compat import import_madmom\n"
        "import_madmom('madmom.features.beats')\n"
        "after = (set(vars(collections)), set(vars(np)), doctest.OutputChecker, np.asarray)\n"
        "added = (after[0] | after[1]) - (before[0] | before[1])\n"
        "gone = added & {'float', 'int', 'object', 'complex', 'in1d', 'MutableSequence', 'MutableMapping'}\n"
        "print(sorted(gone), before[2] is after[2], before[3] is after[3])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.stdout.strip(), result.stderr) == ("[] True True", "")


def test_names_are_taken_back_when_the_import_fails() -> None:
    checker = doctest.OutputChecker
    with pytest.raises(RuntimeError), madmom_compat._lent_names():
        assert np.float is float  # type: ignore[attr-defined]
        assert collections.MutableSequence is collections.abc.MutableSequence  # type: ignore[attr-defined]
        doctest.OutputChecker = object  # type: ignore[misc, assignment]
        raise RuntimeError
    assert not hasattr(np, "float")
    assert not hasattr(collections, "MutableSequence")
    assert doctest.OutputChecker is checker


def test_a_missing_madmom_is_one_line_that_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(madmom_compat.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MadmomError, match=r"loopnet\[beats\]") as caught:
        import_madmom()
    assert "\n" not in str(caught.value)


@needs_madmom
def test_a_module_that_madmom_has_not_is_named() -> None:
    with pytest.raises(MadmomError, match=r"madmom\.nonsense"):
        import_madmom("madmom.nonsense")
