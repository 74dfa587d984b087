"""Files of an archive: whole ones only, and what to do when the disk refuses."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from gnss_coop.errors import ArchiveError
from gnss_coop.output.whole_file import write_whole_file


def write_archive_file(target: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file of an archive, in a folder that is made where it is missing.

    Raises
    ------
    ArchiveError
        With what to do.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole_file(target, write)
    except OSError as error:
        raise ArchiveError(_cannot_write(target, error)) from None


def _cannot_write(target: Path, error: OSError) -> str:
    hint = {
        errno.ENOSPC: "free some space and run the same command again: it resumes where it stopped",
        errno.EDQUOT: "free some space and run the same command again: it resumes where it stopped",
        errno.EACCES: "ask for the right to write there, or name another folder",
        errno.EROFS: "name a folder on a disk that can be written to",
    }.get(error.errno or 0, "check the disk and run the same command again")
    return f"cannot write {target}: {error.strerror or error}; {hint}"
