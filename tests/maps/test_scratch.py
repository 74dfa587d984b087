"""Maps in a scratch file: the same numbers as in memory, and a folder that is gone whatever happens."""

import os
import shutil
from collections import namedtuple

import numpy as np
import pytest
import xarray as xr

import gnss_coop as gc
from gnss_coop.errors import GridError, OutputError
from gnss_coop.maps import job as map_job
from gnss_coop.maps import scratch as map_scratch
from gnss_coop.maps.files import write_map
from gnss_coop.maps.job import MapJob
from gnss_coop.maps.scratch import computed_map

GRIDS = {
    "world": gc.GeoGrid(3),
    "antimeridian": gc.GeoGrid(1, (40, 70, 130, -160)),
    "one row": gc.GeoGrid(1, (10, 11, -180, 180)),
    "one column": gc.GeoGrid(1, (-90, 90, 20, 21)),
    "points": gc.GeoPoints.of(range(500), np.linspace(-90, 90, 500), np.linspace(-180, 180, 500), 100.0),
}
THREE = ["R", "C", "R+C"]
ASKED = [
    ("R", {"mask_deg": 5.0}),
    (THREE, {"mask_deg": [5.0, 40.0], "clocks": "prior:5", "percentiles": [90, 99.9]}),
    (["R+C"], {"mask_deg": [25.0], "clocks": "common", "dops": ["tdop"], "limit": 3.0}),
]


@pytest.fixture(scope="module")
def sky():
    return gc.nominal_constellation("R+C", gc.epochs("2027-01-01", hours=6, step_s=3600))


@pytest.fixture
def small_parts(monkeypatch):
    """Let even small maps be of many parts."""
    monkeypatch.setattr(map_job, "PART_BYTES", 2**15)
    monkeypatch.setattr(map_scratch, "PART_BYTES", 2**10)


@pytest.mark.parametrize("place", GRIDS)
@pytest.mark.parametrize(("systems", "settings"), ASKED)
def test_a_map_in_parts_is_the_map(sky, tmp_path, monkeypatch, place, systems, settings):
    whole = gc.dop_map(sky, GRIDS[place], systems, **settings)  # small enough for one part
    monkeypatch.setattr(map_job, "PART_BYTES", 2**12)
    monkeypatch.setattr(map_scratch, "PART_BYTES", 2**10)
    job = MapJob.of(sky, GRIDS[place], systems, **settings)
    assert len(list(job.parts())) > 1
    seen = []
    with computed_map(job, tmp_path, lambda done, total: seen.append((done, total))) as world:
        # POSIX systems let an open file have no name, so that nothing is left however the program ends.
        assert [p.name[:11] for p in tmp_path.iterdir()] == ([] if os.name == "posix" else [".gnss-coop-"])
        xr.testing.assert_identical(world.load(), whole)
        assert list(world.data_vars) == list(whole.data_vars)
    assert list(tmp_path.iterdir()) == []
    assert seen == sorted(set(seen))
    assert seen[-1][0] == seen[-1][1]
    xr.testing.assert_identical(gc.dop_map(sky, GRIDS[place], systems, **settings), whole)  # in parts, but in memory


def test_values_are_read_when_they_are_asked_for(sky, tmp_path, small_parts):
    with computed_map(MapJob.of(sky, gc.GeoGrid(6), "R+C"), tmp_path) as world:
        layer = world["pdop_median"][0, 3:5]
        assert not world["pdop_median"]._in_memory
        summary = gc.map_summary(world)
        assert layer.values.shape == (2, 60)
        assert not world["pdop_median"]._in_memory
    assert summary.equals(gc.map_summary(gc.dop_map(sky, gc.GeoGrid(6), "R+C")))


