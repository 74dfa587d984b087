"""read_nav against an independent line-by-line parser, real damage and files written by hand."""

import bz2
import gzip
import io
import math
import os
import re
import subprocess
import sys
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.ephemerides.messages import MESSAGES
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.model import timescales
from gnss_coop.orbits.broadcast import satellite_positions

ROOT = Path(__file__).parents[3]
SAMPLES = ROOT / "sample_rinex"
MIXED_DAY = SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
GLONASS_DAY = SAMPLES / "brdc0100.24g.gz"
HOUR_V4 = SAMPLES / "KMS300DNK_R_20221591000_01H_MN.rnx"
DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", ""))
needs_data = pytest.mark.skipif(
    not os.environ.get("GNSS_COOP_TESTDATA"), reason="set GNSS_COOP_TESTDATA to the folder of test data"
)


# --- An independent parser: lines, columns, float() ------------------------------------------------------


def slow_records(text: str) -> dict[int, tuple[str, str, list[float]]]:
    """Return satellite, message and fields of each record by the line number of its epoch."""
    lines = text.split("\n")
    version = float(lines[0][:9])
    default = {"G": "R", "H": "S", "E": "E", "L": "E"}.get(lines[0][20], lines[0][40].strip() or "G")
    if version < 3 and default not in "GRECJIS":
        default = "G"
    body = next(i for i, line in enumerate(lines) if "END OF HEADER" in line) + 1
    records: dict[int, tuple[str, str, list[float]]] = {}
    mark, fields, indent = "", None, 4
    for number, line in enumerate(lines[body:], body + 1):
        line = line.rstrip()
        if not line or line[60:67] == "COMMENT":
            continue
        if line[0] == ">":
            mark, fields = line, None
            continue
        if line[:3].strip() and (not mark or mark.startswith("> EPH")):
            indent = 3 + line[0].isalpha() if version < 3 else 4
            sv = line[:3] if line[0].isalpha() else f"{default}{int(line[:2]):02d}"
            fields = []
            records[number] = (sv.replace(" ", "0"), mark[10:14].strip(), fields)
            columns = range(indent + 19, indent + 4 * 19, 19)
        else:
            columns = range(indent, indent + 4 * 19, 19)
        if fields is not None:
            fields += [slow_number(line[a : a + 19]) for a in columns]
    return records


def slow_number(text: str) -> float:
    try:
        return float(text.replace("D", "E").replace("d", "e")) if text.strip() else math.nan
    except ValueError:
        return math.nan


def assert_equals_slow_parser(path: Path) -> None:
    _, data = read_bytes(str(path))
    truth = slow_records(data.decode("latin-1"))
    nav = read_nav(path, accept_truncated=True)
    assert len(nav) + nav.n_duplicates + len(nav.rejects) == len(truth)
    assert {r.line for r in nav.rejects} <= truth.keys()
    names = nav.table.names()
    for i, line in enumerate(nav.table.line.tolist()):
        sv, message, fields = truth[line]
        width = 3 + 4 * MESSAGES[nav.table.message[i]].n_lines
        expected = np.array((fields + [math.nan] * width)[:width])
        assert names[i] == sv
        assert message in ("", MESSAGES[nav.table.message[i]].name)
        assert np.array_equal(nav.table.fields[i, :width], expected, equal_nan=True)
        zeros = expected == 0
        assert np.array_equal(np.signbit(nav.table.fields[i, :width][zeros]), np.signbit(expected[zeros]))


@pytest.mark.parametrize(
    "path",
    sorted(p for p in SAMPLES.iterdir() if p.is_file() and p.suffix != ".md" and ".crx" not in p.name),
    ids=lambda p: p.name,
)
def test_all_fields_of_the_samples_equal_float_of_their_columns(path: Path):
    assert_equals_slow_parser(path)


