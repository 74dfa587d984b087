"""`visibility`: rows are what lies above the mask, with the angles of the library and of pymap3d."""

import numpy as np
import pymap3d
import pytest

import gnss_coop as gc

COLUMNS = ["time_gpst", "station", "sv", "azimuth_deg", "elevation_deg"]
SPAN = ("--start", "2022-06-08T10:00", "--hours", "0.5", "--step", "900")


@pytest.fixture(scope="module")
def sky(hours):
    return gc.satellite_positions(gc.read_nav(hours), gc.epochs("2022-06-08T10:00", hours=0.5, step_s=900))


def test_csv_holds_exactly_the_numbers_of_the_library(run, hours, sky):
    table = run("visibility", hours, *SPAN, "--mask", "10", "--format", "csv").table
    assert list(table.columns) == [*COLUMNS, "day", "source"]
    seen = gc.visibility(sky, gc.stations("joint"), mask_deg=10)
    assert len(table) == int(seen["visible"].sum())
    for row in table.to_dict("records"):
        cell = seen.sel(station=row["station"], time=row["time_gpst"], sv=row["sv"])
        assert cell["visible"].item()
        assert row["azimuth_deg"] == cell["azimuth"].item()
        assert row["elevation_deg"] == cell["elevation"].item()


def test_angles_are_those_of_pymap3d(run, hours):
    table = run("visibility", hours, *SPAN, "--format", "csv").table
    places = run("positions", hours, *SPAN, "--format", "csv").table.set_index(["time_gpst", "sv"])
    stations = run("stations", "--format", "csv").table.set_index("station")
    xyz = places.loc[list(zip(table["time_gpst"], table["sv"], strict=True)), ["x_m", "y_m", "z_m"]].to_numpy()
    llh = stations.loc[table["station"], ["latitude_deg", "longitude_deg", "height_m"]].to_numpy()
    azimuth, elevation, _ = pymap3d.ecef2aer(*xyz.T, *llh.T)
    # 1e-6 deg is 0.5 m at the satellite: rounding of coordinates, but no difference in ellipsoid or axes
    np.testing.assert_allclose(table["elevation_deg"], elevation, atol=1e-6)
    turn = (table["azimuth_deg"].to_numpy() - azimuth + 180) % 360 - 180
    assert (np.abs(turn) * np.cos(np.radians(elevation)) < 1e-6).all()


def test_rows_are_above_the_mask_and_of_the_systems_asked_for(run, hours):
    table = run("visibility", hours, *SPAN, "--mask", "30", "--systems", "R,C", "--format", "csv").table
    assert (table["elevation_deg"] >= 30).all()
    assert table["azimuth_deg"].between(0, 360, inclusive="left").all()
    assert set(table["sv"].str[0]) == {"R", "C"}
    assert not table.duplicated(COLUMNS[:3]).any()


def test_nothing_above_the_mask_is_a_table_without_rows(run, glonass):
    result = run("visibility", glonass, "--at", "2022-10-05T00:20:00", "--mask", "89.9", "--format", "csv")
    assert (result.code, result.out) == (0, ",".join([*COLUMNS, "day", "source"]) + "\n")


def test_several_masks_are_refused(run, glonass):
    run("visibility", glonass, "--mask", "5,15").refused("visibility takes one --mask")
