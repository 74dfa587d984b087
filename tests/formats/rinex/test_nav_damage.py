"""Damage to navigation files costs as little as it can, is counted, and is told."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gnss_coop as gc
from gnss_coop.errors import GnssCoopWarning, RinexError
from gnss_coop.formats.decompress import read_bytes

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / "tests/data/public_reports"
DAY = ROOT / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"


def the_same_records(nav: gc.Ephemerides, systems: str, first: str, last: str) -> None:
    """Expect what the whole day has of some systems between two reference times, field by field."""
    day = gc.read_nav(DAY).select(systems)
    told = day.to_dataframe()
    rows = np.flatnonzero(told["toc_gpst"].between(first, last).to_numpy())
    assert len(nav) == len(rows) > 0
    assert nav.table.names() == [day.table.names()[i] for i in rows]
    assert np.array_equal(nav.table.fields, day.table.fields[rows], equal_nan=True)


def test_a_blank_first_line_is_passed_over():
    nav = gc.read_nav(REPORTS / "blank-first-line.rnx.gz")
    the_same_records(nav, "RC", "2024-01-10T05:00", "2024-01-10T05:50")


def test_a_tar_archive_with_one_file_is_read():
    nav = gc.read_nav(REPORTS / "nav.tar.gz")
    the_same_records(nav, "RC", "2024-01-10T05:00", "2024-01-10T05:50")


def test_a_newer_minor_version_is_read_with_a_warning():
    with pytest.warns(GnssCoopWarning, match="RINEX version 3.06 is newer than 3.05 and is read like it"):
        nav = gc.read_nav(REPORTS / "version-3.06.rnx.gz")
    the_same_records(nav, "C", "2024-01-10T05:00", "2024-01-10T05:50")


# --- Fields ------------------------------------------------------------------------------------------------


def test_words_in_fields_that_no_orbit_needs_cost_these_fields_only():
    nav = gc.read_nav(REPORTS / "unused-field-garbage.rnx.gz")
    day = gc.read_nav(DAY).select("C")
    told = day.to_dataframe()
    rows = np.flatnonzero(told["toc_gpst"].between("2024-01-10T05:00", "2024-01-10T05:50").to_numpy())
    assert len(nav) == len(rows) == 46
    assert not nav.rejects
    assert len(nav.repairs) == 35
    assert np.array_equal(nav.derived.elements, day.derived.elements[rows])
    assert nav.derived.healthy.tolist() == day.derived.healthy[rows].tolist()
    assert nav.repairs[0].reason == "'0.499063314480-269' in line 10 lacks the letter of its exponent"
    assert (nav.repairs[1].line, nav.repairs[1].sv) == (13, "C02")
    assert nav.repairs[1].reason == "'********' in line 20 is not a number and is not needed: taken as blank"
    assert list(nav.repaired().columns) == ["file", "line", "sv", "repair"]


def records_of(version: str, text: str) -> bytes:
    first = f"{version:>9}{'':11}{'N: GNSS NAV DATA':20}{'M':20}RINEX VERSION / TYPE\n"
    return (first + f"{'':60}END OF HEADER\n" + text).encode("latin-1")


def one_of_each_message() -> dict[str, tuple[str, str]]:
    """Return version and text of a healthy record of each message that the samples have."""
    found: dict[str, tuple[str, str]] = {}
    for name in ("BRDC00IGS_R_20240100000_01D_MN.rnx.gz", "KMS300DNK_R_20221591000_01H_MN.rnx",
                 "Example_Beidou_Rinex400.n", "Example_Glonass_Rinex400.n"):  # fmt: skip
        path = ROOT / "sample_rinex" / name
        lines = read_bytes(path)[1].decode("latin-1").splitlines(keepends=True)
        nav = gc.read_nav(path)
        version = f"{nav.headers[0].version:.2f}"
        for row in nav.to_dataframe()[nav.derived.healthy].itertuples():
            key = f"{row.sv[0]} {row.message}"
            if key not in found:
                start = row.line - 1
                stop = next(i for i in range(start + 1, len(lines) + 1) if i == len(lines) or lines[i][0] != " ")
                start -= version[0] == "4"
                found[key] = (version, "".join(lines[start:stop]))
    return found


MESSAGES = one_of_each_message()
#: Fields that are needed, as line and column of the RINEX 4.02 tables: orbit, reference time, health.
KEPLER = {(1, c) for c in (1, 2, 3)} | {(k, c) for k in (2, 4) for c in range(4)} | {(3, 1), (3, 2), (3, 3), (5, 0)}
STATE = {(k, c) for k in (1, 2, 3) for c in range(3)} | {(1, 3)}
NEEDED = {
    "LNAV": KEPLER | {(3, 0), (6, 1)}, "D1": KEPLER | {(3, 0), (6, 1)}, "D2": KEPLER | {(3, 0), (6, 1)},
    "INAV": KEPLER | {(3, 0), (6, 1)}, "FNAV": KEPLER | {(3, 0), (6, 1)},
    "CNAV": KEPLER | {(1, 0), (5, 1), (6, 1)}, "CNV1": KEPLER | {(1, 0), (5, 1), (3, 0), (8, 1)},
    "CNV2": KEPLER | {(1, 0), (5, 1), (3, 0), (8, 1)}, "CNV3": KEPLER | {(1, 0), (5, 1), (3, 0), (7, 1)},
    "FDMA": STATE | {(4, 3)}, "SBAS": STATE,
}  # fmt: skip


@pytest.mark.parametrize("key", MESSAGES)
def test_a_bad_word_costs_the_record_only_in_fields_of_orbit_reference_time_and_health(key: str):
    version, text = MESSAGES[key]
    lines = text.splitlines()
    first = 1 if version[0] == "4" else 0
    untouched = gc.read_nav(io.BytesIO(records_of(version, text)))
    assert len(untouched) == 1
    message = untouched.to_dataframe().message[0]
    needed = NEEDED[message] | ({(5, 1)} if key[0] == "E" and version[0] == "3" else set())
    for line in range(len(lines) - first):
        for column in range(1 if line == 0 else 0, 4):
            at = 4 + 19 * column
            if not lines[first + line][at : at + 19].strip():
                continue
            damaged = lines.copy()
            damaged[first + line] = damaged[first + line].ljust(80)
            damaged[first + line] = (
                damaged[first + line][:at] + "   ***?***         " + damaged[first + line][at + 19 :]
            )
            nav = gc.read_nav(io.BytesIO(records_of(version, "\n".join(damaged) + "\n")))
            lost = (line, column) in needed
            assert (len(nav), len(nav.rejects), len(nav.repairs)) == ((0, 1, 0) if lost else (1, 0, 1)), (line, column)
            entry = (nav.rejects if lost else nav.repairs)[0]
            assert "'***?***' in line" in entry.reason
            assert entry.sv == untouched.table.names()[0]
            # Which of its messages a record of version 3 is, is told by some of these fields.
            assert entry.message == message or (lost and {entry.message, message} <= {"D1", "D2", "INAV", "FNAV"})
            if not lost:
                assert np.array_equal(nav.derived.elements, untouched.derived.elements)
                assert nav.derived.healthy[0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.499063314480-269", 0.49906331448e-269),
        ("-.499063314480+012", -0.49906331448e12),
        ("0.499063314480-26", None),
    ],
)
def test_only_exponents_of_three_digits_may_lack_their_letter(text: str, value: float | None):
    version, record = MESSAGES["C D1"]
    lines = record.splitlines()
    lines[7] = lines[7].ljust(80)[:23] + text.rjust(19)  # the age of the clock data
    nav = gc.read_nav(io.BytesIO(records_of(version, "\n".join(lines) + "\n")))
    assert len(nav.repairs) == 1
    if value is None:
        assert np.isnan(nav.table.fields[0, 28])
    else:
        assert nav.table.fields[0, 28] == value


# --- Time tags of GLONASS ------------------------------------------------------------------------------------


def test_tags_a_second_late_are_those_of_the_grid():
    nav = gc.read_nav(REPORTS / "glonass-tags-1s-late.rnx.gz")
    assert (len(nav), len(nav.rejects), len(nav.repairs)) == (148, 0, 148)
    assert "+1 s off the 15 minute grid" in nav.repairs[0].reason
    truth = pd.read_csv(REPORTS / "glonass-tags-1s-late.csv").set_index("sv")
    sky = gc.satellite_positions(nav, np.array(["2024-01-10T06:10:18"], "datetime64[ns]"))
    found = sky.positions.isel(time=0).to_pandas().dropna()
    assert found.index.tolist() == truth.index.tolist()
    # The records are the same ones: only the last bits of a step of integration may differ.
    assert np.abs(found.to_numpy() - truth[["x_m", "y_m", "z_m"]].to_numpy()).max() < 1e-6


@pytest.mark.parametrize(
    ("tag", "read"),
    [("05 15 01", True), ("05 14 59", True), ("05 15 03", True), ("05 15 05", True), ("05 15 18", True),
     ("05 15 06", False), ("05 15 17", False), ("05 14 42", False), ("05 16 00", False), ("05 20 00", False)],
)  # fmt: skip
def test_tags_near_the_grid_or_in_gpst_are_read_and_others_are_not(tag: str, read: bool):
    version, record = MESSAGES["R FDMA"]
    plain = gc.read_nav(io.BytesIO(records_of(version, record[:15] + "05 15 00" + record[23:])))
    nav = gc.read_nav(io.BytesIO(records_of(version, record[:15] + tag + record[23:])))
    assert (len(nav), len(nav.repairs), len(nav.rejects)) == ((1, 1, 0) if read else (0, 0, 1))
    if read:
        assert nav.table.toc_ns[0] == nav.derived.toe_ns[0] == plain.table.toc_ns[0]
        assert ("GPST" in nav.repairs[0].reason) == (tag == "05 15 18")


def test_a_record_beside_the_grid_repeats_the_one_on_it():
    version, record = MESSAGES["R FDMA"]
    nav = gc.read_nav(io.BytesIO(records_of(version, record + record[:21] + "03" + record[23:])))
    assert (len(nav), nav.n_duplicates, len(nav.repairs)) == (1, 1, 1)


# --- Files that are joined, and holes -------------------------------------------------------------------------


def test_files_joined_to_one_are_all_read():
    _, data = read_bytes(REPORTS / "two-files-in-one.24n.gz")
    nav = gc.read_nav(io.BytesIO(data))
    lines = data.decode().splitlines(keepends=True)
    parts = gc.read_nav([io.BytesIO("".join(lines[:440]).encode()), io.BytesIO("".join(lines[440:]).encode())])
    assert nav.table.names() == parts.table.names()
    assert np.array_equal(nav.table.fields, parts.table.fields, equal_nan=True)
    assert {sv[0] for sv in nav.satellites} == {"G", "R"}
    assert [(r.line, r.reason) for r in nav.repairs] == [
        (441, "another file is joined on here (RINEX 2.01): read as well")
    ]
    rows = nav.to_dataframe()
    assert all(lines[line - 1][:2].strip() == str(int(sv[1:])) for line, sv in zip(rows.line, rows.sv, strict=True))


@pytest.mark.parametrize("glue", [b"\n", b"\n\n", b"", b"\r\n\xef\xbb\xbf"])
def test_joined_files_may_lack_the_end_of_a_line_or_have_more(glue: bytes):
    texts = [records_of(*MESSAGES[key]) for key in ("C D1", "R FDMA", "E INAV")]
    nav = gc.read_nav(io.BytesIO(glue.join(text.rstrip() for text in texts)))
    assert [sv[0] for sv in nav.satellites] == ["C", "E", "R"]
    assert len(nav.repairs) == 2
    assert not nav.rejects


def test_what_is_joined_on_and_is_no_navigation_file_costs_itself_only():
    version, record = MESSAGES["C D1"]
    obs = records_of(version, "> 2024 01 10 00 00 00\n").replace(b"N: GNSS", b"OBSERVA")
    nav = gc.read_nav(io.BytesIO(records_of(version, record) + obs + records_of(*MESSAGES["R FDMA"])))
    assert [sv[0] for sv in nav.satellites] == ["C", "R"]
    assert [r.reason for r in nav.rejects] == [
        f"what is joined on here is left out: this is an observation file (RINEX {version}); give the navigation file"
    ]
    label = f"{version:>9}{'':51}RINEX VERSION / TYPE\n"
    nav = gc.read_nav(io.BytesIO(records_of(version, record + label + MESSAGES["R FDMA"][1])))
    assert [sv[0] for sv in nav.satellites] == ["C", "R"]  # one odd line and no header


@pytest.mark.parametrize("offset", [0, 1, 79, 80, 81, 100, 200, 1000, 1379])
def test_a_page_of_zeros_says_how_much_is_missing_and_mixes_no_records(offset: int):
    """What stands before and behind the hole is as it was; no record is made of the halves of two."""
    _, data = read_bytes(DAY)
    body = data.index(b"END OF HEADER") + 21
    start = data.index(b"\n", body + 300_000) + 1 + offset
    whole = gc.read_nav(io.BytesIO(data))
    nav = gc.read_nav(io.BytesIO(data[:start] + bytes(4096) + data[start + 4096 :]))
    (entry,) = (r for r in nav.rejects if "bytes are missing" in r.reason)
    assert entry.line == data.count(b"\n", 0, start) + 1
    n_missing, about = map(int, re.match(r"(\d+) bytes .* about (\d+) records", entry.reason).groups())
    assert n_missing == 4096
    lines = data.count(b"\n", 0, start), data.count(b"\n", 0, start + 4096)
    lost = [r for r in whole.to_dataframe().itertuples() if lines[0] - 8 < r.line <= lines[1] + 1]
    assert abs(len(whole) - len(nav) - about) <= 3
    assert len(whole) - len(nav) <= len(lost)
    before = {(s, int(t), bytes(f)) for s, t, f in zip(
        whole.table.names(), whole.derived.toe_ns, whole.derived.elements, strict=True)}  # fmt: skip
    after = {(s, int(t), bytes(f)) for s, t, f in zip(
        nav.table.names(), nav.derived.toe_ns, nav.derived.elements, strict=True)}  # fmt: skip
    assert after <= before


def test_a_hole_that_takes_the_end_of_one_record_and_the_start_of_another_makes_none_of_both():
    """The line in which the hole begins is whole: without the zeros the next lines would belong to its record."""
    version, record = MESSAGES["C D1"]
    lines = record.splitlines()
    other = record.replace(lines[0][:3], "C99").splitlines()
    text = "\n".join(lines[:5]) + "\0" * 500 + "\n" + "\n".join(other[5:]) + "\n"
    nav = gc.read_nav(io.BytesIO(records_of(version, text)))
    assert len(nav) == 0
    assert any("cut short" in r.reason for r in nav.rejects)
    assert any("500 bytes are missing" in r.reason for r in nav.rejects)


def test_zeros_in_place_of_last_digits_are_no_shorter_number():
    version, record = MESSAGES["R FDMA"]
    lines = record.splitlines()
    lines[1] = lines[1][:60] + "\0\0"  # health lost, and two digits of an exponent
    lines[2] = lines[2][:-2] + "\0\0"
    nav = gc.read_nav(io.BytesIO(records_of(version, "\n".join(lines) + "\n")))
    assert len(nav) == 0
    assert "is not a number" in nav.rejects[0].reason


# --- Memory ----------------------------------------------------------------------------------------------------

_PEAK = """
import re, sys, warnings
from pathlib import Path
import gnss_coop as gc

