"""From the sample file to DOP against values that RTKLIB alone made: see ``tests/golden/make_rtklib.py``."""

import json
from pathlib import Path

import numpy as np
import pytest

from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.geometry.dop import dilution_of_precision
from gnss_coop.geometry.visibility import visibility
from gnss_coop.orbits.broadcast import satellite_positions

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests/golden/rtklib.json").read_text())


@pytest.fixture(scope="module")
def sky():
    nav = read_nav(ROOT / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    epochs = np.array([case["time_gpst"] for case in CASES], dtype="datetime64[ns]")
    return satellite_positions(nav, epochs, systems="RC")


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["time_gpst"] for case in CASES])
def test_the_same_satellites_stand_at_the_same_places(sky, index):
    here = sky.isel(time=index).dropna("sv", subset=["positions"])
    expected = CASES[index]["positions_m"]
    assert sorted(here["sv"].values) == sorted(expected)
    off_m = np.linalg.norm(here["positions"].values - [expected[sv] for sv in here["sv"].values], axis=-1)
    assert off_m.max() < 0.01  # RTKLIB rounds the GLONASS gravitational constant: 5 mm in 30 minutes


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["time_gpst"] for case in CASES])
def test_they_are_seen_in_the_same_directions(sky, index):
    for name, expected in CASES[index]["look_angles_deg"].items():
        seen = visibility(sky.isel(time=[index]), name).squeeze().sel(sv=list(expected))
        for column, kind in enumerate(("azimuth", "elevation")):
            angles_deg = np.array([pair[column] for pair in expected.values()])
            apart_deg = (seen[kind].values - angles_deg + 180.0) % 360.0 - 180.0
            if kind == "azimuth":
                apart_deg *= np.cos(np.radians(seen["elevation"].values))
            assert np.abs(apart_deg).max() < 1e-6  # 0.3 m at a satellite, from 20,000 km; values have 7 decimals


@pytest.mark.parametrize("index", range(len(CASES)), ids=[case["time_gpst"] for case in CASES])
def test_dop_is_the_same(sky, index):
    expected = CASES[index]["dop"]
    names = list(dict.fromkeys(row[0] for row in expected))
    found = dilution_of_precision(
        sky.isel(time=index).expand_dims("time"), ",".join(names), mask_deg=[5, 15, 25], clocks="common"
    ).isel(time=0)
    for name, mask_deg, systems, dops in expected:
        here = found.sel(station=name, mask_deg=mask_deg, systems=systems)
        values = [here[kind].item() for kind in ("gdop", "pdop", "hdop", "vdop")]
        # A centimetre at a satellite turns a line of sight by 5e-10; near-singular skies multiply it.
        np.testing.assert_allclose(values, dops or [np.nan] * 4, rtol=1e-6)