def test_a_small_map_needs_no_file(sky, tmp_path):
    with computed_map(MapJob.of(sky, gc.GeoGrid(6), "R+C"), tmp_path / "nowhere") as world:
        xr.testing.assert_identical(world, gc.dop_map(sky, gc.GeoGrid(6), "R+C"))


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), ValueError("made for the test")])
@pytest.mark.parametrize("when", ["computing", "using"])
def test_nothing_is_left_when_it_is_broken_off(sky, tmp_path, small_parts, fault, when):
    def progress(done, total):
        if when == "computing" and done > total / 2:
            assert bool(list(tmp_path.iterdir())) == (os.name != "posix")
            raise fault

    def use():
        with computed_map(MapJob.of(sky, gc.GeoGrid(3), THREE), tmp_path, progress) as world:
            assert when == "using"
            assert world["pdop_median"].values.size
            raise fault

    with pytest.raises(type(fault)):
        use()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("NetCDF: HDF error")])
def test_a_full_disk_is_told_and_nothing_is_left(sky, tmp_path, small_parts, monkeypatch, error):
    def full(*_):
        raise error

    monkeypatch.setattr(MapJob, "compute", full)
    with (
        pytest.raises(OutputError, match=r"cannot keep the map in .* meanwhile: N"),
        computed_map(MapJob.of(sky, gc.GeoGrid(3), THREE), tmp_path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(sky, tmp_path, small_parts, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("usage", "total used free")(10**12, 0, 10**12))
    with (
        pytest.raises(OutputError, match=r"nowhere meanwhile: No such file"),
        computed_map(MapJob.of(sky, gc.GeoGrid(3), THREE), tmp_path / "nowhere"),
    ):
        pass


def test_too_little_room_is_told_before_anything_is_computed(sky, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 0, 10**9))
    monkeypatch.setattr(MapJob, "compute", lambda *_: pytest.fail("it was computed"))
    # 1800 by 3600 cells, 3 scenarios, 9 percentiles and 5 numbers besides, 4 bytes
    with (
        pytest.raises(OutputError, match=r"map of 1\.1 GB .* has 1\.0 GB free"),
        computed_map(MapJob.of(sky, gc.GeoGrid(0.1), THREE), tmp_path),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_the_memory_for_parts_is_told(sky, tmp_path, monkeypatch):
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.get)
    with (
        pytest.raises(GridError, match=r"about 0\.1 GB of memory"),
        computed_map(MapJob.of(sky, gc.GeoGrid(0.1), THREE), tmp_path),
    ):
        pass


def test_every_kind_of_file_is_the_same_written_in_blocks_from_a_scratch_file(sky, tmp_path, small_parts, monkeypatch):
    tifffile, _ = pytest.importorskip("tifffile"), pytest.importorskip("zarr")
    picture = {"mask_deg": 40.0, "variable": "pdop_median", "projection": "robinson", "gain": False}
    whole = gc.dop_map(sky, gc.GeoGrid(6), mask_deg=[5, 40])
    kinds, folder = (".nc", ".zarr", ".tif", ".png", ".svg"), tmp_path / "whole"
    folder.mkdir()
    for kind in kinds:
        write_map(whole, str(folder / f"dop{kind}"), **picture)
    monkeypatch.setattr("gnss_coop.model.grid._BLOCK_CELLS", 7 * 60)
    monkeypatch.setattr("gnss_coop.output.geotiff._STRIP_BYTES", 3 * 60 * 4)
    with computed_map(MapJob.of(sky, gc.GeoGrid(6), THREE, mask_deg=[5, 40]), tmp_path) as world:
        for kind in kinds:
            write_map(world, str(tmp_path / f"dop{kind}"), **picture)
        assert not world["pdop_median"]._in_memory
    xr.testing.assert_identical(xr.open_zarr(tmp_path / "dop.zarr").load(), whole)
    with xr.open_dataset(tmp_path / "dop.nc") as one, xr.open_dataset(folder / "dop.nc") as two:
        xr.testing.assert_identical(one.load(), two.load())
        assert one["pdop_median"].encoding["chunksizes"] == (1, 1, 7, 60)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "dop.tif"), tifffile.imread(folder / "dop.tif"))
    for name in ("dop.png", "dop.svg"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
