"""Damage navigation files in thousands of ways and check that nothing is lost in silence.

Run as ``NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(mktemp -d) python benchmarks/fuzz_nav.py 12000``. Each mutant is made
from its number alone, so that one that fails can be made again: ``python benchmarks/fuzz_nav.py 1 --first NUMBER``.
"""

from __future__ import annotations

import argparse
import gzip
import io
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

import gnss_coop as gc
from gnss_coop.errors import GnssCoopError, GnssCoopWarning, RinexError
from gnss_coop.formats.rinex.nav_repair import repair_nav

SAMPLES = Path(__file__).resolve().parents[1] / "sample_rinex"
#: File, first letters of the records that are taken (blank: any), and lines of each.
SOURCES = (
    ("BRDC00IGS_R_20240100000_01D_MN.rnx.gz", "GRECJIS", 48),
    ("brdc0100.24g.gz", " ", 120),
    ("brdc0100.24n.gz", " ", 96),
    ("KMS300DNK_R_20221591000_01H_MN.rnx", "GREC", 45),
    ("Example_Beidou_Rinex400.n", "", 0),
    ("Example_Glonass_Rinex400.n", "", 0),
)
Edit = Callable[[np.random.Generator, bytes], bytes]


@lru_cache
def originals() -> tuple[bytes, ...]:
    """Return small files of all versions and systems, each with several records of some satellites."""
    return tuple(_part(*source) for source in SOURCES)