def listed_files() -> list[tuple[Path, dict[str, int]]]:
    """Return the navigation files of the data folder's index and their records per system."""
    if not os.environ.get("GNSS_COOP_TESTDATA"):
        return []
    files, folder = [], DATA
    for line in (DATA / "INDEX.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("### "):
            folder = DATA / line[4:].strip()
        if match := re.match(r"\| (\S+) \| \d+ \| NAV ([\d.]+) ", line):
            counts = re.findall(r"\b([GRECJIS]):\d+sv/(\d+)rec", line)
            files.append((folder / match[1], {s: int(n) for s, n in counts}))
    return files


# What the index's quick parser could not read, and files that are wrong on purpose.
NOT_COUNTED = {"brdc3050.12q", "unknown-ephemeris.n", "unknown-rinex-version.n"}


@needs_data
def test_all_fields_of_all_files_equal_float_of_their_columns():
    for path, _ in listed_files():
        if path.name not in NOT_COUNTED:
            assert_equals_slow_parser(path)


@needs_data
def test_record_counts_per_system_are_those_of_the_index():
    files = listed_files()
    assert len(files) > 90
    for path, counts in files:
        if path.name in NOT_COUNTED:
            continue
        nav = read_nav(path)
        found = Counter(sv[0] for sv in [*nav.table.names(), *(r.sv for r in nav.rejects)])
        missing = {s: n - found[s] for s, n in counts.items()}
        assert found.keys() <= counts.keys()
        assert all(n >= 0 for n in missing.values()), path
        assert sum(missing.values()) == nav.n_duplicates, path


@needs_data
def test_version_2_file_of_qzss():
    nav = read_nav(next(DATA.rglob("brdc3050.12q")))
    assert nav.systems == ("J",)


# --- The same day in two versions, the same file twice ----------------------------------------------------


def test_version_2_and_3_of_one_day_hold_the_same_glonass_states():
    v2, v3 = read_nav(GLONASS_DAY), read_nav(MIXED_DAY).select("R")
    states, others = (
        {
            (sv, toc_ns): elements
            for sv, toc_ns, elements, healthy in zip(
                nav.table.names(), nav.table.toc_ns.tolist(), nav.derived.elements, nav.derived.healthy, strict=True
            )
            if healthy
        }
        for nav in (v2, v3)
    )
    common = states.keys() & others.keys()
    pairs = [(others[key], states[key]) for key in common]
    assert len(pairs) > 1080
    three, two = (np.array(side) for side in zip(*pairs, strict=True))
    # Version 2 writes 0.ddd with one digit less: 12 digits of 25,000 km are 0.1 mm.
    assert np.abs(three[:, :3] - two[:, :3]).max() < 2e-4
    assert np.abs(three[:, 3:6] - two[:, 3:6]).max() < 1e-7


def test_hours_filed_under_another_satellite_are_rejected():
    """R10 and R26 share a frequency channel; the version 3 file gives them in exchange for part of the day.

    The version 2 file of another merge tells which records are wrong: the test above compares them.
    """
    rejects = read_nav(MIXED_DAY).rejects
    assert [r.sv for r in rejects] == ["R10"] * 10 + ["R26"] * 3
    # Lines 5448 and 5452 call the satellite unhealthy: R26, which they are about, is.
    assert {r.line for r in rejects} == {*range(5408, 5437, 4), 5448, 5452, 8416, 8444, 8448}
    assert all("another satellite's" in r.reason for r in rejects)


@pytest.mark.parametrize("path", [GLONASS_DAY, HOUR_V4, MIXED_DAY], ids=lambda p: p.name)
def test_the_same_file_under_two_names_adds_nothing(path: Path, tmp_path: Path):
    copy = tmp_path / f"copy_{path.name}"
    copy.write_bytes(path.read_bytes())
    once, twice = read_nav(path), read_nav([path, copy])
    assert len(twice) == len(once)
    assert twice.n_duplicates >= 2 * once.n_duplicates + len(once)
    assert twice.table.names() == once.table.names()
    assert len(twice.files) == len(twice.headers) == 2


def test_order_of_files_does_not_matter():
    a, b = read_nav([GLONASS_DAY, MIXED_DAY]), read_nav([MIXED_DAY, GLONASS_DAY])
    assert len(a) == len(b)
    assert np.array_equal(a.derived.toe_ns, b.derived.toe_ns)


# --- Packing and sources ----------------------------------------------------------------------------------


def test_packed_forms_and_streams_give_the_same(tmp_path: Path):
    plain = gzip.decompress(GLONASS_DAY.read_bytes())
    truth = read_nav(GLONASS_DAY)
    (tmp_path / "plain.24g").write_bytes(plain)
    (tmp_path / "day.24g.bz2").write_bytes(bz2.compress(plain))
    with zipfile.ZipFile(tmp_path / "day.zip", "w") as archive:
        archive.writestr("brdc0100.24g", plain)
    sources = [tmp_path / "plain.24g", str(tmp_path / "day.24g.bz2"), tmp_path / "day.zip", io.BytesIO(plain)]
    for source in sources:
        nav = read_nav(source)
        assert np.array_equal(nav.table.fields, truth.table.fields, equal_nan=True)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (gzip.compress(b"x" * 5000, mtime=0)[:-10], "truncated"),  # a time would make each run name the test anew
        (b"", "empty"),
        (b"<!DOCTYPE html><html>login</html>", "web page"),
        (f"{'     3.04           OBSERVATION DATA    M':<60}RINEX VERSION / TYPE\n".encode(), "observation file"),
        (f"{'     3.04           N: GNSS NAV DATA    M':<60}RINEX VERSION / TYPE\n".encode(), "END OF HEADER"),
        (f"{'     9.99           N: GNSS NAV DATA    M':<60}RINEX VERSION / TYPE\n".encode(), "not supported"),
    ],
)
def test_what_is_no_navigation_file_is_refused_by_name(data: bytes, words: str, tmp_path: Path):
    path = tmp_path / "given.rnx"
    path.write_bytes(data)
    with pytest.raises(RinexError, match=words) as caught:
        read_nav(path)
    assert caught.value.path == str(path)
    assert "\n" not in str(caught.value)


