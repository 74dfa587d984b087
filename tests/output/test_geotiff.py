"""GeoTIFF: tags say where the pixels lie, and GDAL finds every value at its place."""

import numpy as np
import pytest

from gnss_coop.errors import OutputError
from gnss_coop.output.geotiff import write_geotiff

tifffile = pytest.importorskip("tifffile")


def read(path):
    with tifffile.TiffFile(path) as file:
        return file.asarray(), {tag.name: tag.value for tag in file.pages.first.tags}


def test_tags_place_the_corner_of_the_north_western_cell(world, tmp_path):
    write_geotiff(world, tmp_path / "dop.tif", systems="R+C", mask_deg=5)
    values, tags = read(tmp_path / "dop.tif")
    assert tags["ModelTiepointTag"] == (0, 0, 0, -180, 90, 0)
    assert tags["ModelPixelScaleTag"] == (15, 15, 0)
    # Geographic model, pixels are areas, EPSG:4326, degrees: keys of the GeoTIFF standard.
    keys = np.reshape(tags["GeoKeyDirectoryTag"], (-1, 4))
    assert {int(key[0]): int(key[3]) for key in keys[1:]} == {1024: 2, 1025: 1, 2048: 4326, 2054: 9102}
    assert tags["GDAL_NODATA"] == "nan"
    assert values.shape == (12, 24)
    np.testing.assert_array_equal(values[0], world["pdop_median"].sel(systems="R+C", mask_deg=5, lat=82.5))


def test_bands_are_scenarios_and_infinite_is_missing(world, tmp_path):
    write_geotiff(world, tmp_path / "dop.tif", mask_deg=25)
    values, tags = read(tmp_path / "dop.tif")
    assert values.shape == (3, 12, 24)
    assert values.dtype == np.float32
    assert np.argwhere(np.isnan(values)).tolist() == [[0, 11, 0]]  # the cell in the far south-west
    assert "R+C: pdop_median, mask 25 deg" in tags["GDAL_METADATA"]


def test_a_region_across_the_antimeridian_runs_on(bering, tmp_path):
    write_geotiff(bering, tmp_path / "dop.tif", systems="C", mask_deg=5)
    _, tags = read(tmp_path / "dop.tif")
    assert tags["ModelTiepointTag"][3:5] == (170, 70)
    assert tags["ModelPixelScaleTag"][:2] == (2, 2)


def test_gdal_reads_every_value_at_its_place(world, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    write_geotiff(world, tmp_path / "dop.tif", variable="pdop_p95", mask_deg=5)
    with rasterio.open(tmp_path / "dop.tif") as raster:
        assert raster.crs.to_epsg() == 4326
        assert tuple(raster.bounds) == (-180, -90, 180, 90)
        assert raster.descriptions[2] == "R+C: pdop_p95, mask 5 deg"
        for lat in world["lat"].values:
            places = [(lon, lat) for lon in world["lon"].values]
            wanted = world["pdop_p95"].sel(mask_deg=5, lat=lat).values.T
            np.testing.assert_array_equal(list(raster.sample(places)), wanted)


def test_the_same_map_gives_the_same_bytes(world, tmp_path):
    for name in "ab":
        write_geotiff(world, tmp_path / name, mask_deg=5)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "several masks; name one of 5, 25"),
        ({"mask_deg": 7}, "no mask of 7 deg"),
        ({"mask_deg": 5, "variable": "pdop"}, "holds no 'pdop'; choose one of pdop_median"),
        ({"mask_deg": 5, "systems": "G"}, "no systems 'G'; choose from R, C"),
    ],
)
def test_what_the_map_lacks_is_refused_with_what_there_is(world, tmp_path, options, words):
    with pytest.raises(OutputError, match=words):
        write_geotiff(world, tmp_path / "dop.tif", **options)
    assert list(tmp_path.iterdir()) == []


def test_points_and_existing_files_are_refused(places, world, tmp_path):
    with pytest.raises(OutputError, match="takes a grid"):
        write_geotiff(places, tmp_path / "dop.tif", mask_deg=5)
    (tmp_path / "dop.tif").touch()
    with pytest.raises(OutputError, match="exists already"):
        write_geotiff(world, tmp_path / "dop.tif", mask_deg=5)


def test_uneven_steps_are_refused(world, tmp_path):
    with pytest.raises(OutputError, match="equal steps"):
        write_geotiff(world.isel(lat=[0, 1, 3]), tmp_path / "dop.tif", mask_deg=5)
