"""``loopnet play``, with a device that keeps what it is given."""

from __future__ import annotations

import builtins
import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from sounds import encoded

from loopnet_cli.audio import play as player
from loopnet_cli.errors import AudioError


class FakeAudio:
    """A sounddevice: keeps all that is played; Ctrl-C is pressed after `patience` frames."""

    class PortAudioError(Exception):
        pass

    def __init__(self, devices=2, patience=None):
        self.devices = [{"name": f"speaker {n}", "max_output_channels": 2} for n in range(devices)]
        self.streams, self.patience, self.told = [], patience, []

    def query_devices(self, which=None, kind=None):
        if kind is None:
            return self.devices
        found = [d for n, d in enumerate(self.devices) if which is None or which in (n, d["name"])]
        if not found:
            raise (ValueError(f"No output device matching {which!r}") if which else self.PortAudioError("device -1"))
        return found[0]

    def OutputStream(self, *, samplerate, channels, dtype, device, latency):  # noqa: N802 - as there
        if samplerate == 12345:
            raise self.PortAudioError("Invalid sample rate")
        stream = SimpleNamespace(rate=samplerate, channels=channels, device=device, blocks=[], state="new")

        def write(block):
            assert block.dtype == np.float32 and block.shape[1] == channels and block.flags.c_contiguous
            stream.blocks.append(block.copy())
            if self.patience is not None and sum(map(len, stream.blocks)) >= self.patience:
                raise KeyboardInterrupt

        def change(state):
            return lambda: setattr(stream, "state", state)

        stream.write, stream.start = write, change("started")
        stream.stop, stream.abort = change("stopped"), change("aborted")
        stream.close = lambda: setattr(stream, "closed", True)
        self.streams.append(stream)
        return stream

    def played(self, number=0):
        return np.concatenate(self.streams[number].blocks)


@pytest.fixture
def audio(monkeypatch):
    def install(**how):
        fake = FakeAudio(**how)
        monkeypatch.setitem(sys.modules, "sounddevice", fake)
        return fake

    return install


@pytest.fixture
def ramp(tmp_path):
    """A file whose samples tell their place."""
    values = (np.arange(10_000) / 20_000).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", values, 44100, subtype="FLOAT")
    return values


def test_goes_round_without_a_gap_until_interrupted(loopnet, audio, ramp):
    fake = audio(patience=35_000)
    done = loopnet("play", "a.wav")
    assert (done.code, done.stdout, done.stderr) == (0, "", "playing a.wav\n")
    played = fake.played()
    assert len(fake.streams) == 1 and fake.streams[0].state == "aborted" and fake.streams[0].closed
    expected = np.resize(ramp, len(played))
    assert np.array_equal(played, np.stack([expected, expected], axis=1))


def test_times(loopnet, audio, ramp):
    fake = audio()
    assert loopnet("play", "a.wav", "--times", 3, "-q").stderr == ""
    assert np.array_equal(fake.played()[:, 1], np.tile(ramp, 3)) and fake.streams[0].state == "stopped"
    fake.patience = 1
    assert loopnet("play", "a.wav", "-n", 3).code == 130


@pytest.mark.parametrize("format", ["WAV", "FLAC", "AIFF"])
def test_formats_and_channels(loopnet, audio, tmp_path, format):
    fake = audio()
    values = np.stack([np.linspace(-0.5, 0.5, 3000), np.linspace(0.5, -0.5, 3000), np.zeros(3000)], axis=1)
    (tmp_path / "a").write_bytes(encoded(values.astype(np.float32), format=format, subtype="PCM_24", rate=48000))
    assert loopnet("play", "a", "--times", 1).code == 0
    assert fake.streams[0].rate == 48000 and np.allclose(fake.played(), values[:, :2], atol=1e-6)