@needs_data
def test_observation_file_and_orbits_given_as_navigation():
    for name, words in (("badg0440.16o.Z", "observation"), ("igl15253.sp3", "SP3")):
        with pytest.raises(RinexError, match=words):
            read_nav(next(DATA.rglob(name)))


def test_cut_gzip_is_refused(tmp_path: Path):
    path = tmp_path / "cut.gz"
    path.write_bytes(MIXED_DAY.read_bytes()[:200_000])
    with pytest.raises(RinexError, match="truncated"):
        read_nav(path)


def test_cut_compress_file_is_refused(tmp_path: Path):
    """A cut .Z file unpacks without an error: the records themselves show it."""
    ncompress = pytest.importorskip("ncompress")
    packed = ncompress.compress(gzip.decompress(GLONASS_DAY.read_bytes()))
    path = tmp_path / "cut.24g.Z"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(RinexError, match="truncated"):
        read_nav(path)
    assert 100 < len(read_nav(path, accept_truncated=True)) < 1196


def test_no_file_and_unknown_engine():
    with pytest.raises(RinexError, match="no navigation file"):
        read_nav([])
    with pytest.raises(ValueError, match="engine"):
        read_nav(GLONASS_DAY, engine="rtklib")


# --- Text by hand -----------------------------------------------------------------------------------------


def header(version: str = "3.04", file_type: str = "N: GNSS NAV DATA", system: str = "M") -> str:
    first = f"{version:>9}{'':11}{file_type:<20}{system:<20}"
    return f"{first}RINEX VERSION / TYPE\n{'':60}END OF HEADER\n"


GLO = """\
R01 2022 10 05 00 15 00 1.574866473675e-05 0.000000000000e+00 2.592300000000e+05
    -6.686352539062e+03 3.702297210693e-01 9.313225746155e-10 0.000000000000e+00
    -1.537300634766e+04-2.607774734497e+00 9.313225746155e-10 1.000000000000e+00
     1.922300781250e+04-1.955271720886e+00-2.793967723846e-09 0.000000000000e+00
"""
STATUS = "     1.790000000000e+02 8.381903171539e-09 2.000000000000e+00 3.000000000000e+00\n"
BDS = """\
C06 2022 10 05 00 00 00 9.048783686012e-04-1.184208286986e-11 2.574980159653e-19
     6.000000000000e+00-7.187500000000e+00 1.097902874919e-09 2.152331220686e+00
    -5.401670932770e-08 3.037390066311e-03 2.197921276093e-05 6.493546108246e+03
     2.592000000000e+05-9.220093488693e-08 2.872027314940e+00-1.303851604462e-08
     9.467625640496e-01-4.523750000000e+02-3.092539458236e+00-1.799360664880e-09
     7.482454531408e-10 0.000000000000e+00 8.740000000000e+02 0.000000000000e+00
     2.000000000000e+00 0.000000000000e+00 8.600000000000e-09-1.800000000000e-09
     2.592000000000e+05 5.000000000000e+00
"""
GEO = """\
C01 2022 10 05 00 00 00 7.311386289075e-04 4.433076128407e-11 0.000000000000e+00
     1.000000000000e+00 4.685937500000e+02 5.828099906612e-09-7.051768400516e-01
     1.553120091558e-05 6.273174658418e-04 9.119976311922e-06 6.493450458527e+03
     2.592000000000e+05-6.938353180885e-08 2.972159174245e+00-1.150183379650e-07
     8.154252562492e-02-2.836875000000e+02 3.064860233331e-01-4.758055334960e-09
     3.768014095769e-10 0.000000000000e+00 8.740000000000e+02 0.000000000000e+00
     2.000000000000e+00 0.000000000000e+00-4.700000000000e-09-1.000000000000e-08
     2.592000000000e+05 0.000000000000e+00
"""
GAL = """\
E02 2024 01 10 00 40 00 9.374774526800E-05 3.069544618480E-12 0.000000000000E+00
     5.200000000000E+01 5.312500000000E+01 2.911549849170E-09-1.534189727700E+00
     2.482905983920E-06 5.026269936930E-04 1.155398786070E-05 5.440620307920E+03
     2.616000000000E+05-5.029141902920E-08 2.446711060020E+00-6.332993507390E-08
     9.675985536890E-01 9.237500000000E+01 5.406706838470E-01-5.192716297480E-09
    -7.703892326610E-10 {source:18.12E} 2.296000000000E+03
     3.120000000000E+00 {health:18.12E}-1.164153218270E-09 0.000000000000E+00
     2.623200000000E+05
"""


