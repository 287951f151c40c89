"""Valid files, small ones, that mutations begin with."""

from __future__ import annotations

import hashlib
import io
import json
import struct
import sys
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from loopnet_cli.controls import TIMBRE_NAMES

TESTS = Path(__file__).parents[1]
for folder in ("pattern", "cli", "synthesis", "data"):
    if str(TESTS / folder) not in sys.path:
        sys.path.append(str(TESTS / folder))

GRIDS = [
    "kick: x...x...x...x... snare: ....x.......x...",
    "bpm=97.5 meter=7/8 bars=2\nkick: x.X.1.9|x......\nhh: xxxxxxx|xxxxxxx # comment\n",
    "steps=12 tempo=140 kick: x..x..x..x.. hat-open: ..x..x..x..x",
    "steps=3 kick: x.. | .x. | x.x | xxx snare: -.-",
]


@cache
def midi_files() -> list[bytes]:
    import smf_bytes as smf

    from loopnet_cli.pattern import Hit, Pattern
    from loopnet_cli.pattern.write import to_midi

    hits = tuple(Hit(n / 2, ("kick", "snare", "hat_closed", "hat_open")[n % 4], 0.2 + n / 20) for n in range(16))
    sysex = b"\x00\xf0\x05\x7e\x7f\x09\x01\xf7" + smf.tempo(400_000) + smf.meter(6, 3) + smf.hits(0, 1.5, 2, note=22)
    two = smf.header(tracks=2, kind=1) + smf.track(smf.tempo(600_000) + smf.name("Tempo")) + smf.track(
        smf.name("Drums\n../../kit") + smf.marker("loopStart") + smf.hits(0, 1, 2, 3) + smf.marker("loopEnd", 480)
    )  # fmt: skip
    riff = b"RIFF" + struct.pack("<I", len(two) + 12) + b"RMIDdata" + struct.pack("<I", len(two)) + two
    frames = b"MThd" + struct.pack(">IHHH", 6, 0, 1, 0xE728) + smf.track(smf.hits(0, 1, 2))
    running = smf.song(b"\x00\x99\x24\x60\x10\x26\x50\x81\x00\x24\x40")
    return [to_midi(Pattern(hits, 2, (4, 4), 128.0)), smf.song(sysex), two, riff, frames, running]


def _sound(seconds: float = 0.08, channels: int = 1, rate: int = 8000) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    audio = 0.7 * np.sin(2 * np.pi * 220 * time) * np.exp(-time * 9)
    return np.stack([audio] * channels, axis=1)


def _encoded(format: str, subtype: str | None = None, *, channels: int = 1, rate: int = 8000, seconds=0.08) -> bytes:
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, _sound(seconds, channels, rate), rate, format=format, subtype=subtype)
    return stream.getvalue()


@cache
def wav_files() -> list[bytes]:
    loops = [_loop("wav", "24"), _loop("wav", "float")]
    kinds = [
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_16"),
        ("WAV", "ULAW"),
        ("WAV", "IMA_ADPCM"),
        ("WAVEX", "FLOAT"),
        ("RF64", "PCM_16"),
    ]
    return loops + [_encoded(kind, subtype, channels=1 + n % 2) for n, (kind, subtype) in enumerate(kinds)]


@cache
def other_audio_files() -> list[bytes]:
    kinds = [
        ("FLAC", "PCM_16"),
        ("AIFF", "PCM_24"),
        ("OGG", "VORBIS"),
        ("CAF", "PCM_16"),
        ("AU", "PCM_16"),
        ("W64", "PCM_16"),
    ]
    found = [_encoded(kind, subtype, channels=1 + n % 2) for n, (kind, subtype) in enumerate(kinds)]
    return [*found, _encoded("MP3", "MPEG_LAYER_III", rate=16000, seconds=0.2), _loop("flac", "16")]


def _loop(format: str, subtype: str) -> bytes:
    from loopnet_cli.audio.write import encode_loop
    from loopnet_cli.controls import Loop

    audio = _sound().astype(np.float32)[:, 0]
    settings = {"kit": "some", "model": "studio", "kit_file": kit_entry()}
    return encode_loop(Loop(audio, {}, 8000, 120.0, 1, (4, 4), 7, settings), format=format, subtype=subtype)


@cache
def _kit_text() -> str:
    from loopnet_cli.synthesis import bank, kit_file

    kit = replace(next(iter(bank.read_bank().values())), name="some", description="one of them")
    return kit_file.text_of(
        kit_file.entry_of(kit, "loopnet kits save", {"theirs": {"deep": [1, "two", None]}})
    ).decode()


def kit_entry() -> dict:
    return json.loads(_kit_text())


def kit_files() -> list[bytes]:
    return [_kit_text().encode()]


def light_kit_entry() -> dict:
    """Return one that the fake bank of tests/cli takes: of one number a code."""
    entry = kit_entry()
    return {**entry, "codes": {voice: [0.5] for voice in entry["codes"]}}


def bank_entry() -> dict:
    from loopnet_cli.synthesis import bank

    entry = json.loads((bank.weights_folder() / "kits.json").read_text(encoding="utf-8"))
    return {**entry, "kits": entry["kits"][:2]}


@cache
def paper_weights() -> list[bytes]:
    from tiny_paper import write_tiny

    with tempfile.TemporaryDirectory() as folder:
        return [
            write_tiny(Path(folder) / name, name, first_filters=1, layers=2).read_bytes()
            for name in ("multi", "stft", "wav")
        ]


