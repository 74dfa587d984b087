"""Files and folders that appear under their name only when they are complete."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from gnss_coop.errors import GnssCoopError, OutputError


def draft_beside(target: Path) -> Path:
    """Return a hidden name in the same folder that nobody else has.

    Random, not a process number: containers that share a folder have the same ones, and a draft that a killed program
    left behind must not be in anybody's way.
    """
    return target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")


def write_whole_file(path: Path, write: Callable[[Path], Any], *, overwrite: bool = True) -> None:
    """Let `write` fill a draft beside a file, bring it to the disk, then give it the file's name.

    Parameters
    ----------
    path : Path
        Of a link, what it leads to is replaced. A device or pipe, whose place no file may take, is written to.
    write : callable
        Called with the path to write to.
    overwrite : bool
        Whether a file of that name may be replaced; it may also have appeared meanwhile.

    Raises
    ------
    FileExistsError
        If it may not.
    OSError
        If something cannot be written. No draft is left.
    """
    if path.exists() and not path.is_file():
        write(path)
        return
    target = path.resolve()
    draft = draft_beside(target)
    try:
        write(draft)
        to_disk(draft)
        if overwrite:
            draft.replace(target)
        else:
            _take_free_name(draft, target)
    finally:
        with suppress(OSError):
            draft.unlink()
    if os.name == "posix":  # elsewhere folders cannot be opened
        with suppress(OSError):  # some file systems know no fsync of a folder
            to_disk(target.parent)


def _take_free_name(draft: Path, target: Path) -> None:
    """Give a draft a name that is free, in one step where the file system has links."""
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        if target.exists():
            raise FileExistsError(str(target)) from None
        draft.replace(target)


def to_disk(path: Path) -> None:
    """Wait until a file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(output: str | Path, write: Callable[[Path], Any], *, overwrite: bool = True) -> None:
    """Write a file as `write_whole_file` does, with errors for people.

    Raises
    ------
    OutputError
        If the file exists, before or meanwhile, and must not be replaced.
    GnssCoopError
        If it cannot be written.
    """
    taken = f"{str(output)!r} exists already; choose another name or allow overwriting"
    if not overwrite and Path(output).exists():
        raise OutputError(taken)
    try:
        write_whole_file(Path(output), write, overwrite=overwrite)
    except FileExistsError:
        raise OutputError(taken) from None
    except OSError as error:
        raise GnssCoopError(f"cannot write {str(output)!r}: {error.strerror}") from None
