"""DOP as a Dataset: labels, masks, counts, and values against the textbook's full matrix."""

import math

import numpy as np
import pymap3d
import pytest
import xarray as xr

from gnss_coop.errors import ScenarioError
from gnss_coop.geometry.dop import dilution_of_precision
from gnss_coop.geometry.visibility import visibility
from gnss_coop.maps.dop_map import dop_map
from gnss_coop.model.grid import GeoGrid
from gnss_coop.model.network import Geodetic, Station

PLACES = {"Irkutsk": (52.219020, 104.316188, 502.04), "Shanghai": (31.099642, 121.200445, 22.09)}


def stations(horizon=()):
    fields = ("latitude_deg", "longitude_deg", "height_m")
    places = {name: Geodetic(**dict(zip(fields, place, strict=True))) for name, place in PLACES.items()}
    return [Station(name=name, geodetic=place, horizon=horizon) for name, place in places.items()]


@pytest.fixture(scope="module")
def sky():
    """Random directions over Asia: 3 epochs, 12 satellites each of three systems, one gap."""
    rng = np.random.default_rng(20240110)
    x, y, z = pymap3d.aer2ecef(
        rng.uniform(0, 360, (3, 36)), np.degrees(np.arcsin(rng.uniform(0, 1, (3, 36)))), 2.3e7, 42, 113, 0
    )
    positions = np.stack([x, y, z], axis=-1)
    positions[1, 4] = math.nan
    return xr.Dataset(
        {"positions": (("time", "sv", "ecef"), positions)},
        coords={
            "time": np.datetime64("2024-01-10", "ns") + np.arange(3) * np.timedelta64(300, "s"),
            "sv": [f"{letter}{i + 1:02d}" for letter in "RCG" for i in range(12)],
            "ecef": ["x", "y", "z"],
        },
    )


def textbook(seen, systems, shared_clock):
    """Squares of the DOPs from the full design matrix of the visible satellites."""
    wanted = [sv for sv in seen["sv"].values[seen["visible"].values] if sv[0] in systems]
    letters = sorted({sv[0] for sv in wanted})
    angles = seen.sel(sv=wanted)
    a, e = np.radians(angles["azimuth"].values), np.radians(angles["elevation"].values)
    columns = [np.cos(e) * np.sin(a), np.cos(e) * np.cos(a), np.sin(e)]
    columns += [np.ones(len(wanted))] if shared_clock else [[sv[0] == x for sv in wanted] for x in letters]
    design = np.column_stack(columns).astype(float)
    q = np.diag(np.linalg.inv(design.T @ design))
    return len(wanted), {
        "gdop": q.sum(),
        "pdop": q[:3].sum(),
        "hdop": q[:2].sum(),
        "vdop": q[2],
        "tdop": q[3:].sum(),
    }


@pytest.mark.parametrize("clocks", ["per-system", "common"])
@pytest.mark.parametrize("mask_deg", [5.0, 15.0])
def test_values_follow_visibility_and_the_full_matrix(sky, clocks, mask_deg):
    dop = dilution_of_precision(sky, stations(), ["C", "R+C", "G+R+C"], mask_deg=mask_deg, clocks=clocks)
    seen = visibility(sky, stations(), mask_deg=mask_deg)
    for systems in dop["systems"].values:
        for name in PLACES:
            for t in range(3):
                cell = dop.sel(systems=systems, station=name).isel(time=t)
                count, squares = textbook(seen.sel(station=name).isel(time=t), systems, clocks == "common")
                assert cell["n_used"].item() == count
                for dop_name, square in squares.items():
                    # 1e-9: conditions of some hundreds squared, doubles of 1e-16.
                    assert cell[dop_name].item() ** 2 == pytest.approx(square, rel=1e-9)


def test_labels_of_one_mask(sky):
    dop = dilution_of_precision(sky, stations(), "R,C,R+C", mask_deg=15)
    assert set(dop.data_vars) == {"gdop", "pdop", "hdop", "vdop", "tdop", "n_used", "n_clocks"}
    assert dop["pdop"].dims == ("systems", "station", "time")
    assert dop["systems"].values.tolist() == ["R", "C", "R+C"]
    assert dop["station"].values.tolist() == list(PLACES)
    assert dop["mask_deg"].item() == 15.0
    assert dop.attrs["clocks"] == "per-system"
    assert dop.attrs["time_scale"] == "GPST"
    assert dop["n_clocks"].max(["station", "time"]).values.tolist() == [1, 1, 2]


def test_list_of_masks_is_the_same_as_each_mask(sky):
    together = dilution_of_precision(sky, stations(), mask_deg=[25, 5])
    assert together["pdop"].dims == ("systems", "mask_deg", "station", "time")
    for mask_deg in (25, 5):
        xr.testing.assert_identical(
            together.sel(mask_deg=mask_deg), dilution_of_precision(sky, stations(), mask_deg=mask_deg)
        )


def test_system_without_satellites_is_counted_not_refused(sky):
    dop = dilution_of_precision(sky, stations(), ["E", "C", "C+E"])
    assert dop["n_used"].sel(systems="E").max() == 0
    assert dop["pdop"].sel(systems="E").isnull().all()
    assert (dop["pdop"].sel(systems="C").values == dop["pdop"].sel(systems="C+E").values).all()


def test_prior_lies_between_common_and_per_system(sky):
    common, prior, free = (
        dilution_of_precision(sky, stations(), "R+C+G", clocks=clocks)["pdop"].values
        for clocks in ("common", "prior:5", "per-system")
    )
    assert (common < prior).all()
    assert (prior < free).all()


@pytest.mark.parametrize(("clocks", "tolerance"), [("prior:0", 0.0), ("prior:1e-6", 1e-9), ("prior:0.001", 1e-6)])
def test_prior_of_nothing_is_a_common_clock(sky, clocks, tolerance):
    """At 0 exactly; near it all five DOPs come to it, on stations and on maps: clocks that agree count once."""
    names = ["gdop", "pdop", "hdop", "vdop", "tdop"]
    common, near = (dilution_of_precision(sky, stations(), "R+C+G", clocks=c)[names] for c in ("common", clocks))
    xr.testing.assert_allclose(near, common, rtol=tolerance, atol=0.0)
    world, beside = (
        dop_map(sky, GeoGrid(30), "R+C+G", clocks=c, dops=names)[[f"{name}_median" for name in names]]
        for c in ("common", clocks)
    )
    xr.testing.assert_allclose(beside, world, rtol=max(tolerance, 2e-7), atol=0.0)  # medians are single precision


def test_horizon_takes_satellites_away(sky):
    wall = ((0.0, 60.0), (180.0, 60.0))
    walled = dilution_of_precision(sky, stations(wall), "R+C+G", mask_deg=5)
    masked = dilution_of_precision(sky, stations(), "R+C+G", mask_deg=60)
    xr.testing.assert_allclose(walled.drop_vars("mask_deg"), masked.drop_vars("mask_deg"))


@pytest.mark.parametrize("mask_deg", [math.nan, 91.0, [5.0, -100.0], []])
def test_masks_must_be_angles(sky, mask_deg):
    with pytest.raises(ScenarioError, match="mask"):
        dilution_of_precision(sky, stations(), mask_deg=mask_deg)


def test_unknown_satellite_is_named(sky):
    with pytest.raises(ScenarioError, match="X01"):
        dilution_of_precision(sky.isel(sv=[0]).assign_coords(sv=["X01"]), stations())
