"""Maps in a few numbers: weights by area in closed form, worst places, rules met and not met."""

import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gnss_coop.maps.rules import Rule, rule_named
from gnss_coop.maps.summary import is_met, map_summary, rule_verdicts, weighted_median
from gnss_coop.model.grid import GeoGrid


def world(grid=None, **values):
    """A map of one scenario and mask; each variable is a number or an array over the grid."""
    grid = grid or GeoGrid(10)
    usual = {"pdop_median": 2.0, "availability_pct": 100.0, "n_used_mean": 8.0, "n_used_least": 5.0}
    variables = {
        name: (("systems", "lat", "lon"), np.broadcast_to(np.float32(value), (1, *grid.shape)))
        for name, value in (usual | values).items()
    }
    coords = {"systems": ["R"], "mask_deg": 5.0, "lat": grid.latitude_deg, "lon": grid.longitude_deg}
    return xr.Dataset(variables, coords=coords)


@pytest.mark.parametrize("north_of_deg", [-60.0, 0.0, 30.0, 80.0])
@pytest.mark.parametrize("step_deg", [10, 2])
def test_a_zone_counts_by_its_share_of_the_sphere(north_of_deg, step_deg):
    grid = GeoGrid(step_deg)
    inside = (grid.latitude_deg > north_of_deg)[:, None]
    row = map_summary(world(grid, availability_pct=np.where(inside, 100.0, 0.0), n_used_mean=np.where(inside, 9, 3)))
    # Archimedes: the zone's share is (1 - sin) / 2, and cosines of the middles of equal steps add up to it exactly.
    share = (1.0 - math.sin(math.radians(north_of_deg))) / 2.0
    assert row["availability_mean_pct"].item() == pytest.approx(100.0 * share, rel=1e-9)
    assert row["n_used_mean"].item() == pytest.approx(3 + 6 * share, rel=1e-9)


def test_the_median_is_that_of_the_area_and_not_of_the_cells():
    grid = GeoGrid(1)
    # Half of the sphere lies between 30 S and 30 N, but only a third of the cells: the median over the area of
    # |latitude| is 30 deg, that over cells 45 deg.
    row = map_summary(world(grid, pdop_median=np.abs(grid.latitude_deg)[:, None])).iloc[0]
    assert row["pdop_median"] == pytest.approx(30.0, abs=0.5)
    assert row["pdop_median_worst"] == 89.5


def test_places_without_a_median_count_as_the_worst():
    grid = GeoGrid(10)
    polar = np.where(np.abs(grid.latitude_deg) > 60, np.inf, 2.0)[:, None]
    row = map_summary(world(grid, pdop_median=polar)).iloc[0]
    assert (row["pdop_median"], row["pdop_median_worst"]) == (2.0, math.inf)
    assert map_summary(world(grid, pdop_median=np.inf))["pdop_median"].item() == math.inf


def test_the_worst_place_is_named_unless_all_are_alike():
    grid = GeoGrid(10, (0, 20, 170, -160))
    available = np.full(grid.shape, 99.0)
    available[1, 2] = 88.0
    row = map_summary(world(grid, availability_pct=available, n_used_least=np.where(available < 90, 3, 6))).iloc[0]
    assert row["availability_worst_pct"] == 88.0
    assert (row["worst_latitude_deg"], row["worst_longitude_deg"]) == (15.0, -165.0)  # 195 E
    assert row["n_used_least"] == 3
    row = map_summary(world(grid)).iloc[0]
    assert np.isnan([row["worst_latitude_deg"], row["worst_longitude_deg"]]).all()


def test_points_weigh_all_the_same():
    values = {"pdop_median": [1.0, 2.0, 3.0], "availability_pct": [100.0, 70.0, 10.0]}
    values |= {"n_used_mean": [9.0, 8.0, 7.0], "n_used_least": [5.0, 4.0, 3.0]}
    points = xr.Dataset(
        {name: (("systems", "mask_deg", "point"), [[numbers]]) for name, numbers in values.items()},
        coords={
            "systems": ["R"], "mask_deg": [25.0], "point": ["A", "B", "C"],
            "latitude": ("point", [0.0, 60.0, 89.0]), "longitude": ("point", [10.0, 20.0, 30.0]),
        },
    )  # fmt: skip
    row = map_summary(points).iloc[0]
    assert row["availability_mean_pct"] == pytest.approx(60.0)
    assert (row["pdop_median"], row["n_used_mean"], row["n_used_least"]) == (2.0, 8.0, 3)
    assert (row["mask_deg"], row["worst_latitude_deg"], row["worst_longitude_deg"]) == (25.0, 89.0, 30.0)


