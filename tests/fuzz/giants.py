"""Inputs that are huge, or claim to be: each makes files in a folder and returns the command that meets them."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import samples


def sparse(path: Path, head: bytes, size: int) -> Path:
    """Make a file of so many bytes that takes no room: zeros after its head."""
    with path.open("wb") as stream:
        stream.write(head)
        stream.truncate(size)
    return path


def wav_head(size: int, *, rate: int = 8000) -> bytes:
    """Return the head of a WAV file of 8 bits, mono, whose audio claims to be so long."""
    body = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, rate, rate, 1, 8) + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + body


def big_midi(folder: Path) -> list[str]:
    sparse(folder / "big.mid", samples.midi_files()[0], 50_000_000)
    return ["generate", "big.mid", "-o", "x.wav"]


def full_midi(folder: Path) -> list[str]:
    body = b"\x01\x99\x24\x64" * (15_900_000 // 4)
    track = b"MTrk" + struct.pack(">I", len(body)) + body
    (folder / "full.mid").write_bytes(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + track)
    return ["generate", "full.mid", "-o", "x.wav"]


def false_wav(folder: Path) -> list[str]:
    (folder / "false.wav").write_bytes(wav_head(2**32 - 100) + bytes(1000))
    return ["analyze", "false.wav"]


def wav_of_4_gb(folder: Path) -> list[str]:
    size = 2**32 - 2**10
    sparse(folder / "long.wav", wav_head(size), size + 44)
    return ["analyze", "long.wav"]


def recording_of_3_hours(folder: Path) -> list[str]:
    size = 3 * 3600 * 8000
    sparse(folder / "hours.wav", wav_head(size), size + 44)
    return ["analyze", "hours.wav"]


def recording_of_3_hours_as_timbre(folder: Path) -> list[str]:
    recording_of_3_hours(folder)
    return ["transfer", "-r", "kick: x...x...x...x...", "-t", "hours.wav", "-o", "x.wav"]


def part_of_3_hours(folder: Path) -> list[str]:
    recording_of_3_hours(folder)
    return ["analyze", "hours.wav", "--start", "7000", "--end", "7004"]  # which is silent


def wav_of_empty_chunks(folder: Path) -> list[str]:
    sparse(folder / "chunks.wav", wav_head(0)[:36], 200_000_000)
    return ["analyze", "chunks.wav"]


def flac_of_claims(folder: Path) -> list[str]:
    content = bytearray(next(found for found in samples.other_audio_files() if found[:4] == b"fLaC"))
    content[21] |= 0x0F
    content[22:26] = b"\xff" * 4  # 2**36 - 1 samples
    (folder / "claims.flac").write_bytes(content)
    return ["analyze", "claims.flac"]


def deep_yaml(folder: Path) -> list[str]:
    (folder / "deep.yaml").write_text("[" * 1_000_000)
    return ["batch", "deep.yaml"]


def deep_block_yaml(folder: Path) -> list[str]:
    (folder / "deep.yaml").write_text("\n".join(" " * n + "- " for n in range(2000)))
    return ["batch", "deep.yaml"]


def yaml_of_aliases(folder: Path) -> list[str]:
    lines = ["- &a0 {x: y}"] + [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    (folder / "bomb.yaml").write_text("\n".join(lines))
    return ["batch", "bomb.yaml"]


def yaml_of_merges(folder: Path) -> list[str]:
    lines = ["- &a0 {x: y, z: w}"] + [f"- &a{n} {{<<: [*a{n - 1}, *a{n - 1}], k{n}: v}}" for n in range(1, 40)]
    (folder / "bomb.yaml").write_text("\n".join(lines))
    return ["batch", "bomb.yaml"]


def large_yaml(folder: Path) -> list[str]:
    sparse(folder / "large.yaml", b"- inputs: x\n", 3 << 30)
    return ["batch", "large.yaml"]


def deep_jobs_json(folder: Path) -> list[str]:
    (folder / "deep.jsonl").write_text('{"inputs": ' + "[" * 1_000_000)
    return ["batch", "deep.jsonl"]


def large_csv(folder: Path) -> list[str]:
    sparse(folder / "large.csv", b"inputs\n", 3 << 30)
    return ["batch", "large.csv"]


def deep_kit(folder: Path) -> list[str]:
    (folder / "deep.json").write_text('{"theirs": ' + "[" * 400_000 + "]" * 400_000 + "}")
    return ["kits", "import", "deep.json"]


def gzip_kit(folder: Path) -> list[str]:
    with gzip.open(folder / "bomb.json", "wb", compresslevel=1) as stream:
        for _ in range(200):
            stream.write(bytes(1 << 20))
    return ["kits", "import", "bomb.json"]


def zip_kit(folder: Path) -> list[str]:
    with zipfile.ZipFile(folder / "bomb.json", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("kit.json", bytes(50 << 20))
    return ["kits", "import", "bomb.json"]


def large_kit(folder: Path) -> list[str]:
    sparse(folder / "large.json", b"{", 3 << 30)
    return ["kits", "import", "large.json"]


def endless_kit(folder: Path) -> list[str]:
    return ["kits", "import", "/dev/zero", "--name", "x"]


def endless_rhythm(folder: Path) -> list[str]:
    return ["generate", "/dev/zero", "-o", "x.wav"]


def large_map(folder: Path) -> list[str]:
    sparse(folder / "map.toml", b"", 3 << 30)
    return ["generate", "kick: x...x...x...x...", "-o", "x.wav", "--map", "map.toml"]


def deep_map(folder: Path) -> list[str]:
    (folder / "map.toml").write_text("a = " + "[" * 300_000)
    return ["generate", "kick: x...x...x...x...", "-o", "x.wav", "--map", "map.toml"]


def _model(folder: Path, content: bytes, size: int | None = None) -> list[str]:
    sparse(folder / "m.safetensors", content, len(content) if size is None else size)
    return ["generate", "kick: x...x...x...x...", "-o", "x.wav", "--bpm", "130", "--model", "m.safetensors"]


def weights_with_an_endless_header(folder: Path) -> list[str]:
    return _model(folder, (2**62).to_bytes(8, "little") + b"{}")


def weights_with_a_large_header(folder: Path) -> list[str]:
    return _model(folder, (90_000_000).to_bytes(8, "little") + b'{"a":', 90_000_008)


def weights_of_claims(folder: Path) -> list[str]:
    header, numbers = samples.safetensors_parts(samples.paper_weights()[0])
    first = next(name for name in header if name != "__metadata__")
    header[first] = {"dtype": "F16", "shape": [2**31, 2**31], "data_offsets": [0, 2**63]}
    return _model(folder, samples.safetensors_bytes(header, numbers))


def weights_of_a_giant(folder: Path) -> list[str]:
    header, numbers = samples.safetensors_parts(samples.paper_weights()[0])
    header["__metadata__"] |= {"layers": str(10**9), "first_filters": str(10**12)}
    return _model(folder, samples.safetensors_bytes(header, numbers))


def large_weights(folder: Path) -> list[str]:
    return _model(folder, samples.paper_weights()[0], 3 << 30)


def _statistics(folder: Path, members: dict[str, bytes]) -> list[str]:
    with zipfile.ZipFile(folder / "s.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return ["evaluate", "frechet", "s.npz", "s.npz"]


def statistics_bomb(folder: Path) -> list[str]:
    stream = io.BytesIO()
    np.save(stream, np.zeros(25_000_000))
    return _statistics(folder, {"mu.npy": stream.getvalue(), "sigma.npy": stream.getvalue()})


def statistics_of_claims(folder: Path) -> list[str]:
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    return _statistics(folder, {"mu.npy": stream.getvalue(), "sigma.npy": stream.getvalue()})


def data_set_of_claims(folder: Path) -> list[str]:
    import h5py

    path = folder / "bars.h5"
    path.write_bytes(samples.data_sets()[0])
    with h5py.File(path, "r+") as file:
        for name in [name for name, found in file.items() if isinstance(found, h5py.Dataset)]:
            attributes, shape, kind = dict(file[name].attrs), file[name].shape, file[name].dtype
            del file[name]
            file.create_dataset(name, (2**40, *shape[1:]), kind, chunks=(1, *shape[1:])).attrs.update(attributes)
    return ["dataset", "inspect", "bars.h5"]


def large_record(folder: Path) -> list[str]:
    (folder / "jobs.csv").write_text("inputs\nkick: x...x...x...x...\n")
    sparse(folder / "jobs.csv.record.jsonl", b"", 3 << 30)
    return ["batch", "jobs.csv", "--resume"]


def large_tempos(folder: Path) -> list[str]:
    sparse(folder / "tempos.csv", b"file,bpm\n", 3 << 30)
    return ["dataset", "build", ".", "-o", "x.h5", "--tempos", "tempos.csv"]


def grid_of_millions(folder: Path) -> list[str]:
    options = ("seed=0:999999:1000000", "bpm=20:400:100000", "bars=1:99:99")
    return ["grid", "kick: x...", "-o", "out", *(f"--sweep={option}" for option in options)]


def long_text(folder: Path) -> list[str]:
    return ["generate", "kick: " + "x" * 120_000, "-o", "x.wav"]


CASES: list[Callable[[Path], list[str]]] = [
    big_midi, full_midi, endless_rhythm, long_text, false_wav, wav_of_4_gb, recording_of_3_hours,
    recording_of_3_hours_as_timbre, part_of_3_hours, wav_of_empty_chunks, flac_of_claims, deep_yaml, deep_block_yaml,
    yaml_of_aliases, yaml_of_merges, large_yaml, deep_jobs_json, large_csv, large_record, deep_kit, gzip_kit, zip_kit,
    large_kit, endless_kit, large_map, deep_map, weights_with_an_endless_header, weights_with_a_large_header,
    weights_of_claims, weights_of_a_giant, large_weights, statistics_bomb, statistics_of_claims, data_set_of_claims,
    large_tempos, grid_of_millions,
]  # fmt: skip
