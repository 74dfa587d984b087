"""Finding input files: folders, globs, lists, standard input, and what hostile files can do."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest

from gnss_coop.batch.inputs.find import find_inputs, ledger_text
from gnss_coop.batch.inputs.scan import scan_file
from gnss_coop.batch.work.scan_task import guessed_day
from gnss_coop.errors import StudyError

NAMES = {
    "BRDC00IGS_R_20240100000_01D_MN.rnx.gz": True,
    "KMS300DNK_R_20221591000_01H_GN.rnx": True,
    "brdc0100.24n.Z": True,
    "brdc0100.24g": True,
    "abmf1330.18p.gz": True,
    "own.nav": True,
    "rover.gnav": True,
    "Example_Glonass_Rinex400.n": True,
    "brdc.rnx": True,
    "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz": False,
    "CIBG00IDN_R_20240100000_01D_30M_MO.rnx.gz": False,
    "abmf1330.18o": False,
    "abmf1330.18d.Z": False,
    "igl15253.sp3": False,
    "readme.txt": False,
    ".brdc0100.24n": None,
}


def test_folders_give_files_by_name_and_tell_the_others(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    for name in NAMES:
        (deep / name).write_bytes(b"x")
    results = tmp_path / "a" / "results"
    results.mkdir()
    for name in ("ledger.sqlite", "brdc0100.24n"):
        (results / name).write_bytes(b"x")
    found = find_inputs([str(tmp_path)])
    assert {Path(p).name for p in found.paths} == {name for name, taken in NAMES.items() if taken}
    assert {Path(p).name for p in found.others} == {name for name, taken in NAMES.items() if taken is False}
    assert "6 files" in found.tell_others()
    assert "..." in found.tell_others()


def test_zips_in_folders_count_by_the_names_within(tmp_path):
    for zipped, members in {
        "day.zip": ["BRDC00IGS_R_20240100000_01D_MN.rnx"],
        "deep.ZIP": ["2024/010/brdc0100.24g", "readme.txt"],
        "brdc0100.24n.zip": ["whatever"],
        "photos.zip": ["one.jpg", "two.jpg"],
        "empty.zip": [],
    }.items():
        with zipfile.ZipFile(tmp_path / zipped, "w") as archive:
            for member in members:
                archive.writestr(member, b"x")
    (tmp_path / "cut.zip").write_bytes((tmp_path / "day.zip").read_bytes()[:40])
    found = find_inputs([str(tmp_path)])
    assert {Path(p).name for p in found.paths} == {"day.zip", "deep.ZIP", "brdc0100.24n.zip"}
    assert {Path(p).name for p in found.others} == {"photos.zip", "empty.zip", "cut.zip"}


def test_what_is_named_counts_whatever_it_is_called(tmp_path):
    for name in ("one.txt", "two.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert len(find_inputs([str(tmp_path / "one.txt"), str(tmp_path / "*.txt")]).paths) == 2
    listing = tmp_path / "list"
    listing.write_text(f"# files\n\n{tmp_path}/one.txt\n{tmp_path}/**/t*.txt\n")
    assert len(find_inputs([f"@{listing}"]).paths) == 2
    stdin = io.BytesIO(f"{tmp_path}/one.txt\n".encode())
    assert find_inputs(["-"], stdin=stdin).paths == [f"{tmp_path}/one.txt"]


def test_all_that_is_missing_is_told(tmp_path):
    listing = tmp_path / "list"
    listing.write_text(f"{tmp_path}/gone1\n-\n@other\n")
    with pytest.raises(StudyError) as caught:
        find_inputs([str(tmp_path / "gone2"), str(tmp_path / "*.x"), f"@{listing}", "@/no/list", "-"])
    assert len(str(caught.value).splitlines()) == 7


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_by_standard_input_is_kept_by_its_hash(tmp_path, on_day, pack):
    stdin = io.BytesIO(pack(on_day(0)))
    (path,) = find_inputs(["-"], stdin=stdin, spool=tmp_path).paths
    assert Path(path).read_bytes() == on_day(0)
    scan, nav = scan_file(path)
    assert scan.content.sha256 in path
    assert len(nav) == scan.content.n_records > 0


def test_names_that_are_no_text(tmp_path, on_day, batch):
    name = os.fsencode(tmp_path) + b"/d\xff.24g"
    with open(name, "wb") as stream:  # noqa: PTH123  # bytes are no Path
        stream.write(on_day(0))
    summary = batch(tmp_path)
    assert (summary.n_done, summary.n_bad_files) == (1, 0)
    assert batch(tmp_path).n_skipped == 1
    assert ledger_text(os.fsdecode(name)).endswith("d\\xff.24g")


@pytest.mark.parametrize("fault", ["bomb", "members", "traversal", "encrypted-like", "empty", "folder"])
def test_hostile_files_are_bad_and_leave_nothing(fault, tmp_path, on_day, batch, tree):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "good.24g").write_bytes(on_day(0))
    bad = folder / "bad.24g"
    packed = io.BytesIO()
    if fault == "bomb":
        bad.write_bytes(gzip.compress(bytes(64 * 1024**2)))
    elif fault in ("members", "traversal"):
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("../../evil.24g", on_day(1))
            if fault == "members":
                archive.writestr("other.24g", on_day(2))
        bad.write_bytes(packed.getvalue())
    elif fault == "folder":
        bad.mkdir()
    else:
        bad.write_bytes(b"" if fault == "empty" else b"PK\x03\x04" + bytes(100))
    summary = batch(folder, products=("compare",))
    # A member is read, but its name is never used.
    assert summary.n_bad_files == (0 if fault in ("traversal", "folder") else 1)
    assert summary.n_done == (2 if fault == "traversal" else 1)
    assert not list(tmp_path.rglob("evil*"))
    assert all(name.startswith("product=compare/year=2024/day=2024-01-1") for name in tree(tmp_path / "results"))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("BRDC00IGS_R_20240100000_01D_MN.rnx.gz", "2024-01-10"),
        ("brdc3660.96n", "1996-12-31"),
        ("brdc001a.00g.Z", "2000-01-01"),
        ("abcd9990.24g", ""),
        ("BRDC_R_30000010000_", ""),
        ("readme", ""),
    ],
)
def test_guesses(name, day):
    assert guessed_day(name) == day


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are of POSIX systems")
def test_pipes_and_devices_are_bad_and_not_waited_for(tmp_path, on_day, batch):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "brdc0100.24g").write_bytes(on_day(0))
    os.mkfifo(folder / "brdc0110.24g")
    (folder / "brdc0120.24g").symlink_to("/dev/zero")
    summary = batch(folder)
    assert (summary.n_files, summary.n_bad_files, summary.n_done, summary.exit_code) == (3, 2, 1, 3)
    assert all("is a pipe, a device" in why for why in summary.failures.values())


def test_a_name_with_a_line_end_is_a_name(tmp_path):
    (tmp_path / "new\nline.24g").write_bytes(b"x")
    assert find_inputs([str(tmp_path)]).paths == [str(tmp_path / "new\nline.24g")]


def test_a_scan_of_what_is_not_there(tmp_path):
    scan, nav = scan_file(str(tmp_path / "none"))
    assert nav is None
    assert (scan.size, scan.content) == (-1, None)
    assert "no such file" in scan.error