@cache
def studio_weights() -> list[bytes]:
    from safetensors.numpy import save

    tensors = {"a.weight": np.zeros((2, 3), np.float16), "b": np.arange(4, dtype=np.float32)}
    ranges = {"low": dict.fromkeys(TIMBRE_NAMES, 1.0), "high": dict.fromkeys(TIMBRE_NAMES, 2.0)}
    return [save(tensors, metadata={"format": "1", "normalisation": json.dumps(ranges)})]


def safetensors_parts(content: bytes) -> tuple[dict, bytes]:
    """Split a weights file in its header and the numbers."""
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size]), content[8 + size :]


def safetensors_bytes(header: object, numbers: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


@cache
def data_sets() -> list[bytes]:
    from dataset_sounds import fake_loop, fake_rows

    from loopnet_cli.data.rows import Rejected, pattern_text
    from loopnet_cli.data.store_writer import StoreWriter
    from loopnet_cli.pattern import Hit, Pattern

    text = pattern_text(Pattern((Hit(0.0, "kick", 0.9), Hit(1.5, "snare", 0.4)), 1, (4, 4), 130.0))
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for studio in (False, True):
            rows = fake_rows(2, studio=studio)
            # zeros pack to nothing: what is left is structure
            flat = {name: np.zeros_like(value) for name, value in vars(rows).items() if isinstance(value, np.ndarray)}
            path = Path(folder) / f"{studio}.h5"
            with StoreWriter(path, {"seed": 3}, studio=studio, exact={"activations": True}) as writer:
                writer.append([fake_loop("a.wav", bars=2)], replace(rows, **flat, patterns=(text, "")))
                writer.reject([Rejected("c.wav", "silent", "never")])
            found.append(path.read_bytes())
    return found


def pattern_json() -> dict:
    return {"bars": 1, "meter": [4, 4], "tempo": 130.0, "hits": [[0.0, "kick", 0.9], [1.5, "snare", 0.4]]}


@cache
def parts() -> list[bytes]:
    from dataset_sounds import fake_loop, fake_rows

    from loopnet_cli.data.parts import Part, encode_part

    rows = fake_rows(1, studio=False)
    small = {
        name: value[:, :8] if value.ndim > 1 else value
        for name, value in vars(rows).items()
        if isinstance(value, np.ndarray)
    }
    return [encode_part(Part((fake_loop(),), replace(rows, **small), (), 1.0)), encode_part(Part())]


@cache
def statistics() -> list[bytes]:
    found = []
    for save, count in ((np.savez, 5), (np.savez_compressed, None)):
        stream = io.BytesIO()
        arrays = {"mu": np.arange(3.0), "sigma": np.eye(3)}
        save(stream, **arrays, **({} if count is None else {"count": np.int64(count)}))
        found.append(stream.getvalue())
    return found


MAPS = [
    b'base = "gm"\n36 = "snare"\n[notes]\n"Cowbell" = "perc"\n99 = "hat_open"\n',
    b'{"base": "none", "notes": {"36": "kick", "Cowbell": "perc"}, "40": "clap"}',
]
TEMPOS = [b"file,bpm,meter\nkick/a.wav,120,4/4\nb.wav,97.5,7/8\n", b"\xef\xbb\xbfBPM,File\n99,a\\b.wav\n"]
CHROMAS = [b"Am7", b"A C# Eb", b"F#m7b5/G", b"0 0.1 1 0 0 0 .5 0 0 0 1e-3 0", "B♭Δ".encode()]
JOBS = [
    {"inputs": GRIDS[0], "seed": 3, "name": "{stem}_{seed}", "bpm": 120, "kit": "tight-studio", "brightness": 0.5},
    {"command": "generate", "inputs": [GRIDS[2]], "out_dir": "x", "bars": 2, "chroma": "Am", "normalize": "lufs:-14"},
    {"inputs": GRIDS[0], "output": "c.flac", "overwrite": True, "low.depth": 0.2, "variations": 1},
]
CSV = [
    b"inputs,seed,bpm,name,brightness\nkick: x...x...x...x...,1,120,{seed},0.5\nkick: x...x...x...x...,,,,0.2\n",
    b'command;inputs;sample-rate\ngenerate;"kick: x...x...x...x...";44100\n',
]
YAML = [
    b"defaults: {seed: 1, bpm: 120}\njobs:\n- inputs: 'kick: x...'\n  brightness: 0.5\n"
    b"- &a {inputs: 'kick: x...', name: two}\n- <<: *a\n  name: three\n",
    b"- inputs: ['kick: x...x...x...x...']\n  name: >-\n    {stem}\n    x\n"
    b"- {inputs: 'hat: x.x.x.x.', 'low.depth': +0.2}\n",
]


def record_lines() -> list[dict]:
    head = {"format": "loopnet-record", "version": 1, "loopnet": "1"}
    row = {"inputs": "kick: x...x...x...x..."}
    key = hashlib.sha256(json.dumps(row).encode()).hexdigest()[:20]
    return [
        head,
        {"status": "started", "key": key, "seed": 5, "planned": ["out/a.wav"]},
        {"status": "done", "key": key, "seed": 5, "files": {"out/a.wav": "0" * 64}, "inputs": {}},
        {"status": "failed", "key": "b" * 20, "error": "no", "seed": None},
    ]


def lines(values: list) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)
