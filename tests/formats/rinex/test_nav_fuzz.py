"""read_nav on damaged files: a result or one clear error, never anything else."""

import gzip
import io
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnss_coop.errors import GnssCoopError, GnssCoopWarning
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.model import timescales
from gnss_coop.orbits.broadcast import satellite_positions

SAMPLES = Path(__file__).parents[3] / "sample_rinex"
# A longer hunt: GNSS_COOP_FUZZ_EXAMPLES=5000 NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(mktemp -d) pytest ...
N_EXAMPLES = int(os.environ.get("GNSS_COOP_FUZZ_EXAMPLES", "150"))

FUZZ = settings(
    max_examples=N_EXAMPLES, deadline=20_000, derandomize=N_EXAMPLES <= 1000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


def _first_records(name: str, systems: str, lines_each: int = 16) -> bytes:
    """Return the header of a file and the first lines of each system's records."""
    data = (SAMPLES / name).read_bytes()
    text = gzip.decompress(data) if name.endswith(".gz") else data
    lines = text.decode("latin-1").splitlines(keepends=True)
    body = next(i for i, line in enumerate(lines) if "END OF HEADER" in line) + 1
    kept = [line for line in lines[:body] if "COMMENT" not in line]
    for letter in systems:
        marks = (letter, f"> EPH {letter}", f"> STO {letter}", f"> ION {letter}")
        start = next(i for i in range(body, len(lines)) if lines[i].startswith(marks))
        kept += lines[start : start + lines_each]
    return "".join(kept).encode("latin-1")


FILES = [
    (SAMPLES / "Example_Glonass_Rinex400.n").read_bytes(),
    (SAMPLES / "Example_Beidou_Rinex400.n").read_bytes(),
    _first_records("KMS300DNK_R_20221591000_01H_MN.rnx", "GREC"),
    _first_records("BRDC00IGS_R_20240100000_01D_MN.rnx.gz", "GRECJIS"),
    _first_records("brdc0100.24g.gz", " "),
    _first_records("brdc0100.24n.gz", " "),
]


def survives(data: bytes) -> None:
    """Read `data` both ways; let only the toolkit's own errors and warnings pass."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", GnssCoopWarning)
        for accept_truncated in (False, True):
            try:
                nav = read_nav(io.BytesIO(data), accept_truncated=accept_truncated)
            except GnssCoopError:
                continue
            assert np.isfinite(nav.derived.elements).all()
            assert len(nav.to_dataframe()) == len(nav)
            last_line = data.count(b"\n") + 1
            assert all(r.reason and 1 <= r.line <= last_line for r in nav.rejects)
            assert all(1 <= f.line <= last_line for f in nav.frames)
            if len(nav):
                epochs = timescales.to_datetime64(np.array(nav.span_ns))
                sky = satellite_positions(nav, epochs, include_unhealthy=True)
                radius_m = np.linalg.norm(sky.positions.values, axis=-1)
                # Nothing that passed the gates flies off to where no navigation satellite is.
                assert np.nanmax(radius_m) < 1e8


@st.composite
def edits(draw: st.DrawFn) -> bytes:
    """Return a real file with up to six faults in it."""
    data = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(1, 6))):
        if not data:
            break
        at = draw(st.integers(0, len(data) - 1))
        length = draw(st.sampled_from([1, 1, 1, 2, 19, 80, 81, 400]))
        kind = draw(st.sampled_from(["flip", "insert", "delete", "cut", "copy", "swap", "digit", "strip", "crlf"]))
        lines = data.split(b"\n")
        i, j = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
        if kind == "flip":
            data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
        elif kind == "digit":
            data = data[:at] + draw(st.sampled_from([b"9", b"-", b"+", b"E", b".", b" ", b">", b"\n"])) + data[at + 1 :]
        elif kind == "insert":
            data = data[:at] + draw(st.binary(min_size=1, max_size=30)) + data[at:]
        elif kind == "delete":
            data = data[:at] + data[at + length :]
        elif kind == "cut":
            data = data[:at]
        elif kind == "copy":
            lines.insert(j, lines[i])
            data = b"\n".join(lines)
        elif kind == "swap":
            lines[i], lines[j] = lines[j], lines[i]
            data = b"\n".join(lines)
        elif kind == "strip":
            lines[i] = lines[i].rstrip()[: draw(st.integers(0, 80))]
            data = b"\n".join(lines)
        else:
            data = data.replace(b"\n", b"\r\n")
    return data


@FUZZ
@given(edits())
def test_damaged_real_files_give_a_result_or_a_clear_error(data: bytes):
    survives(data)


@FUZZ
@given(st.sampled_from(FILES), st.binary(max_size=400))
def test_random_bytes_behind_a_header(data: bytes, tail: bytes):
    header = data[: data.index(b"END OF HEADER")] + b"END OF HEADER\n"
    survives(header + tail)


@FUZZ
@given(
    st.sampled_from(FILES),
    st.lists(st.text("> RGCESJI0123456789.+-EDPHSTOIN\r\n\t", max_size=90).map(str.encode), max_size=12),
)
def test_nearly_records_behind_a_header(data: bytes, lines: list[bytes]):
    header = data[: data.index(b"END OF HEADER")] + b"END OF HEADER\n"
    survives(header + b"\n".join(lines))


@FUZZ
@given(st.sampled_from(FILES), st.data())
def test_field_replaced_by_any_number(data: bytes, choose: st.DataObject):
    lines = data.decode("latin-1").splitlines()
    body = next(i for i, line in enumerate(lines) if "END OF HEADER" in line) + 1
    i = choose.draw(st.integers(body, len(lines) - 1))
    column = choose.draw(st.sampled_from([3, 4, 22, 23, 41, 42, 60, 61]))
    number = choose.draw(st.floats(width=64)).__format__(".12E").rjust(19)[:19]
    lines[i] = lines[i][:column].ljust(column) + number + lines[i][column + 19 :]
    survives(("\n".join(lines) + "\n").encode("latin-1"))


@pytest.mark.parametrize(
    "tail",
    [
        "", "\n", " ", "  ", "   ", ">", "> ", ">\n", "\n>", "> E", "> EPH", "> EPH ", "> EPH R01 FDMA", "R", "R0",
        "R01", " R", "0", "01", " 1", "\t", "x", "  x", "   x", "> STO", "> STO C01 D1D2\n", "> STO C01 D1D2\n   x",
        "> EOP\n x", "> ION \n>", "R01 2024 01 10 00 15 0", "R01 2024 01 10 00 15 00", "R01 2024 01 10 00 15 00 1",
        " 1 24  1 10  0 15  0.0", " 1 24  1 10  0 15  0", "\x00", "\x1a", "\xff", "> \xff\xff\xff\xff\xff",
        "> EPH R01 \xff\xff\xff\xff\n\xff", "> EPH R01 FDMA\n>", "> EPH R01 FDMA\n\n\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("data", FILES)
def test_files_that_end_in_odd_bytes(data: bytes, tail: str):
    """The parser may not look behind the end of the buffer, whatever the last bytes are."""
    header = data[: data.index(b"END OF HEADER")] + b"END OF HEADER\n"
    survives(header + tail.encode("latin-1"))
    survives(data.rstrip() + b"\n" + tail.encode("latin-1"))


@pytest.mark.parametrize("data", FILES)
def test_a_file_cut_at_any_byte(data: bytes):
    body = data.index(b"END OF HEADER")
    for end in range(body, min(len(data), body + 1500), 7):
        survives(data[:end])
