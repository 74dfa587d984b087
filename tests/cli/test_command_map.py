"""`gnss-coop map`: the same numbers as from Python, files, rules, and every wrong question before hours of work."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import gnss_coop as gc

NOMINAL = ("--nominal", "R,C", "--epoch", "2027-01-01", "--hours", 6, "--step", 3600)
COARSE = ("--grid", 15, "--quiet")
COLUMNS = [
    "systems", "mask_deg", "pdop_median", "pdop_median_worst", "availability_mean_pct", "availability_worst_pct",
    "worst_latitude_deg", "worst_longitude_deg", "n_used_mean", "n_used_least",
    "completeness_pct", "shown_pct",
]  # fmt: skip


def nominal_sky():
    return gc.nominal_constellation("R+C", gc.epochs("2027-01-01", hours=6, step_s=3600))


def same_rows(result, summary):
    assert (result.code, result.err) == (0, "")
    assert result.table.columns.tolist() == [*COLUMNS, "day", "start_gpst", "end_gpst", "source"]
    for (_, ours), (_, truth) in zip(result.table[COLUMNS].iterrows(), summary.iterrows(), strict=True):
        assert [v for v in ours.tolist() if v == v] == [v for v in truth.tolist() if v == v]


# --- The same as from Python --------------------------------------------------------------------------------


def test_a_nominal_map_is_that_of_python(run):
    result = run("map", *NOMINAL, *COARSE, "--mask", "5,40", "--clocks", "prior:5", "--format", "csv")
    world = gc.dop_map(nominal_sky(), gc.GeoGrid(15), mask_deg=[5, 40], clocks="prior:5")
    same_rows(result, gc.map_summary(world))


def test_a_real_day_is_that_of_python(run, day):
    span = ("--start", "2024-01-10T06:00", "--hours", 4, "--step", 1200)
    places = ("--grid", 5, "--region", "50,60,170,-170")
    result = run("map", day, *span, *places, "--mask", 25, "--max-pdop", 3, "--format", "csv", "--quiet")
    sky = gc.satellite_positions(gc.read_nav(day), gc.epochs("2024-01-10T06:00", hours=4, step_s=1200), systems="RC")
    world = gc.dop_map(sky, gc.GeoGrid(5, (50, 60, 170, -170)), mask_deg=25, limit=3)
    same_rows(result, gc.map_summary(world))


def test_satellites_can_be_left_out_of_a_nominal_map_too(run):
    result = run("map", *NOMINAL, *COARSE, "--exclude-sv", "R04,R21", "--format", "csv")
    same_rows(result, gc.map_summary(gc.dop_map(nominal_sky().drop_sel(sv=["R04", "R21"]), gc.GeoGrid(15))))
    run("map", *NOMINAL, *COARSE, "--exclude-sv", "R04,R99").refused("R99")


def test_points_from_a_file(run, tmp_path):
    (tmp_path / "towns.csv").write_text(
        "name,latitude_deg,longitude_deg,height_m\nHarbin,45.75,126.64,150\nPole,90,0,0\n"
    )
    result = run("map", *NOMINAL, "--points", "towns.csv", "-o", "towns.nc", "--quiet", "--format", "csv")
    points = gc.GeoPoints.of(["Harbin", "Pole"], [45.75, 90], [126.64, 0], [150, 0])
    world = gc.dop_map(nominal_sky(), points)
    same_rows(result, gc.map_summary(world))
    with xr.open_dataset("towns.nc") as back:
        assert back["point"].values.tolist() == ["Harbin", "Pole"]
        # 5e-5: what netCDF files are rounded to.
        np.testing.assert_allclose(back["pdop_median"].values, world["pdop_median"].values, rtol=5e-5)


def test_a_mask_may_come_twice(run):
    table = run("map", *NOMINAL, *COARSE, "--mask", "5,5", "--systems", "R", "--format", "csv").table
    assert (table.iloc[0] == table.iloc[1]).drop(["worst_latitude_deg", "worst_longitude_deg"]).all()


def test_files_hold_the_map_and_percentiles_that_were_asked_for(run):
    pytest.importorskip("zarr")
    pytest.importorskip("tifffile")
    outputs = ("-o", "a.nc", "-o", "a.zarr", "-o", "a.tif")
    result = run("map", *NOMINAL, "--grid", 15, "--mask", "5,40", "--percentiles", "90,99", *outputs)
    assert result.code == 0
    assert [line for line in result.err.splitlines() if "wrote" in line] == [
        "wrote a.nc",
        "wrote a.zarr",
        "wrote a.tif",
    ]
    assert "GeoTIFF show the first mask, 5 deg" in result.err
    world = gc.dop_map(nominal_sky(), gc.GeoGrid(15), mask_deg=[5, 40], percentiles=[50, 90, 99, 100])
    zarr = xr.open_zarr("a.zarr").load()
    assert set(zarr.data_vars) == set(world.data_vars)
    for name in world.data_vars:
        xr.testing.assert_equal(zarr[name], world[name])
    with xr.open_dataset("a.nc") as back:
        assert back["pdop_p99"].sizes == world["pdop_p99"].sizes
    import tifffile

    np.testing.assert_array_equal(tifffile.imread("a.tif"), world["pdop_median"].values[:, 0, ::-1])
    quiet = run("map", *NOMINAL, "--grid", 30, "--mask", "5,40", "-o", "b.nc")
    assert "first mask" not in quiet.err


def test_time_is_kept_in_zarr(run):
    pytest.importorskip("zarr")
    result = run("map", *NOMINAL, "--grid", 15, "--mask", 40, "--keep-time", "field.zarr", "--clocks", "common")
    assert result.code == 0
    # 4 variables, 3 scenarios, 6 epochs, 12 by 24 cells, 4 bytes
    assert f"field.zarr will hold up to {4 * 3 * 6 * 12 * 24 * 4 / 1e6:.1f} MB" in result.err
    assert "wrote field.zarr" in result.err
    field = xr.open_zarr("field.zarr")
    assert dict(field["pdop"].sizes) == {"systems": 3, "mask_deg": 1, "time": 6, "lat": 12, "lon": 24}
    assert {"pdop", "hdop", "vdop", "n_used"} <= set(field.data_vars)
    assert field.attrs["clocks"] == "common"
    worst = gc.dop_map(nominal_sky(), gc.GeoGrid(15), mask_deg=40, clocks="common")["pdop_worst"]
    np.testing.assert_allclose(field["pdop"].max("time").values[:, 0], worst.values, rtol=2e-7)


# --- Rules --------------------------------------------------------------------------------------------------


def test_a_rule_sets_what_is_computed_and_is_judged(run):
    span = ("--nominal", "G", "--epoch", "2027-01-01", "--hours", 1, "--systems", "G")
    ignored = ("--grid", 30, "--mask", 60, "--step", 1800, "--max-pdop", 1)
    result = run("map", *span, *ignored, "--rule", "gps-sps", "--format", "json", "-o", "rule.nc")
    rows = json.loads(result.out)
    assert [row["systems"] for row in rows] == ["G"]
    assert {(row["rule"], row["met"], row["mask_deg"]) for row in rows} == {("gps-sps", True, 5.0)}
    assert "at least 98 % over the globe and 88 % at the worst place" in result.err
    assert "computed over 0.0417 d" in result.err
    with xr.open_dataset("rule.nc") as back:
        assert (back.attrs["rule"], back.attrs["n_epochs"], back.attrs["step_s"]) == ("gps-sps", 15, 240.0)
        assert back.sizes["lat"] == 180


def test_a_rule_that_is_not_met_and_one_that_promises_nothing(run):
    few = ("--nominal", "R", "--systems", "R", "--epoch", "2027-01-01", "--hours", 1, "--quiet")
    halved = ",".join(f"R{n:02d}" for n in range(1, 25, 2))
    result = run("map", *few, "--exclude-sv", halved, "--rule", "bds-os")
    assert "at the worst place: not met\n" in result.out
    (row,) = run("map", *few, "--rule", "iac", "--format", "csv").table.itertuples()
    assert row.rule == "iac"
    assert np.isnan(row.met)


# --- Wrong questions ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--grid", 0), "above 0 and at most 90"),
        (("--grid", -1), "above 0 and at most 90"),
        (("--grid", "nan"), "above 0 and at most 90"),
        (("--grid", 360), "above 0 and at most 90"),
        (("--grid", 7), "does not divide"),
        (("--grid", 0.001), "cells"),
        (("--grid", "1e-320"), "cells"),
        (("--region", "0,10,0"), "four bounds"),
        (("--region", "60,50,0,10"), "must rise"),
        (("--region", "0,10,5,5"), "must differ"),
        (("--region", "0,95,0,10"), "-90 to 90"),
        (("--region", "0,10,0,190"), "-180 to 180"),
        (("--region", "0,10.5,0,10"), "does not divide"),
        (("--region", "a,b,c,d"), "list of numbers"),
        (("--points", "nowhere.csv"), "nowhere.csv"),
        (("--points", "x.csv", "--region", "0,10,0,10"), "--points goes without"),
        (("--points", "x.csv", "--keep-time", "x.zarr"), "--points goes without"),
        (("--mask", 95), "95"),
        (("--mask", "nan"), "mask"),
        (("--max-pdop", 0), "largest PDOP"),
        (("--percentiles", 101), "between 0 and 100"),
        (("--threads", 0), "--threads"),
        (("--rule", "none"), "unknown rule 'none'"),
        (("--systems", "X"), "'X'"),
        (("--clocks", "free"), "'free'"),
        (("--systems", "E"), "no system of --systems E"),
        (("-o", "dop.gif"), "must end in .nc, .zarr, .tif, .png, .svg"),
        (("-o", "dop"), "must end in"),
        (("--plot", "dop.nc"), "must end in .png, .svg"),
        (("--keep-time", "dop.nc"), "must end in .zarr"),
        (("-o", "nowhere/dop.nc"), "no folder nowhere"),
        (("-o", "there.nc"), "there.nc exists"),
        (("--plot", "there.png"), "there.png exists"),
        (("--keep-time", "there.zarr"), "there.zarr exists"),
        (("-o", "a.nc", "--variable", "speed"), None),  # netCDF takes all variables
        (("-o", "a.tif", "--variable", "speed"), "'speed'"),
        (("somewhere.rnx",), "--nominal goes without navigation files"),
    ],
)
def test_wrong_questions(run, tmp_path, monkeypatch, arguments, words):
    for name in ("there.nc", "there.png"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "there.zarr").mkdir()
    before = sorted(p.name for p in tmp_path.iterdir())
    result = run("map", *NOMINAL, "--grid", 30, *arguments, "--quiet")
    if words is None:
        assert result.code == 0
        return
    result.refused(words)
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert (tmp_path / "there.nc").read_text() == "mine"


def test_a_folder_without_the_right_to_write(run, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    run("map", *NOMINAL, *COARSE, "-o", "dop.nc").refused("permission denied")


def test_what_is_missing_is_said(run):
    run("map").refused("give navigation files", "--nominal with --epoch")
    run("map", "--nominal", "R").refused("--epoch T")
    run("map", "--nominal", "X", "--epoch", "2027-01-01").refused("'X'")
    run("map", "nowhere.rnx").refused("nowhere.rnx")


def test_overwrite_replaces(run, tmp_path):
    (tmp_path / "dop.nc").write_text("old")
    assert run("map", *NOMINAL, *COARSE, "-o", "dop.nc", "--overwrite").code == 0
    assert (tmp_path / "dop.nc").read_bytes().startswith(b"\x89HDF")


def test_time_that_does_not_fit_the_disk_is_refused_before_anything_is_computed(run, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    monkeypatch.setattr("gnss_coop.maps.job.MapJob.compute", lambda *_: pytest.fail("it was computed"))
    result = run("map", *NOMINAL, "--grid", 1, "-o", "dop.nc", "--keep-time", "field.zarr")
    result.refused("field.zarr would hold up to", "free")
    assert [p.name for p in tmp_path.iterdir() if p.suffix != ".toml"] == []


# --- Interruption -------------------------------------------------------------------------------------------


def interrupted(process):
    """Send SIGINT, and expect exit code 130, one line on standard error at the end, and no traceback."""
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    # `python -m` ends by the signal itself if that came while numba executed source text; shells see 130 then too.
    assert process.returncode in (130, -signal.SIGINT)
    assert out == b""
    assert b"Traceback" not in err
    assert err.splitlines()[-1] == b"gnss-coop: interrupted"


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize("moment", ["calculating", "writing"])
def test_interruption_gives_130_and_leaves_no_file(start, tmp_path, moment):
    # Runners of tests and shells ignore SIGINT in what they start in the background, and children inherit that.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    # The map of the first takes seconds, and so do the 72 blocks of the second, each of which is soon done.
    work = {
        "calculating": ("--grid", 0.5, "--step", 60, "-o", "dop.nc"),
        "writing": ("--grid", 1, "--systems", "R", "--threads", 1),
    }
    process = start(
        "map", "--nominal", "R,C", "--epoch", "2027-01-01", *work[moment], "--keep-time", "field.zarr", preexec_fn=heed
    )
    assert b"field.zarr will hold up to" in process.stderr.readline()
    deadline = time.monotonic() + 30
    if moment == "writing":
        while not any(tmp_path.glob(".field.zarr.*.tmp/pdop/0.*")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    else:
        time.sleep(0.3)
    assert process.poll() is None, "it was over too early"
    interrupted(process)
    assert list(tmp_path.iterdir()) == []


def targets(folder):
    """What the links in a folder point to, but for those that are gone by then."""
    for link in folder.iterdir():
        with suppress(OSError):
            yield str(link.readlink())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells the open files")
def test_interruption_of_a_large_map_leaves_no_scratch_file(start, tmp_path):
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    large = ("--grid", 0.25, "--step", 300, "-o", "dop.nc")
    process = start("map", "--nominal", "R,C", "--epoch", "2027-01-01", *large, preexec_fn=heed)
    deadline = time.monotonic() + 60
    # The scratch file has no name: Linux shows it among the files that the process has open.
    opened = Path(f"/proc/{process.pid}/fd")
    while process.poll() is None and not any("/map.nc" in target for target in targets(opened)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.poll() is None, "it was over too early"
    interrupted(process)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux tells the open files")
def test_a_large_map_that_is_killed_leaves_nothing(start, tmp_path):
    process = start("map", "--nominal", "R,C", "--epoch", "2027-01-01", "--grid", 0.25, "--step", 300, "-o", "dop.nc")
    deadline = time.monotonic() + 60
    opened = Path(f"/proc/{process.pid}/fd")
    while process.poll() is None and not any("/map.nc (deleted)" in target for target in targets(opened)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert process.poll() is None, "it was over too early"
    while any(tmp_path.glob(".gnss-coop-*")):  # the folder goes just after the file's name
        assert time.monotonic() < deadline
    process.kill()
    process.wait(10)
    assert list(tmp_path.iterdir()) == []


# --- Memory -------------------------------------------------------------------------------------------------

PEAK = """
import re, sys
from pathlib import Path
from gnss_coop.cli import main
code = main.run(sys.argv[1:])
print(code, re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells the peak")
def test_a_large_map_takes_no_more_memory_than_promised(tmp_path):
    pytest.importorskip("tifffile")
    # 720 by 1440 cells, 3 scenarios, 3 masks, 14 variables, 4 bytes: a map of 520 MB, which once took 1070 MB.
    asked = ("--nominal", "R,C", "--epoch", "2027-01-01", "--step", "43200", "--grid", "0.25", "--mask", "5,15,25")
    command = [sys.executable, "-c", PEAK, "map", *asked, "-o", "dop.nc", "-o", "dop.tif", "--quiet"]
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    code, peak_kib = map(int, out.splitlines()[-1].split())
    assert code == 0
    assert peak_kib * 1024 < 800e6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dop.nc", "dop.tif"]


def test_a_large_map_is_refused_where_the_disk_has_no_room_for_it(run, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**8))
    monkeypatch.setattr("gnss_coop.maps.job.MapJob.compute", lambda *_: pytest.fail("it was computed"))
    result = run("map", *NOMINAL, "--grid", 0.25, "-o", "dop.nc")
    result.refused("map of 0.2 GB", "0.1 GB free", "another disk")
    assert list(tmp_path.iterdir()) == []