def nav_of(body: str, version: str = "3.04", **kwargs) -> Ephemerides:
    return read_nav(io.BytesIO((header(version) + body).encode("latin-1")), **kwargs)


def with_field(record: str, line: int, column: int, value: float | str) -> str:
    """Return a record with one field altered; line 0 is the epoch line, column 0 the first of four."""
    lines = record.splitlines(keepends=True)
    at = 4 + 19 * column
    text = value if isinstance(value, str) else f"{value:19.12e}"
    lines[line] = (
        lines[line].rstrip("\n").ljust(at)[:at] + text.ljust(19)[:19] + lines[line].rstrip("\n")[at + 19 :] + "\n"
    )
    return "".join(lines)


def only_reject(nav: Ephemerides) -> tuple[str, int, str, str]:
    assert len(nav) == 0
    (reject,) = nav.rejects
    assert list(nav.rejected().iloc[0]) == [reject.file, reject.line, reject.sv, reject.reason]
    return reject.file, reject.line, reject.sv, reject.reason


def test_the_records_by_hand_are_good():
    nav = nav_of(GLO + BDS + GEO)
    assert nav.satellites == ("C01", "C06", "R01")
    assert not nav.rejects
    assert nav.derived.healthy.all()
    # R epochs are UTC (18 s behind GPST in 2022), C epochs BDT (14 s behind).
    seconds = {sv: ns // 10**9 % 86400 for sv, ns in zip(nav.table.names(), nav.table.toc_ns, strict=True)}
    assert seconds == {"C01": 14, "C06": 14, "R01": 15 * 60 + 18}


@pytest.mark.parametrize(
    ("record", "line", "column", "value", "words"),
    [
        (GLO, 0, 0, " 12 15 17", "15 minute grid"),
        (GLO, 1, 0, -6.686352539062e6, "orbit radius"),  # metres for kilometres
        (GLO, 1, 0, -9.686352539062e3, "orbit radius"),
        (GLO, 1, 1, 3.7, "orbital speed"),
        (GLO, 1, 0, "", "blank"),
        (GLO, 2, 1, "abc", "not a number"),
        (GLO, 2, 1, "1.0E+999", "blank"),
        (GLO, 3, 2, 1e-3, "acceleration"),
        (BDS, 3, 0, 2.592e5 - 86400, "not near the record's epoch"),  # toe a day off
        (BDS, 3, 0, "", "not near the record's epoch"),
        (BDS, 3, 0, -1.0, "not near the record's epoch"),
        (BDS, 3, 0, 9.99999999999e8, "not near the record's epoch"),
        (BDS, 2, 3, 5153.6, "semi-major axis"),  # a GPS orbit
        (BDS, 2, 3, 64.9, "semi-major axis"),
        (BDS, 2, 3, 1e200, "semi-major axis"),
        (BDS, 2, 1, 0.9, "eccentricity"),
        (BDS, 2, 1, -0.1, "eccentricity"),
        (BDS, 4, 1, -4.5e5, "crc"),
        (BDS, 4, 3, 1e-3, "omega_dot"),
        (BDS, 1, 3, "", "blank"),
    ],
)
def test_gates(record: str, line: int, column: int, value: float | str, words: str):
    if column == 0 and line == 0:
        lines = record.splitlines(keepends=True)
        record = lines[0][:14] + str(value) + lines[0][23:] + "".join(lines[1:])
    else:
        record = with_field(record, line, column, value)
    file, number, sv, reason = only_reject(nav_of(record))
    assert (file, number, sv) == ("<stream>", 3, record[:3])
    assert words in reason


def test_equal_coordinates_and_other_names_are_rejected():
    # On a sphere of the right radius, so that only the equality tells.
    r = 25_508 / math.sqrt(3)
    record = GLO
    for line in (1, 2, 3):
        record = with_field(record, line, 0, r)
    assert "equal coordinates" in only_reject(nav_of(record))[3]
    for line in (1, 2, 3):
        record = with_field(record, line, 0, 0.0)
    assert "radius of 0 km" in only_reject(nav_of(record))[3]
    assert "satellite number 00" in only_reject(nav_of(GLO.replace("R01", "R00")))[3]
    assert "unknown satellite system 'X'" in only_reject(nav_of(GLO.replace("R01", "X01")))[3]
    assert "calendar" in only_reject(nav_of(GLO.replace("2022 10 05", "2022 13 05")))[3]
    assert "epoch" in only_reject(nav_of(GLO.replace("2022 10 05", "2022 1x 05")))[3]


def test_week_and_accuracy_nonsense_does_not_cost_the_record():
    nav = nav_of(with_field(with_field(BDS, 5, 2, -1.0), 6, 0, 4096.0))
    assert len(nav) == 1
    assert nav.to_dataframe().accuracy[0] == 4096.0
    assert nav.derived.toe_ns[0] == nav.table.toc_ns[0]


@needs_data
def test_bad_records_of_a_real_day_are_found():
    """Six records tagged 12:15:17 (GPST) repeat those of 12:15; R06 15:00 and R24 16:30 are 3,000 km off."""
    nav = read_nav(next(DATA.rglob("brdc1580.16g")))
    assert [r.sv for r in nav.repairs] == ["R04", "R06", "R09", "R15", "R17", "R18"]
    assert all("it is GPST" in r.reason for r in nav.repairs)
    assert nav.n_duplicates >= 6  # the orbits are word for word those of the records before them
    assert not {r.line for r in nav.repairs} & set(nav.table.line.tolist())
    off = {r.sv: r for r in nav.rejects if "neighbours" in r.reason}
    assert off.keys() == {"R06", "R24"}
    lines = read_bytes(nav.files[0])[1].decode("latin-1").splitlines()
    assert lines[off["R06"].line - 1].startswith(" 6 16  6  6 15  0  0.0")
    assert lines[off["R24"].line - 1].startswith("24 16  6  6 16 30  0.0")
    for reject in off.values():
        assert float(re.search(r"by (\d+) km", reject.reason)[1]) > 1000


# --- Health -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bn", "flags", "healthy"),
    [(0, 3, True), (0, 1, True), (0, None, True), (0, 4, False), (0, 7, False), (0, 5, False), (1, 3, False),
     (4, 3, False), (14, None, False)],
)  # fmt: skip
def test_glonass_health(bn: int, flags: int | None, healthy: bool):
    record = with_field(GLO + STATUS, 1, 3, float(bn))
    record = with_field(record, 4, 3, "" if flags is None else float(flags))
    nav = nav_of(record, "3.05")
    assert nav.derived.healthy.tolist() == [healthy]


