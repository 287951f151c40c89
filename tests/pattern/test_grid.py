"""Text grids."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern import VOICES, Hit, Pattern, format_grid, looks_like_grid, parse_grid


def beats(pattern: Pattern, voice: str) -> list[float]:
    return [h.beat for h in pattern.hits if h.voice == voice]


def test_rows_beside_each_other_and_short_ones_repeat() -> None:
    pattern = parse_grid("kick: x...x...  snare: ....x...")
    assert beats(pattern, "kick") == [0, 1, 2, 3]
    assert beats(pattern, "snare") == [1, 3]
    assert (pattern.bars, pattern.meter, pattern.tempo) == (1, (4, 4), 120)


def test_velocities() -> None:
    hits = parse_grid("sd: x.X.1.9.5.-._.0.").hits
    assert [h.velocity for h in hits] == pytest.approx([0.8, 1.0, 1 / 9, 1.0, 5 / 9])


def test_settings_bars_and_separators() -> None:
    pattern = parse_grid("bpm=96 meter=7/8  # a comment: x...\nkick: x......|x......\nhat: x.\nbars=4")
    assert (pattern.tempo, pattern.meter, pattern.bars) == (96, (7, 8), 4)
    assert beats(pattern, "kick") == [i * 1.75 for i in range(8)]
    assert len(beats(pattern, "hat_closed")) == 28


def test_steps_hold_for_the_rows_after_them() -> None:
    pattern = parse_grid("kick: x...............\nsteps=12\nride: x..x.xx..x.x")
    assert beats(pattern, "ride") == pytest.approx([0, 1, 5 / 3, 2, 3, 11 / 3])


def test_a_row_goes_on_and_aliases_of_one_voice_lie_over_each_other() -> None:
    pattern = parse_grid("bd: x...............\nbd: ....x...........\nlt: ....x...........\nht: ........x.......")
    assert beats(pattern, "kick") == [0, 5]
    assert beats(pattern, "tom") == [1, 2, 5, 6]


def test_given_tempo_and_meter_overrule_the_grid() -> None:
    pattern = parse_grid("bpm=96 meter=4/4 kick: x.....", tempo=140, meter=(6, 8))
    assert (pattern.tempo, pattern.meter) == (140, (6, 8))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no rows"),
        ("kik: x...", "no voice named 'kik': did you mean kick"),
        ("qqq: x...", "use kick, snare"),
        ("kick: x...x...x...x..", "row 'kick' has 15 steps: a bar of 4/4 has 16"),
        ("snare:\nkick: x...", "row 'snare' has 0 steps"),
        ("kick: x..y", "row 'kick' holds 'y'"),
        ("x...x...", "without a voice"),
        ("kick: ....", "no stroke"),
        ("bmp=120 kick: x...", "unknown setting 'bmp': did you mean bpm"),
        ("bpm=fast kick: x...", "bpm=fast is not a number"),
        ("bpm=0 kick: x...", "tempo 0 BPM"),
        ("bpm=nan kick: x...", "tempo nan"),
        ("meter=4 kick: x...", "meter=4 is not a meter"),
        ("meter=4/5 kick: x...", "not a meter"),
        ("bars=0 kick: x...", "bars=0 must be"),
        ("bars=10000 kick: x...", "bars=10000 must be"),
        ("steps=0 kick: x...", "steps=0 must be"),
        ("steps=99999999999 kick: x...", "must be a whole number"),
        ("kick: " + "x..............." * 2 + "\nsnare: " + "x..............." * 3, "row 'kick' has 2 bars"),
        ("kick: " + "x" * 16 * 1025, "1025 bars"),
        ("kick: " + "x" * 1_000_001, "too large"),
        ("bars=1024 steps=384" + "".join(f" {v}: x" for v in VOICES), "too many for a rhythm"),
    ],
)
def test_mistakes_are_named(text: str, words: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_grid(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["kick: x...", "bpm=96 kick:x...x...", "# mine\n\nsd: ..9.", "kik: x..."])
def test_what_looks_like_a_grid(text: str) -> None:
    assert looks_like_grid(text)


@pytest.mark.parametrize("text", ["beat.mid", "C:\\beats\\x.mid", "a:b", "my beat: final.mid", "-", "", "x...x..."])
def test_what_does_not(text: str) -> None:
    assert not looks_like_grid(text)


STEP_HITS = st.dictionaries(
    st.tuples(st.integers(0, 55), st.sampled_from(VOICES)),
    st.sampled_from([0.8, *(n / 9 for n in range(1, 10))]),
    min_size=1,
)


@settings(max_examples=60, deadline=None)
@given(STEP_HITS, st.sampled_from([60.0, 97.5, 174.0]))
def test_formatting_and_parsing_gives_the_same_pattern(cells: dict[tuple[int, str], float], tempo: float) -> None:
    hits = tuple(Hit(step / 4, voice, velocity) for (step, voice), velocity in cells.items())
    pattern = Pattern(hits, 4, (7, 8), tempo)
    assert parse_grid(format_grid(pattern)) == pattern


def test_formatting_moves_strokes_to_the_nearest_step_round_the_circle() -> None:
    pattern = Pattern((Hit(3.95, "kick", 0.54), Hit(1.02, "snare", 0.79)))
    again = parse_grid(format_grid(pattern))
    assert again.hits == (Hit(0.0, "kick", 5 / 9), Hit(1.0, "snare", 0.8))


def test_formatting_in_triplets_states_its_steps() -> None:
    pattern = Pattern((Hit(1 / 3, "ride", 1.0),), 1, (3, 4))
    text = format_grid(pattern, steps_per_beat=3)
    assert "steps=9" in text
    assert parse_grid(text) == pattern
    with pytest.raises(PatternError, match="do not fill a bar"):
        format_grid(Pattern((), 1, (7, 8)), steps_per_beat=3)
