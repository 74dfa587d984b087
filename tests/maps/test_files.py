"""Which kinds of map files there are, and outputs that are refused before anything is computed."""

import os
import shutil
from collections import namedtuple

import numpy as np
import pytest
import xarray as xr

from gnss_coop.errors import OutputError
from gnss_coop.maps.files import KINDS, PICTURES, check_room, check_target, write_map

NEEDS = {".zarr": "zarr", ".tif": "tifffile", ".png": "matplotlib", ".svg": "matplotlib"}


@pytest.fixture
def world():
    """A small map of two scenarios and two masks."""
    values = np.arange(2 * 2 * 6 * 12, dtype=np.float32).reshape(2, 2, 6, 12) / 64 + 1
    dims = ("systems", "mask_deg", "lat", "lon")
    return xr.Dataset(
        {"pdop_median": (dims, values, {"units": "1", "long_name": "median PDOP"})},
        coords={
            "systems": ["R", "R+C"], "mask_deg": [5.0, 25.0], "supplemented_by": ("systems", ["R+C", ""]),
            "lat": np.arange(-75.0, 90, 30), "lon": np.arange(-165.0, 180, 30),
        },
        attrs={"files": ["a.rnx"], "max_pdop": 6.0},
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_written_under_its_name_and_nothing_else(world, tmp_path, kind):
    pytest.importorskip(NEEDS.get(kind, "numpy"))
    name = f"dop{kind.upper()}"  # whatever its case
    write_map(world, str(tmp_path / name), mask_deg=25.0, variable="pdop_median")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    heads = {".nc": b"\x89HDF", ".tif": b"II*\0", ".png": b"\x89PNG", ".svg": b"<?xml"}
    if kind != ".zarr":
        assert (tmp_path / name).read_bytes().startswith(heads[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_what_exists_is_kept_unless_told_otherwise(world, tmp_path, kind):
    pytest.importorskip(NEEDS.get(kind, "numpy"))
    path = str(tmp_path / f"dop{kind}")
    write_map(world, path, mask_deg=5.0)
    with pytest.raises(OutputError, match=r"exists.*--overwrite"):
        write_map(world, path, mask_deg=5.0)
    write_map(world, path, mask_deg=5.0, overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == [f"dop{kind}"]


def test_the_chosen_mask_is_written(world, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    write_map(world, str(tmp_path / "dop.tif"), mask_deg=25.0, variable="pdop_median")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "dop.tif"), world["pdop_median"].values[:, 1, ::-1])


@pytest.mark.parametrize("name", ["dop", "dop.gif", "dop.nc.gz", ".nc", "dop.", "dop.tiff", "-"])
def test_unknown_kinds(tmp_path, name):
    with pytest.raises(OutputError, match=r"must end in \.nc, \.zarr, \.tif, \.png, \.svg"):
        check_target(str(tmp_path / name), overwrite=False)


def test_only_pictures_where_pictures_are_wanted(tmp_path):
    check_target(str(tmp_path / "dop.png"), overwrite=False, kinds=PICTURES)
    with pytest.raises(OutputError, match=r"must end in \.png, \.svg$"):
        check_target(str(tmp_path / "dop.nc"), overwrite=False, kinds=PICTURES)


def test_a_folder_must_be_there_and_open(tmp_path):
    with pytest.raises(OutputError, match="there is no folder"):
        check_target(str(tmp_path / "maps" / "dop.nc"), overwrite=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="there is no folder"):
        check_target(str(tmp_path / "file" / "dop.nc"), overwrite=False)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(OutputError, match="permission denied"):
        check_target(str(closed / "dop.nc"), overwrite=False)


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(OutputError, match="permission denied:"):
        check_target(str(tmp_path / "dop.nc"), overwrite=False)


def test_room_on_the_disk(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    asked = []
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage(10**12, 0, 5 * 10**9))
    check_room(str(tmp_path / "field.zarr"), 5 * 10**9)
    with pytest.raises(OutputError, match=r"up to 5\.2 GB, but its disk has 5\.0 GB free"):
        check_room(str(tmp_path / "field.zarr"), 52 * 10**8)
    assert asked == [tmp_path] * 2