@pytest.mark.parametrize(("sat_h1", "healthy"), [(0.0, True), (1.0, False), ("", False)])
def test_beidou_health(sat_h1: float | str, healthy: bool):
    assert nav_of(with_field(BDS, 6, 1, sat_h1)).derived.healthy.tolist() == [healthy]


@pytest.mark.parametrize(
    ("source", "health", "message", "healthy"),
    [
        # OS SIS ICD 5.1.9.3: bit 0 E1B DVS, 1-2 E1B HS, 3 E5a DVS, 4-5 E5a HS, 6 E5b DVS, 7-8 E5b HS.
        (513, 0, "INAV", True), (517, 0, "INAV", True), (258, 0, "FNAV", True),
        (517, 0x008, "INAV", True), (517, 0x001, "INAV", False), (517, 0x040, "INAV", False),
        (517, 0x1C0, "INAV", False),
        (258, 0x001, "FNAV", True), (258, 0x008, "FNAV", False), (258, 0x030, "FNAV", False),
        (258, 0x1C7, "FNAV", True),
    ],
)  # fmt: skip
def test_galileo_message_and_health(source: int, health: int, message: str, healthy: bool):
    nav = nav_of(GAL.format(source=float(source), health=float(health)))
    frame = nav.to_dataframe()
    assert frame.message.tolist() == [message]
    assert frame.healthy.tolist() == [healthy]


