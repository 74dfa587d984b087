"""netCDF: the CF checker finds no fault, other libraries read the same values, files appear whole or not at all."""

from pathlib import Path

import netCDF4
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gnss_coop.errors import GnssCoopError, OutputError
from gnss_coop.output.netcdf import round_bits, write_netcdf

# Four significant digits: half a unit of the fourth one is at most 5e-5 of the value.
RELATIVE_ERROR = 5e-5
MAPS = ["world", "bering", "places"]
# The checker wants two dimensions for the bounds of every time; CF 7.1 gives those of a scalar one dimension.
KNOWN_COMPLAINT = "Boundary variable time_bnds specified by time should have at least two dimensions"


def is_passed(value):
    """A result of the checker is a yes or no, or points out of points."""
    return value[0] == value[1] if isinstance(value, tuple) else bool(value)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("one_mask", [False, True])
def test_cf_checker_finds_no_fault(name, one_mask, tmp_path, request):
    runner = pytest.importorskip("compliance_checker.runner")
    data = request.getfixturevalue(name)
    write_netcdf(data.isel(mask_deg=0) if one_mask else data, tmp_path / "dop.nc")
    suite = runner.CheckSuite()
    suite.load_all_available_checkers()
    dataset = suite.load_dataset(str(tmp_path / "dop.nc"))
    ((results, errors),) = suite.run_all(dataset, ["cf:1.11"], skip_checks=[]).values()
    assert errors == {}
    faults = [words for result in results if not is_passed(result.value) for words in result.msgs]
    assert [words for words in faults if KNOWN_COMPLAINT not in words] == []


@pytest.mark.parametrize("name", MAPS)
def test_xarray_reads_the_same_values(name, tmp_path, request):
    data = request.getfixturevalue(name)
    write_netcdf(data, tmp_path / "dop.nc")
    with xr.open_dataset(tmp_path / "dop.nc") as back:
        for variable in data.data_vars:
            finite = data[variable].where(np.isfinite(data[variable]))
            np.testing.assert_allclose(back[variable].values, finite.values, rtol=RELATIVE_ERROR)
            assert back[variable].dtype == np.float32
        for coordinate in data.coords:
            assert (back[coordinate].values == data[coordinate].values).all()
        middle = np.datetime64("2024-01-10T11:52:30", "ns")
        assert back["time"].values == middle
        np.testing.assert_allclose(back.sel(systems="R+C", mask_deg=25)["n_used_least"], 7.0)


def test_input_is_left_as_it_was(world, tmp_path):
    before = world.copy(deep=True)
    write_netcdf(world, tmp_path / "dop.nc")
    xr.testing.assert_identical(world, before)


def test_what_was_read_can_be_written_again(world, tmp_path):
    write_netcdf(world, tmp_path / "dop.nc")
    with xr.open_dataset(tmp_path / "dop.nc") as back:
        write_netcdf(back, tmp_path / "again.nc")
    with xr.open_dataset(tmp_path / "dop.nc") as one, xr.open_dataset(tmp_path / "again.nc") as two:
        xr.testing.assert_identical(one, two)


def test_infinite_values_are_missing_and_the_file_says_why(world, tmp_path):
    write_netcdf(world, tmp_path / "dop.nc")
    with netCDF4.Dataset(tmp_path / "dop.nc") as file:
        pdop = file["pdop_median"]
        assert np.ma.getmaskarray(pdop[:]).sum() == 1
        assert "without a solution" in pdop.comment
        assert "comment" not in file["availability_pct"].ncattrs()


def test_cells_have_bounds_up_to_the_poles_and_past_the_antimeridian(world, bering, tmp_path):
    write_netcdf(world, tmp_path / "world.nc")
    write_netcdf(bering, tmp_path / "bering.nc")
    with netCDF4.Dataset(tmp_path / "world.nc") as file:
        assert file["lat_bnds"][0].tolist() == [-90, -75]
        assert file["lon_bnds"][-1].tolist() == [165, 180]
    with netCDF4.Dataset(tmp_path / "bering.nc") as file:
        assert file["lon_bnds"][-1].tolist() == [198, 200]
        assert file["lon"].bounds == "lon_bnds"


def test_layers_are_chunks_and_compressed(world, tmp_path):
    write_netcdf(world, tmp_path / "dop.nc")
    with netCDF4.Dataset(tmp_path / "dop.nc") as file:
        pdop = file["pdop_median"]
        assert pdop.chunking() == [1, 1, 12, 24]
        assert pdop.filters()["zlib"]
        assert pdop.filters()["shuffle"]
        assert pdop.cell_methods == "area: point time: median"
        assert "_FillValue" not in file["lat"].ncattrs()
        assert file.files == "a/one.rnx, b/two.rnx"
        assert "rule" not in file.ncattrs()


def test_gdal_finds_the_place(world, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    write_netcdf(world, tmp_path / "dop.nc")
    with rasterio.open(f"netcdf:{tmp_path / 'dop.nc'}:pdop_median") as raster:
        assert raster.crs.to_epsg() == 4326
        assert tuple(raster.bounds) == (-180, -90, 180, 90)
        (value,) = next(raster.sample([(37.0, 55.0)], indexes=[5]))
    wanted = world["pdop_median"].isel(systems=2, mask_deg=0).sel(lat=55, lon=37, method="nearest")
    np.testing.assert_allclose(value, wanted, rtol=RELATIVE_ERROR)


@given(npst.arrays(np.float32, 8, elements=st.floats(2.0**-100, 2.0**100, width=32)))
def test_rounding_stays_within_four_digits_and_clears_bits(values):
    rounded = round_bits(values)
    np.testing.assert_allclose(rounded, values, rtol=RELATIVE_ERROR)
    assert not (rounded.view(np.uint32) & 0x1FF).any()
    np.testing.assert_array_equal(round_bits(rounded), rounded)


@given(st.integers(-(2**14), 2**14))
def test_rounding_keeps_counts(count):
    assert round_bits(count) == count


def test_rounding_keeps_what_is_not_finite():
    np.testing.assert_array_equal(round_bits([np.nan, np.inf, -np.inf, 0.0]), [np.nan, np.inf, -np.inf, 0.0])


def test_an_existing_file_is_kept_unless_told_otherwise(world, tmp_path):
    path = tmp_path / "dop.nc"
    path.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_netcdf(world, path)
    assert path.read_text() == "mine"
    write_netcdf(world, path, overwrite=True)
    assert path.read_bytes()[1:4] == b"HDF"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), RuntimeError("NetCDF: HDF error")])
def test_a_failed_write_leaves_nothing(world, tmp_path, monkeypatch, error):
    def fail(self, draft, **options):
        Path(draft).write_text("half")
        raise error

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    with pytest.raises(GnssCoopError, match="cannot write"):
        write_netcdf(world, tmp_path / "dop.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(world, tmp_path):
    with pytest.raises(GnssCoopError, match=r"cannot write .*nowhere"):
        write_netcdf(world, tmp_path / "nowhere" / "dop.nc")