def test_many_files_share_a_device_as_long_as_their_rate_is_the_same(loopnet, audio, ramp, tmp_path):
    for name, rate in (("b.wav", 44100), ("c.wav", 22050)):
        soundfile.write(tmp_path / name, ramp[:100], rate, subtype="FLOAT")
    fake = audio()
    assert loopnet("play", "*.wav", "--times", 2).stderr == "playing a.wav\nplaying b.wav\nplaying c.wav\n"
    assert [(s.rate, len(fake.played(n))) for n, s in enumerate(fake.streams)] == [(44100, 20_200), (22050, 200)]
    assert all(stream.closed for stream in fake.streams)


def test_stdin(loopnet, audio, ramp, tmp_path):
    fake = audio()
    assert loopnet("play", "-", "--times", 1, input=(tmp_path / "a.wav").read_bytes()).code == 0
    assert len(fake.played()) == len(ramp)


def test_samples_that_are_no_numbers_harm_nobody(loopnet, audio, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.array([np.nan, np.inf, -9.0, 0.5], np.float32), 44100, subtype="FLOAT")
    fake = audio()
    assert loopnet("play", "a.wav", "--times", 1).code == 0
    assert fake.played()[:, 0].tolist() == [0.0, 1.0, -1.0, 0.5]


def test_devices(loopnet, audio, ramp):
    fake = audio()
    assert loopnet("play", "a.wav", "--times", 1, "--device", "1").code == 0 and fake.streams[0].device == 1
    assert loopnet("play", "a.wav", "--times", 1, "--device", "speaker 0").code == 0
    loopnet("play", "a.wav", "--device", "flute").refused(
        1, "no audio device 'flute'", "there are 0 speaker 0, 1 speaker 1"
    )


def test_what_cannot_be_played(loopnet, audio, ramp, tmp_path):
    audio()
    loopnet("play", "none.wav", "--times", 1).refused(1, "none.wav")
    loopnet("play", "*.none").refused(2, "no file matches")
    loopnet("play", "a.wav", "--times", 0).refused(2, "--times")
    (tmp_path / "text.wav").write_text("no audio")
    loopnet("play", "text.wav").refused(1, "text.wav is not audio")
    (tmp_path / "nothing.wav").write_bytes(encoded(np.zeros(0, np.float32)))
    loopnet("play", "nothing.wav").refused(1, "nothing.wav holds no audio")
    (tmp_path / "odd.wav").write_bytes(encoded(np.zeros(9, np.float32), rate=12345))
    loopnet("play", "odd.wav").refused(1, "speaker 0 does not play 12345 Hz", "--device")


def test_where_nothing_can_be_heard(loopnet, audio, ramp, monkeypatch):
    audio(devices=0)
    loopnet("play", "a.wav").refused(1, "no audio device to play on (device -1)", "is one connected")
    monkeypatch.delitem(sys.modules, "sounddevice")
    real = builtins.__import__

    def importing(error):
        def fake(name, *rest, **more):
            if name == "sounddevice":
                raise error
            return real(name, *rest, **more)

        return fake

    monkeypatch.setattr(builtins, "__import__", importing(ImportError("No module named 'sounddevice'")))
    loopnet("play", "a.wav").refused(1, "playing needs sounddevice: pip install 'loopnet[play]'")
    monkeypatch.setattr(builtins, "__import__", importing(OSError("PortAudio library not found")))
    loopnet("play", "a.wav").refused(1, "PortAudio", "apt install libportaudio2")


def test_memory_does_not_grow_with_the_file(tmp_path):
    soundfile.write(tmp_path / "long.wav", np.zeros((44100 * 120, 2), np.int16), 44100)
    frames = []

    class Device:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, block):
            frames.append(len(block))

    tracemalloc.start()
    player.play([(tmp_path / "long.wav", "long.wav")], lambda rate, channels: Device(), times=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(frames) == 44100 * 120 and max(frames) <= 4096 and peak < 8e6


def test_a_device_that_fails_on_the_way(tmp_path, audio, ramp):
    fake = audio()
    opened = player.device()(44100, 2)
    fake.streams[0].write = lambda block: (_ for _ in ()).throw(FakeAudio.PortAudioError("unplugged"))
    with pytest.raises(AudioError, match="the audio device failed: unplugged"), opened as output:
        output.write(np.zeros((4, 2), np.float32))
    assert fake.streams[0].closed
