"""Finding the input files: folders, globs, lists and standard input."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

from gnss_coop.batch.files import write_archive_file
from gnss_coop.batch.schema import LEDGER
from gnss_coop.errors import StudyError
from gnss_coop.formats.decompress import read_bytes

_PACKED: Final = r"(\.(gz|z|zip|bz2|xz))?"
#: Names that navigation files have; of a folder only such files are taken.
_NAV_NAME: Final = re.compile(
    rf"(.+_[A-Z0-9]*N\.rnx|(?!.*_[A-Z0-9]*[OMC]\.rnx).+\.rnx|.+\.\d\d[nglqcihpfb]|.+\.[a-z]?nav|.+\.[ngp]){_PACKED}",
    re.IGNORECASE | re.DOTALL,  # a name may hold a line's end
)
_LABEL: Final = b"RINEX VERSION / TYPE"
_MAGIC: Final = (b"\x1f\x8b", b"\x1f\x9d", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00")
_STDIN_FOLDER: Final = "stdin"
_SHOWN: Final = 3
#: Of a zip in a folder so many names are looked at.
_MOST_MEMBERS: Final = 1000


@dataclass(slots=True)
class Found:
    """The input files, and what folders hold besides.

    Attributes
    ----------
    paths : list of str
        Each once, in order.
    others : list of str
        Files of folders whose names are not those of navigation files; they are not read.
    """

    paths: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def tell_others(self) -> str:
        """Say how many files were passed over, and how to have them read."""
        shown = ", ".join(self.others[:_SHOWN]) + (", ..." if len(self.others) > _SHOWN else "")
        return (
            f"{len(self.others)} files in the folders are not called like navigation files and are not read: {shown}; "
            "name them, or give a glob, to have them read"
        )


def find_inputs(sources: Iterable[str], *, stdin: BinaryIO | None = None, spool: Path | None = None) -> Found:
    """Find the files that sources name.

    Parameters
    ----------
    sources : iterable of str
        Files, folders (searched to their ends; only names of navigation files count, within zips too), globs with
        ``**``, lists written ``@FILE`` with a source on each line, and ``-``: standard input, a list or one file.
    stdin : binary stream, optional
        What ``-`` stands for.
    spool : Path, optional
        Archive in which a file that comes by standard input is kept, under its hash, for workers to read.

    Returns
    -------
    Found

    Raises
    ------
    StudyError
        If sources do not exist, or globs find nothing; all of them are named.
    """
    found, faults = Found(), []
    for source in sources:
        try:
            _add(source, found, stdin, spool)
        except StudyError as error:
            faults.append(str(error))
    if faults:
        raise StudyError("\n".join(faults))
    found.paths = sorted(set(found.paths))
    found.others = sorted(set(found.others) - set(found.paths))
    return found


def _add(source: str, found: Found, stdin: BinaryIO | None, spool: Path | None) -> None:
    if source == "-":
        _add_stdin(found, stdin, spool)
    elif source.startswith("@"):
        _add_list(_list_in(source[1:]), found)
    elif Path(source).is_dir():
        for path in _files_in(source):
            (found.paths if _may_be_nav(path) else found.others).append(path)
    elif os.path.lexists(source):
        found.paths.append(str(Path(source).absolute()))
    elif glob.has_magic(source):
        matches = glob.glob(source, recursive=True)  # noqa: PTH207  # Path.glob refuses patterns from the root
        files = [str(path.absolute()) for path in map(Path, matches) if path.is_file()]
        if not files:
            raise StudyError(f"{source}: this pattern finds no file; check it")
        found.paths += files
    else:
        raise StudyError(f"{source}: there is no such file or folder; check the path")


def _may_be_nav(path: str) -> bool:
    """Tell by its name, or of a zip by the names within, whether a file of a folder is to be read."""
    name = Path(path).name
    if _NAV_NAME.fullmatch(name):
        return True
    if not name.lower().endswith(".zip"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(_NAV_NAME.fullmatch(Path(member).name) for member in archive.namelist()[:_MOST_MEMBERS])
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def _add_stdin(found: Found, stdin: BinaryIO | None, spool: Path | None) -> None:
    if stdin is None:
        raise StudyError("-: there is no standard input here; name files or folders")
    head = stdin.read(1 << 16)
    if _LABEL not in head[:4096] and not head.startswith(_MAGIC):
        _add_list(os.fsdecode(head + stdin.read()).splitlines(), found)
        return
    if spool is None:
        raise StudyError("-: a navigation file by standard input needs an archive that keeps it; name a file")
    _, data = read_bytes(cast("BinaryIO", _Rest(head, stdin)))
    target = spool / _STDIN_FOLDER / f"{hashlib.sha256(data).hexdigest()}.rnx"
    if not target.is_file():
        write_archive_file(target, lambda draft: _write_all(draft, data))
    found.paths.append(str(target.absolute()))


def _write_all(path: Path, data: bytes) -> None:
    path.write_bytes(data)


class _Rest:
    """A stream with its first bytes put back."""

    name = "<stdin>"

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int = -1, /) -> bytes:
        head, self._head = self._head, b""
        return head or self._stream.read(size)


def _list_in(path: str) -> list[str]:
    try:
        return os.fsdecode(Path(path).read_bytes()).splitlines()
    except OSError as error:
        raise StudyError(f"{path}: this list cannot be read ({error.strerror}); check the path") from None


def _add_list(lines: Iterable[str], found: Found) -> None:
    faults = []
    for line in lines:
        source = line.strip()
        if not source or source.startswith("#"):
            continue
        try:
            if source == "-" or source.startswith("@"):
                raise StudyError(f"{source}: a list holds files, folders and globs, no other lists")
            _add(source, found, None, None)
        except StudyError as error:
            faults.append(str(error))
    if faults:
        raise StudyError("\n".join(faults))


def _files_in(folder: str) -> Iterator[str]:
    """Yield the files of a folder and of those in it, but hidden ones and archives of results."""
    for place, folders, names in os.walk(Path(folder).absolute()):
        if LEDGER in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (str(Path(place, name)) for name in sorted(names) if not name.startswith("."))


def ledger_text(path: str) -> str:
    """Return a path as text that any database takes; bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
