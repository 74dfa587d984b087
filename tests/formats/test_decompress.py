"""read_bytes: every packing gives the same bytes, and bad input only ever raises RinexError."""

import bz2
import contextlib
import gzip
import io
import lzma
import os
import struct
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import ncompress
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes

TEXT = b"".join(b"G%02d 2024 01 10 00 00 00 0.123456789012D-04\n" % n for n in range(1, 33))
MIB = 1024**2


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], kind: int = tarfile.GNU_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def old_tar(name: str, content: bytes) -> bytes:
    """Return an archive as it was before POSIX: without the word ustar; the checksum is the sum of all bytes."""
    data = bytearray(tarred({name: content}))
    data[257:512] = bytes(255)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def encrypted_zip() -> bytes:
    """Set the encryption flag of a plain zip in both of its headers (APPNOTE 4.4.4, bit 0)."""
    data = bytearray(zipped({"a.rnx": TEXT}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(signature) + offset, 1)
    return bytes(data)


PACKED = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT),
    "gzip of two members": gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:]),
    "compress": ncompress.compress(TEXT),
    "bzip2": bz2.compress(TEXT),
    "bzip2 of two streams": bz2.compress(TEXT[:100]) + bz2.compress(TEXT[100:]),
    "xz": lzma.compress(TEXT),
    "xz of two streams": lzma.compress(TEXT[:100]) + lzma.compress(TEXT[100:]),
    "zip": zipped({"a.rnx": TEXT}),
    "zip, stored": zipped({"a.rnx": TEXT}, zipfile.ZIP_STORED),
    "zip with a folder and a macOS shadow": zipped({"d/": b"", "d/a.rnx": TEXT, "__MACOSX/d/._a.rnx": b"x"}),
    "gzip in zip": zipped({"a.rnx.gz": gzip.compress(TEXT)}),
    "tar": tarred({"a.rnx": TEXT}),
    "tar of POSIX 2001": tarred({"a.rnx": TEXT}, tarfile.PAX_FORMAT),
    "tar from before POSIX": old_tar("a.rnx", TEXT),
    "tar with a folder and a macOS shadow": tarred({"d/": b"", "d/._a.rnx": b"x", "d/a.rnx": TEXT}),
    "tar in gzip": gzip.compress(tarred({"a.rnx": TEXT})),
    "compress in tar in gzip": gzip.compress(tarred({"a.rnx.Z": ncompress.compress(TEXT)})),
    "compress in zip": zipped({"a.rnx.Z": ncompress.compress(TEXT)}),
}


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED)
def test_every_packing_gives_the_same_bytes_from_file_and_stream(packed: bytes, tmp_path: Path):
    path = tmp_path / "brdc0100.24n"  # the name says nothing about the packing
    path.write_bytes(packed)
    assert read_bytes(path) == (str(path), TEXT)
    assert read_bytes(str(path)) == (str(path), TEXT)
    assert read_bytes(io.BytesIO(packed)) == ("<stream>", TEXT)
    with path.open("rb") as stream:
        assert read_bytes(stream) == (str(path), TEXT)


def test_a_pipe_without_name_is_called_stream():
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(PACKED["gzip"])
    with os.fdopen(reading, "rb") as stream:
        assert read_bytes(stream) == ("<stream>", TEXT)


BAD = {
    "empty": (b"", "is empty"),
    "packed emptiness": (gzip.compress(b""), "is empty"),
    "gzip, cut": (PACKED["gzip"][:-20], "truncated"),
    "gzip, cut in the second member": (PACKED["gzip of two members"][:-12], "truncated"),
    "gzip, only the magic": (b"\x1f\x8b", "truncated"),
    "gzip, wrong checksum": (PACKED["gzip"][:-8] + bytes(4) + PACKED["gzip"][-4:], "damaged"),
    "bzip2, cut": (PACKED["bzip2"][:-5], "truncated"),
    "xz, cut": (PACKED["xz"][:-30], "truncated"),
    "zip, cut": (PACKED["zip"][:-30], "damaged"),
    "compress, bad code": (b"\x1f\x9d\x90\xff\xff\xff\xff", "damaged"),
    "zip without files": (zipped({}), "holds 0 files"),
    "zip of several": (zipped({"a.24n": TEXT, "b.24g": TEXT}), "'a.24n', 'b.24g'.*unpack"),
    "zip, encrypted": (encrypted_zip(), "encrypted"),
    "zip, rare method": (zipped({"a": TEXT}, zipfile.ZIP_LZMA), "rare packing method"),
    "tar without files": (gzip.compress(tarred({"d/": b""})), "tar archive holds 0 files"),
    "tar of several": (gzip.compress(tarred({"a.24n": TEXT, "b.24g": TEXT})), "2 files: 'a.24n', 'b.24g'; unpack"),
    "tar, cut": (tarred({"a.rnx": TEXT * 9})[:4000], "damaged|truncated"),
    "tar in tar": (tarred({"a.tar": tarred({"a.rnx": TEXT})}), "tar archive within a tar archive"),
    "three layers": (gzip.compress(gzip.compress(gzip.compress(TEXT))), "more than 2 times"),
}


