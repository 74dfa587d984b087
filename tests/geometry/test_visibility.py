"""Visibility as a Dataset: names, units, masks, horizons and faults."""

import math

import numpy as np
import pymap3d
import pytest
import xarray as xr

from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.geometry.visibility import visibility
from gnss_coop.model.network import Geodetic, Station, stations

IRKUTSK = (52.219020, 104.316188, 502.04)


def station(name="Irkutsk", place=IRKUTSK, horizon=()):
    latitude_deg, longitude_deg, height_m = place
    geodetic = Geodetic(latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=height_m)
    return Station(name=name, geodetic=geodetic, horizon=horizon)


def sky_at(azimuth_deg, elevation_deg, place=IRKUTSK):
    """Sky of one epoch with satellites in given directions, and one satellite without a position."""
    x, y, z = pymap3d.aer2ecef(np.asarray(azimuth_deg), np.asarray(elevation_deg), 2.2e7, *place)
    positions = np.vstack([np.column_stack([x, y, z]), [[math.nan] * 3]])
    return xr.Dataset(
        {"positions": (("time", "sv", "ecef"), positions[np.newaxis])},
        coords={
            "time": ("time", np.array(["2024-01-10"], "datetime64[ns]"), {"time_scale": "GPST"}),
            "sv": [f"R{i + 1:02d}" for i in range(len(positions))],
            "ecef": ["x", "y", "z"],
        },
    )


def test_angles_and_labels():
    seen = visibility(sky_at([10.0, 200.0], [30.0, 4.0]), [station()], mask_deg=5)
    assert seen["azimuth"].dims == ("station", "time", "sv")
    # 1e-9 deg is a millimetre at the satellite.
    assert seen["azimuth"].values[0, 0, :2] == pytest.approx([10.0, 200.0], abs=1e-9)
    assert seen["elevation"].values[0, 0, :2] == pytest.approx([30.0, 4.0], abs=1e-9)
    assert np.isnan(seen["elevation"].values[0, 0, 2])
    assert seen["visible"].values.tolist() == [[[True, False, False]]]
    assert seen["elevation"].attrs["units"] == seen["azimuth"].attrs["units"] == "degree"
    assert seen.attrs == {"mask_deg": 5.0, "time_scale": "GPST"}
    place = [seen[name].item() for name in ("latitude", "longitude", "height")]
    assert place == pytest.approx(IRKUTSK, abs=1e-6)  # there and back through the ellipsoid, 1 um in height
    assert seen["station"].values.tolist() == ["Irkutsk"]


def test_satellite_on_the_mask_is_visible():
    sky = sky_at([10.0, 77.0, 123.0], [17.3, 41.9, 5.1])
    elevations_deg = visibility(sky, [station()])["elevation"].values[0, 0, :3]
    for sv, mask_deg in enumerate(elevations_deg):
        assert visibility(sky, [station()], mask_deg=mask_deg)["visible"].values[0, 0, sv]


def test_horizon_belongs_to_its_station():
    hidden = station("walled", horizon=((0.0, 20.0), (180.0, 20.0)))
    seen = visibility(sky_at([350.0, 90.0], [19.0, 21.0]), [station("open"), hidden, station("free")])
    assert seen["visible"].values[:, 0, :2].tolist() == [[True, True], [False, True], [True, True]]


def test_order_of_dimensions_does_not_matter():
    sky = sky_at([10.0, 200.0], [30.0, 4.0])
    xr.testing.assert_identical(visibility(sky, [station()]), visibility(sky.transpose(), [station()]))


def test_stations_are_selected_by_name():
    sky = sky_at([10.0, 200.0], [30.0, 4.0])
    assert visibility(sky, "russia")["station"].values.tolist() == list(stations("russia").names)
    xr.testing.assert_identical(visibility(sky, "Irkutsk,Obninsk"), visibility(sky, ["Irkutsk", "Obninsk"]))


def test_no_station_is_an_error():
    with pytest.raises(StationError):
        visibility(sky_at([10.0], [30.0]), [])


@pytest.mark.parametrize("mask_deg", [math.nan, 90.1, -91.0, math.inf])
def test_mask_must_be_an_angle(mask_deg):
    with pytest.raises(ScenarioError, match="between -90 and 90"):
        visibility(sky_at([10.0], [30.0]), [station()], mask_deg=mask_deg)
