"""Zarr stores: what is read back, whole chunks, and nothing under the name unless it is complete."""

import importlib
import json
import os
import sys

import numpy as np
import pytest
import xarray as xr

import gnss_coop as gc
from gnss_coop.errors import OutputError
from gnss_coop.maps.field import BLOCK_SIDE, Block, dop_field, field_names
from gnss_coop.maps.zarr_store import write_field, write_zarr

pytest.importorskip("zarr")


@pytest.fixture(scope="module")
def sky():
    return gc.nominal_constellation("R+C", gc.epochs("2027-01-01", hours=6, step_s=3600))


@pytest.fixture(scope="module")
def world(sky):
    return gc.dop_map(sky, gc.GeoGrid(15), mask_deg=[5, 40])


def field(sky, grid, path, **settings):
    coordinates = {"systems": ["R", "C", "R+C"], "mask_deg": [5.0, 40.0], "time": sky["time"].values}
    blocks = dop_field(sky, grid, mask_deg=[5, 40], dops=())
    write_field(blocks, field_names(()), grid, coordinates, {"clocks": "per-system"}, path, **settings)


def test_a_map_comes_back_as_it_was(world, tmp_path):
    write_zarr(world, tmp_path / "dop.zarr")
    back = xr.open_zarr(tmp_path / "dop.zarr", consolidated=True).load()
    xr.testing.assert_identical(back, world)
    assert (tmp_path / "dop.zarr" / ".zmetadata").is_file()
    assert json.loads((tmp_path / "dop.zarr" / ".zgroup").read_text())["zarr_format"] == 2


def test_a_field_comes_back_as_it_was_computed(sky, tmp_path):
    grid = gc.GeoGrid(4)
    field(sky, grid, tmp_path / "field.zarr")
    back = xr.open_zarr(tmp_path / "field.zarr", consolidated=True)
    assert back["pdop"].dims == ("systems", "mask_deg", "time", "lat", "lon")
    assert back["pdop"].encoding["chunks"] == (1, 1, 6, BLOCK_SIDE, BLOCK_SIDE)
    assert (back["lat"].values == grid.latitude_deg).all()
    assert (back["lon"].values == grid.longitude_deg).all()
    assert (back["time"].values == sky["time"].values).all()
    assert back.attrs["clocks"] == "per-system"
    for block in dop_field(sky, grid, mask_deg=[5, 40], dops=()):
        for name, values in zip(("pdop", "n_used"), block.values, strict=True):
            stored = back[name].isel(lat=block.rows, lon=block.columns).values
            np.testing.assert_array_equal(stored, values, err_msg=name)
    # No solution is infinite, and not missing as in netCDF: Zarr readers take neither for the other.
    assert np.isinf(back["pdop"].values).any()
    assert not np.isnan(back["pdop"].values).any()


def test_a_median_of_the_field_is_that_of_the_map(sky, world, tmp_path):
    field(sky, gc.GeoGrid(15), tmp_path / "field.zarr")
    pdop = np.sort(xr.open_zarr(tmp_path / "field.zarr")["pdop"].values, axis=2)
    with np.errstate(invalid="ignore"):
        median = np.where(np.isinf(pdop[:, :, 3]), np.inf, (pdop[:, :, 2] + pdop[:, :, 3]) / 2)
    np.testing.assert_allclose(median, world["pdop_median"].values, rtol=2e-7)


@pytest.mark.parametrize("write", ["map", "field"])
def test_what_exists_is_replaced_only_when_told(sky, world, tmp_path, write):
    path = tmp_path / "dop.zarr"

    def again(**settings):
        if write == "map":
            write_zarr(world, path, **settings)
        else:
            field(sky, gc.GeoGrid(15), path, **settings)

    path.mkdir()
    (path / "old").write_text("kept")
    with pytest.raises(OutputError, match="exists; give another name, or --overwrite"):
        again()
    assert [p.name for p in path.iterdir()] == ["old"]
    again(overwrite=True)
    assert not (path / "old").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["dop.zarr"]


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), RuntimeError("made for the test")])
def test_nothing_is_left_of_a_field_that_was_broken_off(sky, tmp_path, fault):
    grid = gc.GeoGrid(4)

    def broken():
        for n, block in enumerate(dop_field(sky, grid, "R", mask_deg=5, dops=())):
            if n == 3:
                assert [p.suffix for p in tmp_path.iterdir()] == [".tmp"]
                raise fault
            yield block

    coordinates = {"systems": ["R"], "mask_deg": [5.0], "time": sky["time"].values}
    with pytest.raises(type(fault)):
        write_field(broken(), ["pdop", "n_used"], grid, coordinates, {}, tmp_path / "field.zarr")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_the_old_store(world, tmp_path):
    path = tmp_path / "dop.zarr"
    write_zarr(world, path)

    def full():
        yield Block(slice(0, 12), slice(0, 24), np.zeros((2, 1, 1, 1, 12, 24), np.float32))
        raise OSError(28, os.strerror(28))

    coordinates = {"systems": ["R"], "mask_deg": [5.0], "time": [np.datetime64("2027-01-01", "ns")]}
    with pytest.raises(OutputError, match=r"cannot write .*dop\.zarr: No space left on device"):
        write_field(full(), ["pdop", "n_used"], gc.GeoGrid(15), coordinates, {}, path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["dop.zarr"]
    xr.testing.assert_identical(xr.open_zarr(path).load(), world)


def test_a_file_of_that_name_is_replaced_too_and_so_is_what_a_link_leads_to(world, tmp_path):
    (tmp_path / "dop.zarr").write_text("a file")
    (tmp_path / "link.zarr").symlink_to("dop.zarr")
    for name in ("dop.zarr", "link.zarr"):
        write_zarr(world, tmp_path / name, overwrite=True)
        xr.testing.assert_identical(xr.open_zarr(tmp_path / "dop.zarr").load(), world)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["dop.zarr", "link.zarr"]
    assert (tmp_path / "link.zarr").is_symlink()


def test_without_the_package_zarr_it_is_said_how_to_get_it(world, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(OutputError, match=r"pip install 'gnss-coop\[map\]'"):
        write_zarr(world, tmp_path / "dop.zarr")
    monkeypatch.undo()
    assert importlib.import_module("zarr")
    assert list(tmp_path.iterdir()) == []