def test_a_row_for_each_scenario_and_mask_even_if_a_mask_comes_twice():
    one = world().expand_dims("mask_deg")
    twice = xr.concat([one, one], dim="mask_deg")
    both = xr.concat([twice, twice.assign_coords(systems=["C"])], dim="systems")
    table = map_summary(both)
    assert table[["systems", "mask_deg"]].to_numpy().tolist() == [["R", 5.0], ["R", 5.0], ["C", 5.0], ["C", 5.0]]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), min_size=1, max_size=30))
def test_the_weighted_median_is_that_of_values_written_as_often_as_they_weigh(pairs):
    values, weights = (np.array(column, float) for column in zip(*pairs, strict=True))
    often = sorted(np.repeat(values, weights.astype(int)))
    assert weighted_median(lambda: [(values, weights)]) == often[(len(often) - 1) // 2]


@given(
    npst.arrays(np.float32, 60, elements=st.floats(0, width=32) | st.sampled_from([1.5, np.inf])),
    npst.arrays(np.float64, 60, elements=st.integers(1, 9)),
)
def test_the_median_of_any_floats_read_in_parts_is_that_of_all_in_order(values, weights):
    found = weighted_median(lambda: zip(np.split(values, 4), np.split(weights, 4), strict=True))
    order = np.argsort(values)
    assert found == values[order][np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)]


def test_a_map_in_many_blocks_is_summed_up_as_a_whole(monkeypatch):
    grid = GeoGrid(6)
    rng = np.random.default_rng(4)
    values = {name: rng.gamma(2.0, size=grid.shape) for name in ("pdop_median", "availability_pct", "n_used_mean")}
    values["availability_pct"].ravel()[[71, 900]] = 0.001  # the first of two is named
    data = world(grid, **values, n_used_least=rng.integers(2, 9, grid.shape))
    whole = map_summary(data)
    assert (whole["worst_latitude_deg"].item(), whole["worst_longitude_deg"].item()) == (-81.0, -111.0)
    monkeypatch.setattr("gnss_coop.model.grid._BLOCK_CELLS", 7 * grid.shape[1])
    parts = map_summary(data)
    pd.testing.assert_frame_equal(parts, whole, rtol=1e-14)  # sums round otherwise


# --- Rules ------------------------------------------------------------------------------------------------


def summary(*rows):
    return pd.DataFrame(rows, columns=["systems", "availability_mean_pct", "availability_worst_pct"])


def test_both_the_globe_and_the_worst_place_must_reach_the_rule():
    rows = summary(["R", 98.0, 88.0], ["C", 97.99, 100.0], ["E", 100.0, 87.99], ["R+C", 100.0, 100.0])
    lines = rule_verdicts(rows, rule_named("bds-os"), span_days=1.0)
    assert lines[0].startswith("PDOP availability (BeiDou OS Performance Standard 3.0")
    assert "PDOP <= 6 above 5 deg, at least 98 % over the globe and 88 % at the worst place" in lines[0]
    assert lines[0].endswith("stated over 7 d, computed over 1 d.")
    assert [line.rsplit(": ", 1)[1] for line in lines[1:]] == ["met", "not met", "not met", "met"]
    assert lines[2] == "C: 97.99 % over the area, 100.00 % at the worst place: not met"


def test_a_rule_without_thresholds_gives_no_verdict():
    lines = rule_verdicts(summary(["R", 50.0, 0.0]), rule_named("iac"), span_days=0.5)
    assert "no threshold is published" in lines[0]
    assert lines[1] == "R: 50.00 % over the area, 0.00 % at the worst place"
    assert is_met({"availability_mean_pct": 100.0, "availability_worst_pct": 100.0}, rule_named("iac")) is None


def test_a_part_of_the_globe_gets_figures_but_no_verdict():
    lines = rule_verdicts(summary(["R", 100.0, 100.0]), rule_named("gps-sps"), span_days=1.0, globe=False)
    assert lines[0].endswith("Not the whole globe: no verdict.")
    assert lines[1] == "R: 100.00 % over the area, 100.00 % at the worst place"


def test_rules_of_ones_own():
    rule = Rule("own", "own rule", "this test", 15.0, 3.0, 60.0, 2.0, 1.0, 50.0, 10.0)
    assert is_met({"availability_mean_pct": 50.0, "availability_worst_pct": 10.0}, rule) is True
    assert is_met({"availability_mean_pct": 49.0, "availability_worst_pct": 10.0}, rule) is False
    assert "PDOP <= 3 above 15 deg" in rule_verdicts(summary(["R", 1, 1]), rule, 1.0)[0]