# --- Which message, which orbit ---------------------------------------------------------------------------


def test_geo_is_told_from_the_elements_never_from_the_number():
    """A MEO or IGSO under a GEO's number and the other way round (April 2026: numbers moved)."""
    nav = nav_of(GEO.replace("C01", "C33") + BDS.replace("C06", "C03"))
    assert nav.to_dataframe().set_index("sv").message.to_dict() == {"C03": "D1", "C33": "D2"}
    epochs = timescales.to_datetime64(nav.table.toc_ns[0] + np.array([0, 1800]) * 10**9)
    sky = satellite_positions(nav, epochs)
    moved_m = np.linalg.norm(np.diff(sky.positions, axis=0)[0], axis=-1)
    # Within half an hour an IGSO moves thousands of kilometres over the ground, a GEO stays (2 deg of tilt).
    assert moved_m[sky.sv == "C33"] < 2e5
    assert moved_m[sky.sv == "C03"] > 2e6


# --- Lines that real files contain ------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["", STATUS])
def test_version_3_05_with_and_without_the_fourth_glonass_line(status: str):
    second = GLO.replace("R01", "R02")
    nav = nav_of(GLO + status + second + status + BDS, "3.05")
    assert nav.satellites == ("C06", "R01", "R02")
    assert not nav.rejects
    assert np.isnan(nav.select("R").table.fields[:, 15:19]).all() == (status == "")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.replace("\n", "   \n"),
        lambda text: text.replace("e+", "D+").replace("e-", "D-"),
        lambda text: text.replace("e+", "d+").replace("e-", "d-"),
        lambda text: text.replace("C06", "m\xe4rged".ljust(60) + "COMMENT\nC06"),
        lambda text: text.replace("    -5.40", f"{'in a record':60}COMMENT\n    -5.40"),
        lambda text: text.replace("R01", "R 1").replace("C06", "C 6"),
        lambda text: text.replace("2022 10 05", "2022 10  5").replace("00 15 00", " 0 15  0"),
        lambda text: text + "\x00\x00\x00",
        lambda text: text + "\n\x1a",
        lambda text: text.rstrip(),
    ],
)
def test_harmless_differences_do_not_matter(change):
    plain = nav_of(BDS + GLO)
    nav = nav_of(change(BDS + GLO))
    assert not nav.rejects
    assert nav.table.names() == plain.table.names()
    assert np.array_equal(nav.table.fields, plain.table.fields, equal_nan=True)


def test_missing_trailing_fields_and_last_line_are_blank():
    lines = BDS.splitlines(keepends=True)
    nav = nav_of("".join(lines[:-1]) + GLO)
    assert nav.satellites == ("C06", "R01")
    assert np.isnan(nav.select("C").table.fields[0, 27:]).all()
    nav = nav_of("".join(lines[:-1]) + "     2.592000000000e+05\n" + GLO)
    assert nav.select("C").table.fields[0, 27] == 259200.0
    assert np.isnan(nav.select("C").table.fields[0, 28:]).all()


def test_a_record_without_its_health_line_is_rejected():
    nav = nav_of("".join(BDS.splitlines(keepends=True)[:6]) + GLO)
    assert nav.satellites == ("R01",)
    assert "cut short" in nav.rejects[0].reason


def test_lines_whose_record_is_gone_are_reported():
    lost_epoch = "".join(GLO.splitlines(keepends=True)[1:])
    nav = nav_of(BDS + lost_epoch + GLO)
    assert nav.satellites == ("C06", "R01")
    assert [(r.line, "3 lines too many" in r.reason) for r in nav.rejects] == [(11, True)]
    nav = nav_of(lost_epoch + GLO)  # nothing before them
    assert [(r.line, r.reason) for r in nav.rejects] == [(3, "lines that belong to no record")]