@pytest.mark.parametrize(("packed", "says"), BAD.values(), ids=BAD)
def test_bad_content_is_named(packed: bytes, says: str):
    with pytest.raises(RinexError, match=says):
        read_bytes(io.BytesIO(packed))


def test_unreadable_sources_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(RinexError, match="no such file") as caught:
        read_bytes(tmp_path / "missing.rnx")
    assert caught.value.path == str(tmp_path / "missing.rnx")
    with pytest.raises(RinexError, match="folder"):
        read_bytes(tmp_path)
    with pytest.raises(RinexError, match="cannot be read"):
        read_bytes("nul\0byte")
    with pytest.raises(RinexError, match="text stream"):
        read_bytes(io.StringIO("text"))  # type: ignore[arg-type]

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # access rights do not hold for root
    with pytest.raises(RinexError, match="not permitted"):
        read_bytes("secret.rnx")


def test_no_memory_is_an_error_like_the_others():
    class Exhausting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise MemoryError

    with pytest.raises(RinexError, match="does not fit into the memory"):
        read_bytes(Exhausting())


BOMBS = {
    "gzip": gzip.compress(bytes(64 * MIB), 1),
    "compress": ncompress.compress(bytes(64 * MIB)),
    "bzip2": bz2.compress(bytes(64 * MIB), 1),
    "xz": lzma.compress(bytes(64 * MIB), preset=0),
    "zip": zipped({"a": bytes(64 * MIB)}),
    "gzip in gzip": gzip.compress(gzip.compress(bytes(64 * MIB), 1), 1),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_bombs_are_stopped_before_they_fill_the_memory(bomb: bytes):
    tracemalloc.start()
    try:
        with pytest.raises(RinexError, match="times its size"):
            read_bytes(io.BytesIO(bomb), max_ratio=50)
        with pytest.raises(RinexError, match=f"more than {2 * MIB} bytes"):
            read_bytes(io.BytesIO(bomb), max_bytes=2 * MIB)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The free 16 MiB, up to as much again while the buffer grows, and a few chunks; the bombs hold 64.
    assert peak < 40 * MIB


def test_the_bounds_are_exact_and_small_files_may_have_any_ratio():
    blanks = b" " * (16 * MIB)
    assert len(read_bytes(io.BytesIO(gzip.compress(blanks)), max_ratio=2)[1]) == 16 * MIB
    assert read_bytes(io.BytesIO(TEXT), max_bytes=len(TEXT))[1] == TEXT
    for packed in (TEXT, gzip.compress(TEXT)):
        with pytest.raises(RinexError, match="bytes"):
            read_bytes(io.BytesIO(packed), max_bytes=len(TEXT) - 1)


def test_a_cut_compress_file_gives_what_is_left():
    _, data = read_bytes(io.BytesIO(PACKED["compress"][: len(PACKED["compress"]) // 2]))
    assert TEXT.startswith(data)
    assert 0 < len(data) < len(TEXT)


@given(
    packed=st.sampled_from(list(PACKED.values())),
    changes=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), max_size=6),
    end=st.integers(0, 2000),
)
def test_damage_never_raises_anything_else(packed: bytes, changes: list[tuple[int, int]], end: int):
    damaged = bytearray(packed)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    only_rinex_errors(bytes(damaged[: end or None]))


@given(
    magic=st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x9d", b"PK\x03\x04", b"BZh9", b"\xfd7zXZ\0", PACKED["tar"][:512]]),
    rest=st.binary(),
)
def test_random_bytes_never_raise_anything_else(magic: bytes, rest: bytes):
    only_rinex_errors(magic + rest)


def only_rinex_errors(data: bytes) -> None:
    with contextlib.suppress(RinexError):
        assert read_bytes(io.BytesIO(data))[1]


DATA = os.environ.get("GNSS_COOP_TESTDATA")


@pytest.mark.skipif(not DATA, reason="GNSS_COOP_TESTDATA is not set")
def test_real_archives_agree_with_their_plain_twin():
    folder = Path(DATA or "") / "registry/hatanaka-2.8.1"
    assert read_bytes(folder / "sample.rnx.Z")[1].replace(b"\r\n", b"\n") == (folder / "sample.rnx").read_bytes()
    plain = (folder / "sample.crx").read_bytes()
    for ending in ("Z", "gz", "bz2"):
        assert read_bytes(folder / f"sample.crx.{ending}")[1] == plain