def status_bytes(field):
    return 1024 * int(re.search(field + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

for path in sys.argv[2:]:
    gc.read_nav(path)  # imports and compiled kernels are in memory now
Path("/proc/self/clear_refs").write_text("5")
start = status_bytes("VmRSS")
gc.read_nav(sys.argv[1], accept_truncated=True)
print(status_bytes("VmHWM") - start)
"""
EPOCH = "R01 2024 01 10 05 15 00\n"
HOSTILE = {
    "lines of one letter": ("3.04", "R\n"),
    "one letter and a line behind it": ("3.04", "R\n   x\n"),
    "marks of frames": ("4.00", ">\n"),
    "marks and a line": ("4.00", ">\n   x\n"),
    "frames without records": ("4.00", "> EPH\nR\n"),
    "offsets of nothing": ("4.00", "> STO\n   x\n"),
    "epochs alone": ("3.04", EPOCH),
    "records without fields": ("3.04", EPOCH + "   x\n" * 3),
    "holes": ("3.04", "\0" * 8 + "x"),
    "labels": ("3.04", " " * 60 + "RINEX VERSION / TYPE\n"),
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are read from Linux's /proc")
@pytest.mark.parametrize("name", [*HOSTILE, "many-frames"])
def test_files_of_garbage_take_at_most_twelve_times_their_size(name: str, tmp_path: Path):
    path = tmp_path / "hostile.rnx"
    if name == "many-frames":
        data = read_bytes(REPORTS / "many-frames.rnx.gz")[1]
    else:
        version, text = HOSTILE[name]
        data = records_of(version, text * (6_000_000 // len(text)))
    path.write_bytes(data)
    small = [ROOT / "sample_rinex" / f for f in ("KMS300DNK_R_20221591000_01H_MN.rnx", "brdc0100.24g.gz")]
    source = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path), *map(str, small)],
        capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": source},
    )  # fmt: skip
    assert int(done.stdout) < 12 * len(data)


def test_a_file_of_garbage_is_told_and_has_no_record():
    nav = gc.read_nav(REPORTS / "many-frames.rnx.gz")
    assert len(nav) == 0
    assert [(r.line, r.reason) for r in nav.rejects] == [
        (3, "line opens no record: no satellite in its first columns (and 1499999 more lines)")
    ]


def test_thousands_of_joined_files_are_refused():
    with pytest.raises(RinexError, match="more than 1000 files are joined to one; split it"):
        gc.read_nav(io.BytesIO(records_of("3.04", "") * 1100))
