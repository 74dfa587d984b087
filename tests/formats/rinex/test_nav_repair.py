"""Files written back without their faults: the same records for us, and records at all for RTKLIB."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex.nav_repair import repair_nav

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "sample_rinex"
REPORTS = ROOT / "tests/data/public_reports"


def same_records(a: gc.Ephemerides, b: gc.Ephemerides) -> None:
    """Expect the same records, field by field, but for words that are none."""
    assert a.table.names() == b.table.names()
    assert a.table.message.tolist() == b.table.message.tolist()
    assert a.table.toc_ns.tolist() == b.table.toc_ns.tolist()
    assert np.array_equal(a.table.fields, b.table.fields, equal_nan=True)
    assert a.derived.toe_ns.tolist() == b.derived.toe_ns.tolist()
    assert a.derived.healthy.tolist() == b.derived.healthy.tolist()
    assert [(f.kind, f.sv, f.label, f.epoch_ns, str(f.values)) for f in a.frames] == [
        (f.kind, f.sv, f.label, f.epoch_ns, str(f.values)) for f in b.frames
    ]


def repaired(data: bytes) -> bytes:
    """Repair a file, and expect that nothing is left to repair or reject and that lines are RINEX's."""
    done = repair_nav(io.BytesIO(data), accept_truncated=True)
    nav = gc.read_nav(io.BytesIO(done.data))
    assert not nav.rejects
    assert not nav.repairs
    assert nav.n_duplicates == 0
    same_records(nav, done.nav)
    assert done.n_lost == 0
    lines = done.data.decode("ascii").split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[0][60:80] == "RINEX VERSION / TYPE"
    assert lines[-1] == ""
    return done.data


def rtklib_records(data: bytes, folder: Path) -> Iterator[tuple[str, int]]:
    """Yield satellite and reference time [s of GPST since 1970] of what RTKLIB reads."""
    rtk = pytest.importorskip("pyrtklib")
    path = folder / "repaired.rnx"
    path.write_bytes(data)
    nav = rtk.nav_t()
    assert rtk.readrnx(str(path), 0, "", rtk.obs_t(), nav, rtk.sta_t()) == 1
    names = {rtk.satid2no(sv): sv for sv in (f"{letter}{prn:02d}" for letter in "GRECJI" for prn in range(1, 64))}
    for records, count in ((nav.eph, nav.n), (nav.geph, nav.ng)):
        for i in range(count):
            yield names[records[i].sat], round(records[i].toe.time + records[i].toe.sec)


def our_records(nav: gc.Ephemerides, systems: str) -> set[tuple[str, int]]:
    unix_s = nav.derived.toe_ns // 10**9 + 315_964_800  # 1980-01-06
    return {(sv, int(t)) for sv, t in zip(nav.table.names(), unix_s, strict=True) if sv[0] in systems}


REPORTED = ["unused-field-garbage.rnx.gz", "glonass-tags-1s-late.rnx.gz", "blank-first-line.rnx.gz", "nav.tar.gz"]


@pytest.mark.parametrize("name", REPORTED)
def test_reported_files_become_clean_and_rtklib_reads_all_of_their_records(name: str, tmp_path: Path):
    data = repaired(read_bytes(REPORTS / name)[1])
    nav = gc.read_nav(REPORTS / name)
    assert set(rtklib_records(data, tmp_path)) == our_records(nav, "RC")


@pytest.mark.parametrize("name", ["brdc0100.24g.gz", "brdc0100.24n.gz"])
def test_version_2_keeps_its_form(name: str, tmp_path: Path):
    _, original = read_bytes(SAMPLES / name)
    data = repaired(original)
    # But for what was rejected or repaired, the file is what it was.
    new = data.decode().splitlines()
    old = {line.rstrip() for line in original.decode("latin-1").splitlines()}
    assert len([line for line in new if line not in old]) == len(gc.read_nav(SAMPLES / name).repairs)
    assert set(rtklib_records(data, tmp_path)) == our_records(gc.read_nav(io.BytesIO(data)), "RG")


def test_a_mixed_day_loses_duplicates_and_rejects_only(tmp_path: Path):
    path = SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
    _, original = read_bytes(path)
    data = repaired(original)
    assert {*data.decode().splitlines()} <= {line.rstrip() for line in original.decode("latin-1").splitlines()}
    found = set(rtklib_records(data, tmp_path))
    ours = our_records(gc.read_nav(path), "GREC")
    assert ours <= found


@pytest.mark.parametrize(
    "name", ["KMS300DNK_R_20221591000_01H_MN.rnx", "Example_Beidou_Rinex400.n", "Example_Glonass_Rinex400.n"]
)
def test_version_4_keeps_its_messages_and_other_frames(name: str):
    _, original = read_bytes(SAMPLES / name)
    data = repaired(original)
    body = [line.rstrip() for line in original.decode().splitlines() if line.strip()]
    assert [line for line in data.decode().splitlines() if line.strip()] == body


def test_damage_of_all_kinds_at_once():
    _, data = read_bytes(REPORTS / "blank-first-line.rnx.gz")
    text = data.decode()
    at = text.index("\n", 9000) + 1
    remark = "M\xe4rz".ljust(60) + "COMMENT\n"
    text = remark + text[:at] + "\0" * 900 + text[at + 900 :] + "X07 2024 01 10 05 00 00 1.0\n    1.0\n"
    text = text.replace("\n", "\r\n").replace("E+05\r\n", "D+05   \r\n")
    data = repaired(text.encode("latin-1"))
    assert data.count(b"\r") == 0
    assert data.splitlines()[1].startswith(b"M?rz")


def test_joined_files_of_version_3_become_one(tmp_path: Path):
    parts = {
        s: repaired(read_bytes(REPORTS / f"{s}.rnx.gz")[1]) for s in ("unused-field-garbage", "glonass-tags-1s-late")
    }
    data = repaired(b"".join(parts.values()))
    assert data.startswith(b"     3.04           N: GNSS NAV DATA    M: MIXED            RINEX VERSION / TYPE")
    assert data.count(b"END OF HEADER") == 1
    nav = gc.read_nav(io.BytesIO(data))
    same_records(nav, gc.read_nav([io.BytesIO(part) for part in parts.values()]))
    assert set(rtklib_records(data, tmp_path)) == our_records(nav, "RC")


def test_joined_files_of_version_2_and_two_systems_cannot_be_one():
    with pytest.raises(RinexError, match="split it before line 441 and repair its parts"):
        repair_nav(REPORTS / "two-files-in-one.24n.gz")


def test_a_cut_file_is_repaired_only_if_that_is_asked_for():
    _, data = read_bytes(REPORTS / "blank-first-line.rnx.gz")
    with pytest.raises(RinexError, match="truncated"):
        repair_nav(io.BytesIO(data[:-500]))
    repaired(data[:-500])
