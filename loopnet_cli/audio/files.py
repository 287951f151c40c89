"""Writing files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from loopnet_cli.errors import AudioError


def write_whole(path: str | Path, content: bytes) -> None:
    """Write one file so that a failure leaves what was there before; see `write_together`."""
    write_together([(path, content)])


def write_together(files: Iterable[tuple[str | Path, bytes]]) -> None:
    """Write files that belong together: all of them, or none.

    The bytes go to hidden neighbours first, which take their names when all
    are complete. A link is followed; a device or a pipe is written to directly.

    Raises
    ------
    AudioError
        If a folder is missing or a file cannot be written (no permission, disk full).
    """
    pending: list[tuple[Path, Path]] = []
    devices: list[tuple[Path, bytes]] = []
    path: str | Path = ""
    try:
        for path, content in files:
            target = Path(os.path.realpath(path))
            if target.is_dir():
                raise IsADirectoryError(21, "It is a folder")
            if target.exists() and not stat.S_ISREG(target.stat().st_mode):
                devices.append((target, content))
                continue
            # a short own name: the target's may already be as long as the file system allows
            beside = target.with_name(f".{secrets.token_hex(8)}.part")
            pending.append((beside, target))
            # not tempfile: its files are readable by nobody else, and a rename would keep that
            with beside.open("xb") as stream:
                stream.write(content)
        for path, content in devices:
            with Path(path).open("wb") as stream:
                stream.write(content)
        for beside, path in pending:
            beside.replace(path)
    except (OSError, ValueError) as error:
        raise AudioError(f"cannot write {path}: {_reason(error, Path(path))}") from error
    finally:
        # after success there is nothing left under these names
        for beside, _ in pending:
            with contextlib.suppress(OSError):  # what has failed has been told
                beside.unlink(missing_ok=True)


def make_folder(path: str | Path) -> None:
    """Make a folder and those above it, if missing.

    Raises
    ------
    AudioError
        If that is not possible.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AudioError(f"cannot make the folder {path}: {reason[:1].lower()}{reason[1:]}") from error


def _reason(error: OSError | ValueError, path: Path) -> str:
    if isinstance(error, FileNotFoundError):
        return f"the folder {path.parent} does not exist"
    reason = getattr(error, "strerror", None) or str(error)
    return reason[:1].lower() + reason[1:]