def test_two_records_glued_in_one_line_are_reported():
    lines = (GLO + GLO.replace("R01", "R02") + BDS).splitlines(keepends=True)
    lines[3] = lines[3].rstrip("\n")  # a lost line end: the next record begins in column 81
    nav = nav_of("".join(lines))
    assert nav.satellites == ("C06", "R01")
    assert len(nav.rejects) == 1
    assert "belong to none" in nav.rejects[0].reason


def test_a_line_that_opens_no_record_is_reported():
    nav = nav_of(GLO + "here the disk was full\n" + BDS)
    assert nav.satellites == ("C06", "R01")
    assert [(r.line, r.sv) for r in nav.rejects] == [(7, "")]


# --- Cut files --------------------------------------------------------------------------------------------

CUTS = {
    "in a number": GLO[:-8],
    "in the exponent's last digit": GLO[:-2],
    "behind a line": "".join(GLO.splitlines(keepends=True)[:3]),
    "behind the epoch line": GLO.splitlines(keepends=True)[0],
    "in the epoch": GLO[:15],
    "behind one letter": "R",
}


@pytest.mark.parametrize("tail", CUTS.values(), ids=CUTS.keys())
def test_a_cut_file_is_refused_or_read_as_far_as_it_goes(tail: str):
    tail = tail.replace("R01", "R02")
    with pytest.raises(RinexError, match=r"truncated.*--accept-truncated") as caught:
        nav_of(BDS + GLO + tail)
    assert caught.value.line >= 15
    nav = nav_of(BDS + GLO + tail, accept_truncated=True)
    assert set(nav.satellites) - {"R02"} == {"C06", "R01"}
    if "R02" in nav.satellites:  # half a field is none: here the age of the information, which nothing needs
        row = nav.table.names().index("R02")
        assert np.isnan(nav.table.fields[row, 14])


def test_a_version_4_file_cut_behind_its_frame_line():
    body = "> EPH R01 FDMA\n" + GLO + STATUS + "> EPH C06 D1\n"
    with pytest.raises(RinexError, match="truncated"):
        nav_of(body, "4.00")
    nav = nav_of(body, "4.00", accept_truncated=True)
    assert nav.satellites == ("R01",)
    assert [(r.line, r.reason) for r in nav.rejects] == [(9, "frame without a record")]


# --- RINEX 4 ----------------------------------------------------------------------------------------------


def test_every_beidou_message_of_the_sample():
    nav = read_nav(SAMPLES / "Example_Beidou_Rinex400.n")
    assert Counter(nav.to_dataframe().message) == {"D1": 2, "D2": 2, "CNV1": 2, "CNV2": 2, "CNV3": 2}
    assert not nav.rejects
    assert (nav.derived.toe_ns == nav.table.toc_ns).all()
    # One orbit, five messages: B-CNAV of C19 agree to the centimetre with one another.
    rows = [i for i, sv in enumerate(nav.table.names()) if sv == "C19"]
    assert np.allclose(nav.derived.elements[rows[::2]], nav.derived.elements[rows[0]], rtol=1e-12)


V4_EXAMPLES = {
    "GPS": {"LNAV": 2, "CNAV": 2, "CNV2": 1}, "Galileo": {"INAV": 2}, "QZSS": {"LNAV": 2, "CNAV": 2, "CNV2": 2},
    "NavIC": {"LNAV": 2}, "SBAS": {"SBAS": 2}, "Glonass": {"FDMA": 2},
}  # fmt: skip


@needs_data
@pytest.mark.parametrize("name", V4_EXAMPLES)
def test_messages_of_the_version_4_examples(name: str):
    nav = read_nav(next(DATA.rglob(f"Example_{name}_Rinex400.n")))
    assert Counter(nav.to_dataframe().message) == V4_EXAMPLES[name]
    assert not nav.rejects
    epochs = timescales.to_datetime64(np.unique(nav.derived.toe_ns))
    sky = satellite_positions(nav, epochs, include_unhealthy=True)
    assert np.isfinite(sky.positions).any(dim="time").all()


