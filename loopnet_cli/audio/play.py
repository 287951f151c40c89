"""Audio files played one after the other and round again, without a gap, in memory that does not grow.

The device is behind `Output`: anything that takes blocks of samples will do in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from loopnet_cli.audio.stream import open_audio
from loopnet_cli.errors import AudioError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INSTALL = "pip install 'loopnet[play]'"
CHANNELS = 2
"""What is opened: devices that take one channel alone are rare, those that do not are many."""
_PIECE = 4096
"""Frames handed over at once, so that an interruption is soon noticed."""


class Output(Protocol):
    """An open output: blocks when it has enough to play."""

    def write(self, block: NDArray[np.float32], /) -> object:
        """Play frames of shape (frames, channels)."""


Opener = Callable[[int, int], AbstractContextManager[Output]]
"""Opens an output for a sample rate and a number of channels; leaving it plays what is left, or stops."""


def play(
    sources: Sequence[tuple[str | Path | bytes, str]],
    open_output: Opener,
    *,
    times: int | None = None,
    started: Callable[[str], None] = lambda name: None,
) -> None:
    """Play files, each `times` times, or all of them round and round without end.

    Parameters
    ----------
    sources : sequence of (path or bytes, str)
        Files or their content, and their names.
    open_output : callable
        As `device` makes it. The output stays open, and there is no gap, as long as the sample rate is the same.
    times : int, optional
        How often each is played before the next.
    started : callable
        Told the name of each file when it begins for the first time in a row.

    Raises
    ------
    AudioError
        If a file cannot be read, holds nothing, or the output fails.
    """
    with ExitStack() as stack:
        open_rate, output = 0, None
        for turn in count() if times is None else range(1):
            for source, name in sources:
                if turn == 0 or len(sources) > 1:
                    started(name)
                for _ in range(times or 1):
                    with open_audio(source, name) as stream:
                        if output is None or stream.sample_rate != open_rate:
                            stack.close()
                            output = stack.enter_context(open_output(stream.sample_rate, CHANNELS))
                            open_rate = stream.sample_rate
                        if not _write(output, stream.blocks()):
                            raise AudioError(f"{name} holds no audio")


def device(which: str | None = None) -> Opener:
    """Return what opens an audio device.

    Parameters
    ----------
    which : str, optional
        Its number, or part of its name; by default the system's choice.

    Raises
    ------
    AudioError
        If nothing can be played here; says what is missing.
    """
    sounddevice = load_sounddevice()
    chosen = int(which) if which is not None and which.isascii() and which.isdigit() else which
    try:
        found = sounddevice.query_devices(chosen, "output")
        if not found["max_output_channels"]:
            raise ValueError("it has no output")
    except (ValueError, sounddevice.PortAudioError) as error:
        wanted = "no audio device to play on" if which is None else f"no audio device {which!r}"
        raise AudioError(f"{wanted} ({_line(error)}): {_devices(sounddevice)}") from error

    def opened(sample_rate: int, channels: int) -> AbstractContextManager[Output]:
        try:
            stream: Any = sounddevice.OutputStream(
                samplerate=sample_rate, channels=channels, dtype="float32", device=chosen, latency="high"
            )
        except (ValueError, sounddevice.PortAudioError) as error:
            raise AudioError(
                f"the audio device {found['name']} does not play {sample_rate} Hz ({_line(error)}): "
                "choose another one with --device, or another --sample-rate where the loop is made"
            ) from error
        return _Guarded(stream, sounddevice.PortAudioError)

    return opened


def load_sounddevice() -> Any:
    """Import sounddevice.

    Raises
    ------
    AudioError
        If it is not installed, or finds no PortAudio.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise AudioError(f"playing needs sounddevice: {INSTALL}") from error
    except OSError as error:
        # its wheels for Linux leave the library to the system
        raise AudioError(
            f"playing needs the PortAudio library ({_line(error)}): install it (Debian: apt install libportaudio2)"
        ) from error
    return sounddevice


class _Guarded(AbstractContextManager["_Guarded"]):
    """A stream of sounddevice whose errors are ours."""

    def __init__(self, stream: Any, failure: type[Exception]) -> None:
        self._stream, self._failure = stream, failure

    def __enter__(self) -> _Guarded:
        self._do(self._stream.start)
        return self

    def write(self, block: NDArray[np.float32], /) -> None:
        self._do(self._stream.write, block)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        # what waits is played to its end, unless something went wrong or Ctrl-C was pressed
        try:
            self._do(self._stream.stop if kind is None else self._stream.abort)
        finally:
            self._stream.close()

    def _do(self, action: Callable[..., object], *values: object) -> None:
        try:
            action(*values)
        except self._failure as error:
            raise AudioError(f"the audio device failed: {_line(error)}") from error


def _write(output: Output, blocks: Iterable[NDArray[np.float32]]) -> bool:
    """Play blocks on two channels; whether there was anything."""
    import numpy as np

    some = False
    for block in blocks:
        stereo = np.ascontiguousarray(np.repeat(block, 2, axis=1) if block.shape[1] == 1 else block[:, :CHANNELS])
        np.nan_to_num(stereo, copy=False, nan=0.0, posinf=1.0, neginf=-1.0)
        np.clip(stereo, -1.0, 1.0, out=stereo)
        for start in range(0, stereo.shape[0], _PIECE):
            output.write(stereo[start : start + _PIECE])
            some = True
    return some


def _devices(sounddevice: Any) -> str:
    try:
        names = [f"{n} {d['name']}" for n, d in enumerate(sounddevice.query_devices()) if d["max_output_channels"]]
    except Exception:
        names = []
    return f"there are {', '.join(names)}" if names else "is one connected, and is the sound system running?"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
