"""What is fuzzed: a check of `checks` or `command_checks` with a strategy of inputs for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import samples
from hypothesis import strategies as st
from inputs import PIECES_OF_GRIDS, bent, mutated, names, numbers, odd_texts, plain_names


@dataclass(frozen=True)
class Target:
    """A check and its inputs.

    Attributes
    ----------
    check : str
        Its name.
    title : str
        What is tried, in words.
    inputs : callable
        Returns the strategy; files to begin with are made only when they are needed.
    examples : int
        How many are tried by ``make test``.
    """

    check: str
    title: str
    inputs: Callable[[], st.SearchStrategy[bytes]]
    examples: int = 50
    module: str = "checks"

    @property
    def name(self) -> str:
        return self.check


def _flags() -> st.SearchStrategy[bytes]:
    import command_checks

    by_command: dict[str, list[tuple[str, st.SearchStrategy[str]]]] = {}
    for command, option, metavar in command_checks.options():
        place = command_checks.is_place(option, metavar)
        by_command.setdefault(command, []).append((option, plain_names if place else numbers))
    one = [st.tuples(st.just(name), value) for choices in by_command.values() for name, value in choices]
    commands = [command for command, choices in by_command.items() for _ in choices]
    single = st.integers(0, len(one) - 1).flatmap(lambda n: st.tuples(st.just(commands[n]), st.tuples(one[n])))
    some = st.sampled_from(sorted(by_command)).flatmap(
        lambda command: st.tuples(
            st.just(command),
            st.lists(
                st.one_of([st.tuples(st.just(name), value) for name, value in by_command[command]]),
                min_size=2,
                max_size=4,
            ),
        )
    )
    return st.one_of(single, single, some).map(lambda found: json.dumps(found).encode())


def _names() -> st.SearchStrategy[bytes]:
    import command_checks

    places = st.sampled_from(sorted(command_checks.NAMED))
    return st.tuples(places, names).map(lambda found: json.dumps(found).encode())


def _kits_from_elsewhere() -> st.SearchStrategy[bytes]:
    def called(name: str) -> bytes:
        return json.dumps({**samples.light_kit_entry(), "name": name, "description": name, "made": name}).encode()

    return st.one_of(names.map(called), bent([samples.light_kit_entry()]))


def _rows_with_names() -> st.SearchStrategy[bytes]:
    row = st.fixed_dictionaries(
        {"inputs": st.just(samples.GRIDS[0])}, optional={"name": names, "kit": names, "seed": numbers}
    )
    return st.lists(row, min_size=1, max_size=3).map(_json_lines)


def _json_lines(value: object) -> bytes:
    return samples.lines(value if isinstance(value, list) else [value])


def _weights(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    parts = [samples.safetensors_parts(seed) for seed in seeds]
    headers = [
        bent([header], lambda value, numbers=numbers: samples.safetensors_bytes(value, numbers))
        for header, numbers in parts
    ]
    return st.one_of(mutated(seeds), mutated(seeds, head=1200), *headers)


def _grids() -> st.SearchStrategy[bytes]:
    made = st.lists(st.sampled_from(PIECES_OF_GRIDS), max_size=60).map("".join).map(str.encode)
    return st.one_of(mutated([grid.encode() for grid in samples.GRIDS]), made)


COMMANDS = [
    Target("flags", "options of all commands with odd values", _flags, 110, "command_checks"),
    Target("names", "names of loops and kits", _names, 100, "command_checks"),
    Target(
        "hostile_midi", "MIDI files whose files and tracks have hostile names",
        lambda: st.tuples(names, names).map(lambda found: json.dumps(found).encode()), 30, "command_checks",
    ),
    Target("imported_kit", "kits from elsewhere, imported", _kits_from_elsewhere, 40, "command_checks"),
    Target("planned_jobs", "job files with hostile names, planned", _rows_with_names, 40, "command_checks"),
]  # fmt: skip
FILES = [
    Target("midi", "MIDI files", lambda: mutated(samples.midi_files()), 150),
    Target("rhythm_file", "rhythms by file name", lambda: mutated([*samples.midi_files(), samples.GRIDS[1].encode()])),
    Target("grid", "text grids", _grids, 100),
    Target("drum_map", "drum maps", lambda: st.one_of(mutated(samples.MAPS), bent([json.loads(samples.MAPS[1])]))),
    Target("chroma", "chroma names", lambda: st.one_of(mutated(samples.CHROMAS), odd_texts)),
    Target(
        "audio", "WAV files",
        lambda: st.one_of(mutated(samples.wav_files(), head=120), mutated(samples.wav_files())), 120,
    ),
    Target(
        "other_audio", "FLAC, AIFF, OGG, MP3, CAF, AU and W64 files",
        lambda: st.one_of(mutated(samples.other_audio_files(), head=200), mutated(samples.other_audio_files())), 120,
    ),
    Target("kit", "kit files", lambda: st.one_of(mutated(samples.kit_files()), bent([samples.kit_entry()])), 100),
    Target("paper_weights", "weights files of paper models", lambda: _weights(samples.paper_weights())),
    Target("studio_weights", "weights files with the right checksum", lambda: _weights(samples.studio_weights())),
    Target(
        "bank_of_kits", "banks of kits with the right checksum",
        lambda: st.one_of(bent([samples.bank_entry()]), mutated([json.dumps(samples.bank_entry()).encode()])),
    ),
    Target("manifest", "lists of checksums", lambda: bent([{"kits.json": "0" * 64, "b": "1"}])),
    Target(
        "data_set", "data sets (HDF5)",
        lambda: st.one_of(mutated(samples.data_sets()), mutated(samples.data_sets(), head=4096)), 40,
    ),
    Target("data_set_inspected", "data sets, inspected", lambda: mutated(samples.data_sets()), 20),
    Target("data_set_part", "parts of data sets", lambda: mutated(samples.parts()), 40),
    Target("pattern_text", "patterns within data sets", lambda: bent([samples.pattern_json()]), 100),
    Target("tempo_table", "tables of tempos", lambda: mutated(samples.TEMPOS)),
    Target("statistics", "statistics (.npz)", lambda: mutated(samples.statistics()), 60),
    Target("jobs_csv", "job files, CSV", lambda: mutated(samples.CSV), 60),
    Target(
        "jobs_jsonl", "job files, JSON Lines",
        lambda: st.one_of(mutated([samples.lines(samples.JOBS)]), bent([samples.JOBS], _json_lines)), 60,
    ),
    Target(
        "jobs_yaml", "job files, YAML",
        lambda: st.one_of(mutated(samples.YAML), bent([samples.JOBS, {"defaults": {"seed": 1}, "jobs": samples.JOBS}])),
        60,
    ),
    Target(
        "record", "records of earlier runs",
        lambda: st.one_of(
            mutated([samples.lines(samples.record_lines())]), bent([samples.record_lines()], _json_lines)
        ), 40,
    ),
]  # fmt: skip
TARGETS = [*FILES, *COMMANDS]


def valid(target: Target) -> list[bytes]:
    """Return files that the target's check must accept."""
    one_of_many = {
        "midi": samples.midi_files, "grid": lambda: [grid.encode() for grid in samples.GRIDS],
        "audio": samples.wav_files, "other_audio": samples.other_audio_files, "kit": samples.kit_files,
        "paper_weights": samples.paper_weights,
        "studio_weights": samples.studio_weights, "data_set": samples.data_sets,
        "data_set_inspected": samples.data_sets,
        "data_set_part": samples.parts, "statistics": samples.statistics,
        "drum_map": lambda: samples.MAPS, "chroma": lambda: samples.CHROMAS, "tempo_table": lambda: samples.TEMPOS,
        "jobs_csv": lambda: samples.CSV, "jobs_yaml": lambda: samples.YAML,
        "jobs_jsonl": lambda: [samples.lines(samples.JOBS)], "record": lambda: [samples.lines(samples.record_lines())],
        "pattern_text": lambda: [json.dumps(samples.pattern_json()).encode()],
        "bank_of_kits": lambda: [json.dumps(samples.bank_entry()).encode()],
    }  # fmt: skip
    return one_of_many.get(target.name, list)()
