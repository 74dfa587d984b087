"""One run at a time writes an archive."""

from __future__ import annotations

import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from gnss_coop.errors import ArchiveError

LOCK: Final = "run.lock"
_MOMENT_S: Final = 0.1


class RunLock:
    """A lock of the operating system on a file that tells who holds it; it ends with the process, however that ends.

    Parameters
    ----------
    root : Path
        The archive; the folder exists.

    Raises
    ------
    ArchiveError
        On entering, if another run holds it, or the folder cannot be written to.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / LOCK
        self._stream: IO[str] | None = None

    def __enter__(self) -> RunLock:
        try:
            stream = self._path.open("a+", encoding="utf-8")
        except OSError as error:
            raise ArchiveError(f"cannot write {self._path}: {error.strerror}") from None
        if not _try_lock(stream) and not _try_later(stream):
            stream.close()
            raise ArchiveError(
                f"{self._path.parent} is in use by {owner_text(self._path.parent)}: wait for it to end, or stop it"
            )
        stream.truncate(0)
        json.dump({"host": socket.gethostname(), "pid": os.getpid(), "since_utc": now_utc()}, stream)
        stream.flush()
        self._stream = stream
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._stream is not None:
            self._stream.truncate(0)
            self._stream.close()


def is_locked(root: Path) -> bool:
    """Tell whether a run is at work on the archive."""
    try:
        with (root / LOCK).open("r+", encoding="utf-8") as stream:
            return not _try_lock(stream)
    except OSError:
        return False


def owner(root: Path) -> dict[str, Any]:
    """Return who holds the lock, or held it when killed: host, pid, since_utc; empty where nobody does."""
    try:
        found = json.loads((root / LOCK).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def owner_text(root: Path) -> str:
    """Return the owner in words."""
    found = owner(root)
    if not found:
        return "another run"
    return f"process {found.get('pid')} on {found.get('host')} since {found.get('since_utc')}"


def now_utc() -> str:
    """Return the time of day as the ledger writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _try_later(stream: IO[str]) -> bool:
    """Try once more: one who asks for the status holds the lock for a moment."""
    time.sleep(_MOMENT_S)
    return _try_lock(stream)


def _try_lock(stream: IO[str]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            stream.seek(1 << 30)  # far behind what is written, or nobody else could read it
            msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]  # Windows only
        else:
            import fcntl

            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
