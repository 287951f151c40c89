"""From patterns to MIDI and back."""

from __future__ import annotations

import io
from pathlib import Path

import mido
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern import VOICES, Hit, Pattern, read_midi, to_midi, write_midi

METERS = [(4, 4), (3, 4), (6, 8), (7, 8), (5, 4), (12, 8), (3, 32)]


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    """Patterns that MIDI can hold: strokes on ticks, 7-bit velocities, tempos of two decimals."""
    meter = draw(st.sampled_from(METERS))
    bars = draw(st.integers(1, 5))
    ticks = bars * meter[0] * 4 * 960 // meter[1]
    cells = draw(
        st.dictionaries(st.tuples(st.integers(0, ticks - 1), st.sampled_from(VOICES)), st.integers(1, 127), min_size=1)
    )
    hits = tuple(Hit(tick / 960, voice, velocity / 127) for (tick, voice), velocity in cells.items())
    return Pattern(hits, bars, meter, draw(st.integers(2000, 20000)) / 100)


@settings(max_examples=80, deadline=None)
@given(patterns())
def test_nothing_is_lost_there_and_back(pattern: Pattern) -> None:
    result = read_midi(to_midi(pattern))
    assert result.pattern.hits == pattern.hits
    assert (result.pattern.bars, result.pattern.meter) == (pattern.bars, pattern.meter)
    assert result.pattern.tempo == pytest.approx(pattern.tempo, abs=1e-3)
    assert (result.dropped, result.warnings, dict(result.unmapped)) == (0, (), {})


def test_mido_reads_what_is_written() -> None:
    pattern = Pattern((Hit(0, "kick", 1.0), Hit(0.001, "kick", 0.5), Hit(6.999, "snare", 0.004)), 2, (7, 8), 96.0)
    file = mido.MidiFile(file=io.BytesIO(to_midi(pattern, ticks_per_beat=480)))
    messages = list(file.tracks[0])
    now, notes, open_notes = 0, [], set()
    for message in messages:
        now += message.time
        if message.type == "note_on":
            assert message.note not in open_notes
            open_notes.add(message.note)
            notes.append((now, message.channel, message.note, message.velocity))
        elif message.type == "note_off":
            open_notes.remove(message.note)
    # the last stroke is nearest to the tick where the next turn starts; the first two share a tick
    assert notes == [(0, 9, 36, 127), (0, 9, 38, 1)]
    assert (open_notes, now, messages[-1].type) == (set(), 7 * 480, "end_of_track")
    signs = {m.type: m for m in messages if m.is_meta}
    assert signs["set_tempo"].tempo == 625_000
    assert (signs["time_signature"].numerator, signs["time_signature"].denominator) == (7, 8)


def test_a_note_struck_again_ends_first() -> None:
    file = mido.MidiFile(file=io.BytesIO(to_midi(Pattern((Hit(0, "kick"), Hit(0.0625, "kick"))))))
    kinds = [m.type for m in file.tracks[0] if m.type.startswith("note")]
    assert kinds == ["note_on", "note_off", "note_on", "note_off"]


@pytest.mark.parametrize("resolution", [0, 7, 100_000])
def test_resolutions_that_cannot_be(resolution: int) -> None:
    with pytest.raises(PatternError, match="multiple of 8"):
        to_midi(Pattern((Hit(0, "kick"),)), ticks_per_beat=resolution)


def test_writing_a_file(tmp_path: Path) -> None:
    pattern = Pattern((Hit(0, "kick", 1.0),))
    path = write_midi(pattern, tmp_path / "a.mid")
    assert read_midi(path).pattern == pattern
    assert [p.name for p in tmp_path.iterdir()] == ["a.mid"]
    with pytest.raises(PatternError, match="cannot write"):
        write_midi(pattern, tmp_path / "absent" / "a.mid")
    (tmp_path / "folder").mkdir()
    with pytest.raises(PatternError, match="cannot write"):
        write_midi(pattern, tmp_path / "folder")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.mid", "folder"]
