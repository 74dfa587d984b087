"""Compact RINEX (Hatanaka) observation files, expanded by the program in the package `hatanaka`.

The package's own function collects whatever the program writes; here its output is read piece by piece, so that a
file made to expand without end is refused, and what was there before a cut can be used.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from importlib.resources import as_file, files
from threading import Thread
from typing import IO, Final

from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import MAX_BYTES, MAX_RATIO

_CHUNK_BYTES: Final = 1024**2
_MAX_MESSAGE_BYTES: Final = 10_000
_RATIO_FREE_BYTES: Final = 16 * 1024**2
_WARNED: Final = 2  # exit code of the program after a warning
_PROGRAM: Final = "crx2rnx.exe" if os.name == "nt" else "crx2rnx"


def is_compact(data: bytes) -> bool:
    """Tell whether a file is compact RINEX, by its first line."""
    return b"CRINEX VERS" in data[:200].partition(b"\n")[0].upper()


def expand(
    data: bytes, path: str, *, accept_truncated: bool = False, max_bytes: int = MAX_BYTES, max_ratio: float = MAX_RATIO
) -> bytes:
    """Expand compact RINEX of version 1 or 3.

    Parameters
    ----------
    data : bytes
        The file, unpacked.
    path : str
        Its name for messages.
    accept_truncated : bool
        Return what stands before the place where the file is cut or damaged.
    max_bytes : int
        Bound on the size of the result [byte].
    max_ratio : float
        Bound on the result over the size of `data`; it counts only beyond 16 MiB.

    Returns
    -------
    bytes
        The observation file.

    Raises
    ------
    RinexError
        If the file is cut or damaged, or would pass a bound.
    """
    limit = min(max_bytes, max(_RATIO_FREE_BYTES, int(max_ratio * len(data))))
    with as_file(files("hatanaka.bin") / _PROGRAM) as program:
        expanded, code, words = _run([str(program), "-"], data, limit)
    if len(expanded) > limit:
        raise RinexError(f"expands to more than {limit / 1e6:.0f} MB, which no observation file needs", path)
    if code not in (0, _WARNED) and not (accept_truncated and expanded):
        detail = " ".join(words.decode("latin-1").split()).partition("start>")[0].removeprefix("ERROR").strip(" :")
        raise RinexError(
            f"the compact RINEX is cut or damaged ({detail}); fetch the file again, or take what is there with "
            "accept_truncated (--accept-truncated)",
            path,
        )
    return expanded


def _run(command: list[str], data: bytes, limit: int) -> tuple[bytes, int, bytes]:
    """Return what a program made of `data`, up to somewhat more than `limit`, its exit code and its words."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = bytearray()
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        feeders = [
            Thread(target=_feed, args=(process.stdin, data), daemon=True),
            Thread(target=_drain, args=(process.stderr, words), daemon=True),
        ]
        for feeder in feeders:
            feeder.start()
        pieces, size = [], 0
        while piece := process.stdout.read(_CHUNK_BYTES):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                process.kill()
                break
        for feeder in feeders:
            feeder.join()
    return b"".join(pieces), process.returncode, bytes(words)


def _feed(stream: IO[bytes], data: bytes) -> None:
    with suppress(OSError):  # the program has stopped before the end
        stream.write(data)
    with suppress(OSError):
        stream.close()


def _drain(stream: IO[bytes], words: bytearray) -> None:
    while piece := stream.read(_MAX_MESSAGE_BYTES):
        words += piece[: max(0, _MAX_MESSAGE_BYTES - len(words))]
