"""Reading weights from TensorFlow Lite files, whole and damaged."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from loopnet_cli.errors import WeightsError
from loopnet_cli.evaluation.tflite import parse_tflite, read_tflite

sys.path.insert(0, str(Path(__file__).parent))
from tflite_writer import Table, flatbuffer, model

KERNEL = np.arange(-6, 6, dtype="<i1").reshape(3, 2, 2)
PER_CHANNEL = Table({2: np.array([0.5, 1.0, 2.0], "<f4"), 3: np.array([0, 1, -1], "<i8"), 6: ("<i", 0)})
WHOLE = Table({2: np.array([0.25], "<f4"), 3: np.array([-128], "<i8")})


def small(kernel_scales: Table = PER_CHANNEL) -> bytes:
    tensors = [
        ("input", (1, 4), None, WHOLE),
        ("kernel", KERNEL.shape, KERNEL, kernel_scales),
        ("bias", (3,), np.array([0.5, -1.5, 2.5], "<f4"), None),
        ("codes", (2,), np.array([-128, 0], "<i1"), WHOLE),
    ]
    return flatbuffer(model(tensors, [(3, (0, 1, 2), (3,)), (130, (0, -1), (3,))]))


def test_tensors_and_operators_are_read():
    graph = parse_tflite(small())
    assert [tensor.name for tensor in graph.tensors] == ["input", "kernel", "bias", "codes"]
    assert [tensor.shape for tensor in graph.tensors] == [(1, 4), (3, 2, 2), (3,), (2,)]
    assert [op.code for op in graph.operators] == [3, 130]
    assert graph.operators[0].inputs == (0, 1, 2)
    assert graph.operators[1].inputs == (0, -1)
    assert graph.tensors[0].values is None
    assert np.array_equal(graph.tensors[1].values, KERNEL)


def test_integers_become_numbers_by_channel_and_as_a_whole():
    tensors = parse_tflite(small()).tensors
    expected = [(KERNEL[0]) * 0.5, (KERNEL[1] - 1.0) * 1.0, (KERNEL[2] + 1.0) * 2.0]
    assert np.array_equal(tensors[1].dequantised(), np.array(expected, np.float32))
    assert tensors[2].dequantised().tolist() == [0.5, -1.5, 2.5]
    assert tensors[3].dequantised().tolist() == [0.0, 32.0]


def test_what_has_no_values_or_too_few_scales_is_refused():
    with pytest.raises(ValueError, match="no values"):
        parse_tflite(small()).tensors[0].dequantised()
    two = Table({2: np.array([0.5, 1.0], "<f4"), 3: np.array([0, 1], "<i8")})
    with pytest.raises(ValueError, match="2"):
        parse_tflite(small(two)).tensors[1].dequantised()


def test_a_shape_that_does_not_fit_the_bytes_is_refused():
    tensors = [("kernel", (4, 2, 2), KERNEL, None)]
    with pytest.raises(ValueError, match="12 bytes"):
        parse_tflite(flatbuffer(model(tensors, [])))


def test_an_operation_on_a_missing_tensor_is_refused():
    with pytest.raises(ValueError, match="not there"):
        parse_tflite(flatbuffer(model([("kernel", KERNEL.shape, KERNEL, None)], [(3, (0, 7), (0,))])))


def test_a_file_cut_anywhere_is_refused():
    data = small()
    last = max(n for n in range(len(data)) if data[n])
    for length in range(last):
        with pytest.raises(ValueError):
            graph = parse_tflite(data[:length])
            for tensor in graph.tensors:
                tensor.dequantised()


def test_damage_never_ends_otherwise_than_in_a_refusal():
    data = small()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(3000):
        damaged = bytearray(data)
        for position in rng.integers(8, len(data), size=3):
            damaged[position] = int(rng.integers(256))
        try:
            parse_tflite(bytes(damaged))
        except ValueError:
            refused += 1
    assert 300 < refused < 3000


def test_other_files_are_refused_in_one_line(tmp_path):
    for content in (b"", b"no model", b"RIFF____WAVEfmt "):
        path = tmp_path / "other.tflite"
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"other\.tflite: not a usable TensorFlow Lite model") as caught:
            read_tflite(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="cannot be read"):
        read_tflite(tmp_path / "absent.tflite")
