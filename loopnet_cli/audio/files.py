"""Writing files whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from loopnet_cli.errors import AudioError


def write_whole(path: str | Path, content: bytes) -> None:
    """Write `content` to `path` so that a failure leaves what was there before.

    The bytes go to a hidden neighbour first, which then takes the name. A
    link is followed; a device or a pipe is written to directly.

    Raises
    ------
    AudioError
        If the folder is missing or the file cannot be written (no permission, disk full).
    """
    target = Path(path)
    try:
        target = Path(os.path.realpath(target))
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            if target.is_dir():
                raise IsADirectoryError(21, "it is a folder")
            with target.open("wb") as stream:
                stream.write(content)
            return
        # a short own name: the target's may already be as long as the file system allows
        beside = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            # not tempfile: its files are readable by nobody else, and a rename would keep that
            with beside.open("xb") as stream:
                stream.write(content)
            beside.replace(target)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, FileNotFoundError):
            reason = f"the folder {target.parent} does not exist"
        raise AudioError(f"cannot write {path}: {reason[:1].lower()}{reason[1:]}") from error
