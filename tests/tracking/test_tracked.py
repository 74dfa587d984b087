"""tracked: real receivers against the ephemerides of their day, and small skies whose answer is known."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gnss_coop as gc
from gnss_coop.errors import EphemerisGapError, ScenarioError, StationError
from gnss_coop.model.observations import ObsEvent
from gnss_coop.tracking.horizon import HORIZON, learn_horizon, station_with_horizon
from gnss_coop.tracking.tables import COUNTS

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_rinex"
DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", ""))
needs_data = pytest.mark.skipif(not os.environ.get("GNSS_COOP_TESTDATA"), reason="GNSS_COOP_TESTDATA is not set")

PAIRS = {
    "Cibinong": (
        DATA / "registry/pygnss-tec-0.3.1/CIBG00IDN_R_20240100000_01D_30S_MO.crx.gz",
        SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz",
    ),
    "Esbjerg": (
        DATA / "snapshot/2020-177_pair/ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz",
        DATA / "snapshot/2020-177_pair/ESBC00DNK_R_20201770000_01D_MN.rnx.gz",
    ),
    "Tibet": (DATA / "snapshot/asia/1.obs", DATA / "snapshot/asia/1.nav"),
}


@pytest.fixture(scope="module")
def obs() -> gc.Observations:
    return gc.read_obs(SAMPLES / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")


@pytest.fixture(scope="module")
def nav() -> gc.Ephemerides:
    return gc.read_nav(SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz")


@pytest.fixture(scope="module")
def seen(obs: gc.Observations, nav: gc.Ephemerides) -> gc.Tracking:
    return gc.tracked(obs, nav)


@pytest.fixture(scope="module", params=PAIRS)
def day(request: pytest.FixtureRequest) -> gc.Tracking:
    obs_file, nav_file = PAIRS[request.param]
    return gc.tracked(gc.read_obs(obs_file), gc.read_nav(nav_file))


@needs_data
def test_what_receivers_tracked_stood_above_their_horizon(day: gc.Tracking):
    # A receiver cannot track through the Earth. Refraction lifts satellites by half a degree, and so some epochs
    # lie just below 0 deg; a wrong orbit, frame or time would put far more than 0.5 % there.
    assert day.above_horizon_pct >= 99.5
    # Of all that was tracked, too: without a valid ephemeris the orbit fitted to other records of the satellite
    # tells. C57 at Cibinong has none at all.
    assert day.predicted_pct >= 99.5
    unknown = day.satellites["no_ephemeris"] - day.satellites["above_by_fit"]
    assert set(day.satellites["sv"][unknown > 0]) <= {"C57"}
    low = day.exceptions[day.exceptions["explanation"].str.startswith("below")]
    assert (low["lowest_deg"] > -0.6).all()


@needs_data
def test_where_ephemerides_are_there_nearly_all_is_predicted(day: gc.Tracking):
    # SBAS records hold for 6 minutes, and single receivers do not note all; C56 to C58 are test satellites and R10 has
    # damaged records, in the merged file of the day of Cibinong. Each of these is among the exceptions.
    known = day.satellites[
        (day.satellites["sv"].str[0] != "S") & ~day.satellites["sv"].isin(["C56", "C57", "C58", "R10"])
    ]
    n_bad = known["no_ephemeris"].sum() + known["below_horizon"].sum()
    assert n_bad <= 0.005 * known["tracked"].sum()


@needs_data
def test_every_exception_is_explained(day: gc.Tracking):
    columns = ["unhealthy", "no_ephemeris", "below_horizon"]
    assert day.exceptions["n_epochs"].sum() == day.satellites[columns].to_numpy().sum()
    assert day.exceptions["explanation"].str.len().gt(0).all()


@needs_data
def test_tables_agree(day: gc.Tracking):
    of_bins = day.bins.groupby("sv")[list(COUNTS)].sum()
    pd.testing.assert_frame_equal(
        of_bins.sort_index(), day.satellites.set_index("sv")[list(COUNTS)].sort_index(), check_dtype=False
    )
    classes = ["below_mask", "unhealthy", "no_ephemeris", "below_horizon"]
    table = day.satellites
    assert (table["tracked"] == table["expected"] - table["missed"] + table[classes].sum(axis=1)).all()
    known = day.bins["elevation_from_deg"].notna()
    assert (day.bins.loc[~known, "expected"] == 0).all()
    assert (day.bins.loc[known & (day.bins["elevation_from_deg"] >= 5), "below_mask"] == 0).all()


@needs_data
def test_a_geodetic_receiver_tracks_nearly_all_that_it_should():
    obs_file, nav_file = PAIRS["Esbjerg"]
    # The same receiver wrote the ephemerides: what it did not track it hardly knew of.
    assert gc.tracked(gc.read_obs(obs_file), gc.read_nav(nav_file)).completeness_pct > 99.5


def test_damaged_records_are_told_as_the_reason(seen: gc.Tracking):
    reasons = seen.exceptions.set_index("sv")["explanation"]
    assert reasons["R10"] == "no valid ephemeris: records of it were rejected as damaged"
    assert reasons["C57"] == "no ephemeris of the satellite in the files"
    assert reasons["C62"] == "unhealthy"


@needs_data
def test_outages_are_gaps_of_all():
    obs_file, nav_file = PAIRS["Cibinong"]
    result = gc.tracked(gc.read_obs(obs_file), gc.read_nav(nav_file), systems="R")
    outages = result.gaps[result.gaps["sv"] == "all"]
    assert (result.n_epochs, result.n_epochs_due) == (2848, 2880)
    # All missing epochs lie in outages, but for those in gaps of two intervals.
    missing = (outages["duration_s"] / 30 - 1).sum()
    assert 0.7 * 32 <= missing <= 32


def test_expected_is_what_visibility_says(obs: gc.Observations, nav: gc.Ephemerides, seen: gc.Tracking):
    sky = gc.satellite_positions(
        nav, obs.time_ns.astype("datetime64[ns]") + np.datetime64("1980-01-06").astype("M8[ns]").astype("i8")
    )
    above = gc.visibility(sky, seen.station, mask_deg=5)["visible"][0]
    counts = {str(sv): int(n) for sv, n in zip(sky["sv"].values, above.sum("time").values, strict=True) if n}
    table = seen.satellites.set_index("sv")["expected"]
    assert table[table > 0].to_dict() == counts


def test_tracked_is_what_stands_in_the_file(obs: gc.Observations, seen: gc.Tracking):
    stands = dict(zip(obs.satellites, obs.tracked.sum(axis=0).tolist(), strict=True))
    assert seen.satellites.set_index("sv")["tracked"].reindex(list(stands)).to_dict() == stands


def without(obs: gc.Observations, sv: str, first: int, last: int) -> gc.Observations:
    """Take a satellite out of some epochs."""
    column = obs.satellites.index(sv)
    keep = ~((obs.row_sv == column) & (obs.row_epoch >= first) & (obs.row_epoch <= last))
    return dataclasses.replace(obs, row_sv=obs.row_sv[keep], row_epoch=obs.row_epoch[keep], signals=obs.signals[keep])


def test_a_hole_that_is_cut_is_the_gap_that_is_found(obs: gc.Observations, nav: gc.Ephemerides):
    # C01 stands still above Cibinong and was tracked all day.
    whole = gc.tracked(obs, nav, systems="C")
    holed = gc.tracked(without(obs, "C01", 10, 14), nav, systems="C")
    assert "C01" not in set(whole.gaps["sv"])
    gap = holed.gaps[holed.gaps["sv"] == "C01"].iloc[0]
    assert (gap["start_gpst"], gap["n_epochs"], gap["kind"]) == ("2024-01-10T05:00:00", 5, "within")
    assert gap["duration_s"] == 5 * 1800
    row = holed.satellites.set_index("sv").loc["C01"]
    assert (row["expected"], row["missed"]) == (48, 5)
    # Two intervals are no gap.
    assert "C01" not in set(gc.tracked(without(obs, "C01", 10, 11), nav, systems="C").gaps["sv"])


def test_a_satellite_never_tracked_has_its_reason(obs: gc.Observations, nav: gc.Ephemerides):
    header = obs.headers[0]
    types = {letter: codes for letter, codes in header.types.items() if letter != "J"}
    gone = obs
    for sv in obs.satellites:
        if sv[0] in "JI" or (sv[0] == "C" and int(sv[1:]) > 37):
            gone = without(gone, sv, 0, len(obs))
    changed = dataclasses.replace(gone, headers=(dataclasses.replace(header, types=types),))
    reasons = gc.tracked(changed, nav).never_tracked.set_index("sv")["reason"]
    assert reasons["J02"] == (
        "neither the header nor any epoch has QZSS: it is not tracked, or was left out when the file was made"
    )
    assert reasons["I02"].startswith("no satellite of NavIC was tracked")
    assert reasons["C40"].startswith("none above C37 was tracked")
    assert reasons["R26"] == "unhealthy all the time"
    assert reasons["C08"].startswith("not explained")


def test_horizon_of_a_station_takes_from_what_is_expected(obs: gc.Observations, nav: gc.Ephemerides, seen: gc.Tracking):
    walled = seen.station.model_copy(update={"horizon": ((0.0, 40.0),)})
    high = gc.tracked(obs, nav, station=walled)
    assert high.satellites["expected"].sum() < seen.satellites["expected"].sum()
    assert high.satellites["below_mask"].sum() > seen.satellites["below_mask"].sum()
    assert gc.tracked(obs, nav, mask_deg=40).satellites["expected"].sum() == high.satellites["expected"].sum()


def test_a_receiver_clock_jump_is_tolerated_and_told(obs: gc.Observations, nav: gc.Ephemerides):
    time_ns = obs.time_ns.copy()
    time_ns[20] += 40_000_000_000
    result = gc.tracked(dataclasses.replace(obs, time_ns=time_ns), nav)
    assert result.n_off_grid == 1
    assert "epochs off the grid of the interval (receiver clock jumps): 1" in result.notes


def test_a_station_far_from_the_header_and_a_new_site_are_told(obs: gc.Observations, nav: gc.Ephemerides):
    events = (ObsEvent(obs.files[0], 400, "new site"),)
    result = gc.tracked(dataclasses.replace(obs, events=events), nav, station="Irkutsk", systems="R")
    assert "the position in the header is 6229 km from the station" in result.notes
    assert "the file tells of a new site; one position is used for all of it" in result.notes
    assert gc.tracked(obs, nav, systems="R").notes == ()


def test_systems_without_ephemerides_are_told(obs: gc.Observations):
    result = gc.tracked(obs, gc.read_nav(SAMPLES / "brdc0100.24g.gz"))
    assert set(result.satellites["sv"].str[0]) == {"R"}
    assert any("C, E, G, I, J, S" in note for note in result.notes)


def test_wrong_questions(obs: gc.Observations, nav: gc.Ephemerides):
    header = dataclasses.replace(obs.headers[0], position_m=None)
    with pytest.raises(StationError, match=r"no APPROX POSITION XYZ; give the station with --station"):
        gc.tracked(dataclasses.replace(obs, headers=(header,)), nav)
    with pytest.raises(StationError, match="choose one"):
        gc.tracked(obs, nav, station="china")
    other = gc.read_nav(SAMPLES / "KMS300DNK_R_20221591000_01H_MN.rnx")
    with pytest.raises(EphemerisGapError, match=r"2024-01-10T00:00:00 to 2024-01-10T23:30:00 .* 2022-06-"):
        gc.tracked(obs, other)
    for wrong in ({"mask_deg": 100.0}, {"bin_deg": 0.0}, {"sector_deg": 7.0}, {"min_epochs": 0}, {"systems": "X"}):
        with pytest.raises(ScenarioError):
            gc.tracked(obs, nav, **wrong)


# --- The learned horizon -------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(wall=st.floats(1.0, 60.0), seed=st.integers(0, 1000))
def test_a_wall_is_found_where_it_stands(wall: float, seed: int):
    rng = np.random.default_rng(seed)
    azimuth, elevation = rng.uniform(0, 360, 20_000), rng.uniform(0, 90, 20_000)
    height = np.where(azimuth < 180, wall, 0.0)
    sectors = learn_horizon(azimuth, elevation, elevation >= height)
    # A sector has 555 points over 90 deg: six a degree, so ten stand within 2 deg above the wall nearly always.
    behind = sectors[(sectors["azimuth_to_deg"] <= 180) & (sectors["evidence"] == HORIZON)]
    assert (behind["elevation_deg"] >= wall).all()
    assert (behind["elevation_deg"] <= wall + 6.0).all()


def test_single_catches_make_no_horizon():
    elevation = np.concatenate([np.arange(0.0, 30.0, 0.1), [3.0]])
    tracked = np.concatenate([np.arange(0.0, 30.0, 0.1) >= 15.0, [True]])
    sectors = learn_horizon(np.full(elevation.size, 5.0), elevation, tracked)
    assert sectors.loc[0, "elevation_deg"] == pytest.approx(15.0)
    assert sectors.loc[1:, "evidence"].eq("no evidence").all()


def test_without_anything_below_it_is_a_bound():
    elevation = np.arange(40.0, 60.0, 0.1)
    sectors = learn_horizon(np.full(elevation.size, 5.0), elevation, np.ones(elevation.size, dtype=bool))
    assert sectors.loc[0, "evidence"] == "at most"
    with pytest.raises(StationError, match="enough evidence"):
        station_with_horizon(gc.stations("Irkutsk")[0], sectors)