@needs_data
def test_navic_l1nv_and_a_full_day_of_version_4():
    nav = read_nav(next(DATA.rglob("Example_NavIC_Rinex402.n")))
    assert nav.to_dataframe().message.tolist() == ["L1NV"]
    day = read_nav(next(DATA.rglob("BRD400DLR_S_20230710000_01D_MN.rnx.gz")))
    counts = Counter(day.to_dataframe().message)
    # "> records" line of the index; 7 true duplicates are counted once.
    index = {"CNAV": 432, "CNV1": 634, "D1": 893, "D2": 168, "FDMA": 1240, "FNAV": 2897, "INAV": 2943, "SBAS": 9072}
    assert sum(index[name] - counts[name] for name in index) <= day.n_duplicates == 7
    assert Counter(f.kind for f in day.frames) == {"EOP": 32, "ION": 130, "STO": 126}


@needs_data
def test_wrong_message_names_are_reported_and_nothing_else_is_lost():
    for path in DATA.rglob("wrong-type-*.n"):
        nav = read_nav(path)
        assert len(nav) == 0
        assert "unknown message type 'XXXX'" in nav.rejects[0].reason


CDMA = """\
> EPH R04 {message}
R04 2022 10 05 00 16 30 1.574866473675e-05 0.000000000000e+00 0.000000000000e+00
    -6.686352539062e+03 3.702297210693e-01 9.313225746155e-10 0.000000000000e+00
    -1.537300634766e+04-2.607774734497e+00 9.313225746155e-10 1.000000000000e+00
     1.922300781250e+04-1.955271720886e+00-2.793967723846e-09 0.000000000000e+00
     2.000000000000e+00 0.000000000000e+00 1.000000000000e+00 1.000000000000e+00
     0.000000000000e+00 0.000000000000e+00 0.000000000000e+00 0.000000000000e+00
     0.000000000000e+00 0.000000000000e+00 0.000000000000e+00 0.000000000000e+00
     0.000000000000e+00 0.000000000000e+00 0.000000000000e+00 1.500000000000e+00
     0.000000000000e+00 0.000000000000e+00                    2.593000000000e+05
"""


@pytest.mark.parametrize("message", ["L1OC", "L3OC"])
def test_glonass_cdma_messages(message: str):
    """State as in FDMA, nine data lines, reference times on 90 s."""
    body = "> EPH R01 FDMA\n" + GLO + STATUS + CDMA.format(message=message) + "> EPH C06 D1\n" + BDS
    nav = nav_of(body, "4.02")
    assert not nav.rejects
    frame = nav.to_dataframe().set_index("sv")
    assert frame.message.to_dict() == {"C06": "D1", "R01": "FDMA", "R04": message}
    assert frame.healthy.all()
    assert nav.table.fields[nav.table.names().index("R04"), 34] == 259300.0


def test_an_unknown_frame_costs_only_itself():
    body = "> EPH R01 FDMA\n" + GLO + "> XYZ R01 FDMA\n" + GLO + "> EPH C06 D9\n" + BDS + "> EPH C06 D1\n" + BDS
    nav = nav_of(body, "4.00")
    assert nav.satellites == ("C06", "R01")
    assert [(r.line, r.reason) for r in nav.rejects] == [
        (8, "frame of an unknown kind"),
        (14, "unknown message type 'D9' of BeiDou"),
    ]


# --- Resources --------------------------------------------------------------------------------------------


def test_memory_of_a_full_day_stays_within_twelve_times_its_text():
    code = (
        "import resource, sys\n"
        "from gnss_coop.formats.rinex.nav import read_nav\n"
        f"read_nav({str(GLONASS_DAY)!r})\n"  # imports and compiled kernels are in memory now
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"read_nav({str(MIXED_DAY)!r})\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)\n"
    )
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": path}
    )
    assert int(result.stdout) < 12 * len(gzip.decompress(MIXED_DAY.read_bytes()))


def test_thirty_files_take_about_thirty_times_as_long_as_one(tmp_path: Path):
    """Each file is the same day shifted by months, so that no record repeats."""
    text = gzip.decompress(GLONASS_DAY.read_bytes()).decode("latin-1")
    files = []
    for i in range(30):
        files.append(tmp_path / f"{i}.24g")
        files[-1].write_text(text.replace(" 24  1 10", f" {22 + i // 12:2d} {i % 12 + 1:2d} 10"), encoding="latin-1")

    def seconds(paths: list[Path]) -> float:
        start = time.process_time()
        read_nav(paths)
        return time.process_time() - start

    one = min(seconds(files[:1]) for _ in range(5))
    thirty = min(seconds(files) for _ in range(3))
    assert thirty < 30 * 3 * one + 0.2  # quadratic time would be 30 times more
