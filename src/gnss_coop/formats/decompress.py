"""Bytes of a file, whatever it is packed in, with a bound on what unpacking may cost.

Archives of RINEX files hold ``.Z``, ``.gz``, ``.zip``, ``.tar``, ``.bz2`` and ``.xz`` side by side, often under
names that say something else. The kind is therefore told by the first bytes. Nothing is written to disk and the
names of members are never used as paths.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Protocol

import ncompress

from gnss_coop.errors import RinexError

#: Default bound on the unpacked size [byte].
MAX_BYTES: Final = 2 * 1024**3
#: Default bound on unpacked size over packed size [-].
MAX_RATIO: Final = 200

_RATIO_FREE_BYTES: Final = 16 * 1024**2  # small files are harmless, and may well be all blanks
_CHUNK_BYTES: Final = 1024**2
_MAX_LAYERS: Final = 2
_ZIP_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

_OPEN_FAULTS: Final[dict[type[OSError], str]] = {
    FileNotFoundError: "there is no such file; check the path",
    IsADirectoryError: "this is a folder; name a file in it",
    PermissionError: "reading it is not permitted; check its access rights",
}


class _Sink(io.BytesIO):
    """Collects unpacked bytes and refuses those that would pass the bound."""

    def __init__(self, path: str, packed_bytes: int, max_bytes: int, max_ratio: float) -> None:
        super().__init__()
        self.path = path
        self._max_bytes = max_bytes
        self._max_ratio = max_ratio
        self._max_bytes_by_ratio = max(_RATIO_FREE_BYTES, int(max_ratio * packed_bytes))

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        size = self.tell() + len(data)
        if size > self._max_bytes:
            raise _too_big(self.path, self._max_bytes)
        if size > self._max_bytes_by_ratio:
            raise RinexError(
                f"unpacks to more than {self._max_ratio:g} times its size, as a decompression bomb does; "
                "if you trust the file, unpack it first",
                self.path,
            )
        return super().write(data)


_Unpacker = Callable[[bytes, _Sink], None]


def read_bytes(
    source: str | os.PathLike[str] | BinaryIO, *, max_bytes: int = MAX_BYTES, max_ratio: float = MAX_RATIO
) -> tuple[str, bytes]:
    """Read a file and unpack it.

    Knows gzip (of several members too), compress (``.Z``), zip and tar with one file in them, bzip2 and xz, told
    by their first bytes. A packed file within a packed file is unpacked as well, but no deeper; a tar archive
    between or within them does not count.

    Parameters
    ----------
    source : str, path or binary file-like
        File to read, or an open binary stream such as ``sys.stdin.buffer``.
    max_bytes : int
        Bound on the size, packed and unpacked [byte].
    max_ratio : float
        Bound on unpacked over packed size; it counts only beyond 16 MiB of output.

    Returns
    -------
    name : str
        What to call the source in messages: its path, or the name of the stream.
    data : bytes
        Unpacked content, never empty. A ``.Z`` file that was cut gives the part that is left, since the
        format holds neither length nor checksum.

    Raises
    ------
    RinexError
        If the source cannot be read, is empty, damaged or cut, would pass a bound, or is a zip or tar archive
        that holds anything but one readable file.

    Notes
    -----
    gzip is RFC 1952, tar POSIX.1-1988 and its forerunners; the first bytes are those of the ``magic`` database.

    Examples
    --------
    >>> import gzip, io
    >>> read_bytes(io.BytesIO(gzip.compress(b"     3.04           N")))
    ('<stream>', b'     3.04           N')
    """
    name = _name_of(source)
    try:
        data = _read_all(source, name, max_bytes)
        packed_bytes = len(data)
        n_layers, of_tar = 0, False
        while (unpack := _unpacker(data)) is not None and n_layers < _MAX_LAYERS:
            if unpack is _unpack_tar and of_tar:
                raise RinexError("is a tar archive within a tar archive; unpack it first", name)
            of_tar |= unpack is _unpack_tar
            n_layers += unpack is not _unpack_tar
            data = _unpack_checked(unpack, data, _Sink(name, packed_bytes, max_bytes, max_ratio))
    except MemoryError:
        raise RinexError("does not fit into the memory; free some, or split the file", name) from None
    if _unpacker(data) is not None:
        raise RinexError(f"is packed more than {_MAX_LAYERS} times; unpack it first", name)
    if not data:
        raise RinexError("is empty; fetch or write it again", name)
    return name, data


def _name_of(source: str | os.PathLike[str] | BinaryIO) -> str:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    name = getattr(source, "name", None)  # a number for streams made from a file descriptor
    return name if isinstance(name, str) and name else "<stream>"


def _too_big(path: str, max_bytes: int) -> RinexError:
    return RinexError(f"holds more than {max_bytes} bytes; split it", path)


def _read_all(source: str | os.PathLike[str] | BinaryIO, name: str, max_bytes: int) -> bytes:
    try:
        if isinstance(source, (str, os.PathLike)):
            with Path(source).open("rb") as stream:
                return _read_stream(stream, name, max_bytes)
        return _read_stream(source, name, max_bytes)
    except OSError as error:
        fault = _OPEN_FAULTS.get(type(error), f"cannot be read ({error.strerror or error}); check the path")
        raise RinexError(fault, name) from error
    except ValueError as error:  # a zero byte in the path, or a stream that was closed
        raise RinexError(f"cannot be read ({error}); check the path or stream", name) from error


def _read_stream(stream: BinaryIO, name: str, max_bytes: int) -> bytes:
    # In chunks, because read(n) sets n bytes aside at once, and pipes and devices do not tell their size.
    buffer = io.BytesIO()
    while chunk := stream.read(_CHUNK_BYTES):
        if not isinstance(chunk, (bytes, bytearray)):
            raise RinexError("is a text stream; open it in binary mode ('rb')", name)
        if buffer.tell() + len(chunk) > max_bytes:
            raise _too_big(name, max_bytes)
        buffer.write(chunk)
    return buffer.getvalue()


def _unpack_checked(unpack: _Unpacker, data: bytes, sink: _Sink) -> bytes:
    try:
        unpack(data, sink)
    except (RinexError, MemoryError):
        raise
    except EOFError as error:
        raise RinexError("is truncated: its packed data stop early; fetch it again", sink.path) from error
    except Exception as error:  # of damaged bytes the decoders raise nearly anything, from zlib.error to IndexError
        raise RinexError(f"is damaged and cannot be unpacked ({error}); fetch it again", sink.path) from error
    return sink.getvalue()


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _copy(stream: _Readable, sink: _Sink) -> None:
    while chunk := stream.read(_CHUNK_BYTES):
        sink.write(chunk)


def _unpack_stream(open_stream: Callable[[BinaryIO], _Readable], data: bytes, sink: _Sink) -> None:
    _copy(open_stream(io.BytesIO(data)), sink)


def _unpack_compress(data: bytes, sink: _Sink) -> None:
    ncompress.decompress(data, sink)  # hands over a KiB at a time, and stops when the sink raises


def _unpack_zip(data: bytes, sink: _Sink) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        # macOS adds a shadow entry to each file
        members = [m for m in archive.infolist() if not (m.is_dir() or m.filename.startswith("__MACOSX/"))]
        _expect_one("zip", [m.filename for m in members], sink.path)
        if members[0].flag_bits & 1:
            raise RinexError("this zip is encrypted; unpack it first", sink.path)
        if members[0].compress_type not in _ZIP_METHODS:
            raise RinexError("this zip uses a rare packing method; unpack it first", sink.path)
        with archive.open(members[0]) as stream:
            _copy(stream, sink)


def _unpack_tar(data: bytes, sink: _Sink) -> None:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        # macOS adds a shadow entry to each file
        members = [m for m in archive if m.isfile() and not m.name.rpartition("/")[2].startswith("._")]
        _expect_one("tar archive", [m.name for m in members], sink.path)
        stream = archive.extractfile(members[0])
        if stream is not None:
            _copy(stream, sink)


def _expect_one(kind: str, names: Sequence[str], path: str) -> None:
    if len(names) != 1:
        listed = ", ".join(map(repr, names[:5])) + (", ..." if len(names) > 5 else "")
        raise RinexError(
            f"this {kind} holds {len(names)} files{': ' if names else ''}{listed}; "
            "unpack it and name the file you want",
            path,
        )


def _is_tar(data: bytes) -> bool:
    """Tell a tar archive by the checksum of its first block, which holds in all of its dialects."""
    if data[257:262] == b"ustar":
        return True
    if len(data) < tarfile.BLOCKSIZE or b"\0" not in data[:100]:
        return False
    try:
        tarfile.TarInfo.frombuf(data[: tarfile.BLOCKSIZE], "latin-1", "replace")
    except tarfile.HeaderError:
        return False
    return True


_UNPACKERS: Final[tuple[tuple[bytes, _Unpacker], ...]] = (
    (b"\x1f\x8b", partial(_unpack_stream, lambda packed: gzip.GzipFile(fileobj=packed))),
    (b"\x1f\x9d", _unpack_compress),
    (b"PK\x03\x04", _unpack_zip),
    (b"PK\x05\x06", _unpack_zip),  # a zip without members
    (b"BZh", partial(_unpack_stream, bz2.BZ2File)),
    (b"\xfd7zXZ\x00", partial(_unpack_stream, lzma.LZMAFile)),
)


def _unpacker(data: bytes) -> _Unpacker | None:
    unpack = next((unpack for magic, unpack in _UNPACKERS if data.startswith(magic)), None)
    return _unpack_tar if unpack is None and _is_tar(data) else unpack