def _part(name: str, letters: str, n_lines: int) -> bytes:
    data = (SAMPLES / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("latin-1")
    if not n_lines:
        return text.encode("latin-1")
    lines = text.splitlines(keepends=True)
    body = next(i for i, line in enumerate(lines) if "END OF HEADER" in line) + 1
    kept = [line for line in lines[:body] if "COMMENT" not in line]
    for letter in letters:
        start = next(i for i in range(body, len(lines)) if lines[i].startswith((letter, f"> EPH {letter}")))
        kept += lines[start : start + n_lines]
    return "".join(kept).encode("latin-1")


def _body(data: bytes) -> int:
    return data.find(b"END OF HEADER") + 21


def _at(rng: np.random.Generator, data: bytes) -> int:
    return int(rng.integers(min(_body(data), len(data) - 1), len(data)))


def flip(rng: np.random.Generator, data: bytes) -> bytes:
    """Replace a byte."""
    at = _at(rng, data)
    return data[:at] + bytes([rng.integers(256)]) + data[at + 1 :]


def digit(rng: np.random.Generator, data: bytes) -> bytes:
    """Replace a byte by one that numbers and frames consist of."""
    at = _at(rng, data)
    return data[:at] + b"0123456789+-.ED> \n"[(k := int(rng.integers(18))) : k + 1] + data[at + 1 :]


def hole(rng: np.random.Generator, data: bytes) -> bytes:
    """Fill some bytes, up to a page, with zeros."""
    at, n = _at(rng, data), int(rng.choice([8, 19, 80, 81, 500, 4096]))
    return data[:at] + bytes(min(n, len(data) - at)) + data[at + n :]


def word(rng: np.random.Generator, data: bytes) -> bytes:
    """Put a word into a field of 19 columns."""
    lines = data.split(b"\n")
    i = int(rng.integers(len(lines)))
    at = int(rng.choice([3, 4, 22, 23, 41, 42, 60, 61]))
    words = [b"********", b"nan", b"0.499063314480-269", b"1.0E+400", b"-0.0", b"\xff\x9b31m", b"1_0", b"9" * 19]
    lines[i] = lines[i][:at].ljust(at) + words[int(rng.integers(len(words)))].rjust(19) + lines[i][at + 19 :]
    return b"\n".join(lines)


def tags(rng: np.random.Generator, data: bytes) -> bytes:
    """Move the seconds of all epochs."""
    second = b"%02d" % int(rng.choice([1, 3, 17, 18, 30, 59]))
    return data.replace(b" 00 ", b" " + second + b" ").replace(b" 0.0", second + b".0")


def insert(rng: np.random.Generator, data: bytes) -> bytes:
    """Put some bytes in."""
    at = _at(rng, data)
    return data[:at] + rng.bytes(int(rng.integers(1, 40))) + data[at:]


def delete(rng: np.random.Generator, data: bytes) -> bytes:
    """Take some bytes out."""
    at = _at(rng, data)
    return data[:at] + data[at + int(rng.choice([1, 2, 19, 80, 81, 400])) :]


def cut(rng: np.random.Generator, data: bytes) -> bytes:
    """Cut the end off."""
    return data[: _at(rng, data)]


def move_line(rng: np.random.Generator, data: bytes) -> bytes:
    """Take a line out and put it elsewhere, or copy it."""
    lines = data.split(b"\n")
    i, j = (int(k) for k in rng.integers(len(lines), size=2))
    line = lines[i] if rng.integers(2) else lines.pop(i)
    lines.insert(j, line)
    return b"\n".join(lines)


def join(rng: np.random.Generator, data: bytes) -> bytes:
    """Join another file on."""
    return data + originals()[int(rng.integers(len(originals())))]


def before(rng: np.random.Generator, data: bytes) -> bytes:
    """Put blank lines and a comment before the first label."""
    return b"\r\n" * int(rng.integers(4)) + b"by hand".ljust(60) + b"COMMENT\n" + data


def ends(rng: np.random.Generator, data: bytes) -> bytes:
    """End lines as other systems do, or the file with padding."""
    return data.replace(b"\n", b"\r\n") if rng.integers(2) else data + bytes(int(rng.integers(1, 9)))


#: Edits after which whatever is lost must be told; after the others bytes are gone that nobody can know of.
TOLD: tuple[Edit, ...] = (flip, digit, hole, word, before, ends, join)
EDITS: tuple[Edit, ...] = (*TOLD, tags, insert, delete, cut, move_line)


def mutant(number: int) -> tuple[bytes, bytes, tuple[Edit, ...]]:
    """Return an original, what becomes of it, and the edits; of even numbers one edit, of odd ones up to five."""
    rng = np.random.default_rng(number)
    data = original = originals()[int(rng.integers(len(originals())))]
    edits = tuple(EDITS[int(rng.integers(len(EDITS)))] for _ in range(1 if number % 2 == 0 else rng.integers(2, 6)))
    for edit in edits:
        data = edit(rng, data) or b"\n"
    return original, data, edits


def _records(nav: gc.Ephemerides) -> set[tuple[str, int, bytes]]:
    return {
        (sv, int(toe_ns), elements.tobytes())
        for sv, toe_ns, elements in zip(nav.table.names(), nav.derived.toe_ns, nav.derived.elements, strict=True)
    }


@lru_cache
def _truth(data: bytes) -> tuple[set[tuple[str, int, bytes]], int]:
    nav = gc.read_nav(io.BytesIO(data))
    return _records(nav), len(nav.rejects) + nav.n_duplicates


def check(number: int) -> str:
    """Read a mutant and return what became of it; raise AssertionError where something is lost or wrong."""
    original, data, edits = mutant(number)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", GnssCoopWarning)
        truth, n_told_before = _truth(original)
        try:
            nav = gc.read_nav(io.BytesIO(data), accept_truncated=True)
        except GnssCoopError:
            return "refused"
        _check_entries(nav, data)
        if len(edits) == 1 and edits[0] in TOLD:
            found = _records(nav)
            n_told = len(nav.rejects) + nav.n_duplicates - n_told_before
            gone = len(truth - found) - len(found - truth)
            missing = any("bytes are missing" in r.reason for r in nav.rejects)
            assert gone <= max(0, n_told) or (missing and edits[0] is hole), f"{gone} records lost, {n_told} told"
        _check_repair(nav, data)
    return "read"


def _check_entries(nav: gc.Ephemerides, data: bytes) -> None:
    assert np.isfinite(nav.derived.elements).all(), "an element is not finite"
    assert len(nav.to_dataframe()) == len(nav)
    last_line = data.count(b"\n") + 1
    assert all(r.reason and 1 <= r.line <= last_line for r in (*nav.rejects, *nav.repairs)), "an entry without its line"
    assert all(1 <= f.line <= last_line for f in nav.frames), "a frame without its line"


def _check_repair(nav: gc.Ephemerides, data: bytes) -> None:
    try:
        done = repair_nav(io.BytesIO(data), accept_truncated=True)
    except RinexError:  # of joined files that cannot be one
        return
    again = gc.read_nav(io.BytesIO(done.data))
    assert not again.rejects, "a repaired file has rejects"
    assert not again.repairs, "a repaired file has repairs"
    assert done.n_lost or _records(again) == _records(nav), "a repaired file holds other records"


def main() -> int:
    """Check as many mutants as asked for, and say which fail."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    outcomes: Counter[str] = Counter()
    start = time.monotonic()
    for number in range(asked.first, asked.first + asked.count):
        try:
            outcomes[check(number)] += 1
        except Exception as error:  # whatever it is, the next mutants are to be tried too
            outcomes["failed"] += 1
            names = ", ".join(edit.__name__ for edit in mutant(number)[2])
            print(f"mutant {number} ({names}): {type(error).__name__}: {error}", file=sys.stderr)
    told = ", ".join(f"{n} {what}" for what, n in outcomes.items())
    print(f"{asked.count} mutants in {time.monotonic() - start:.0f} s: {told}")
    return 1 if outcomes["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
