"""Passes: against dense scans, RTKLIB and circular orbits; cuts, horizons with corners, and faults."""

import gzip
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from gnss_coop.errors import EphemerisGapError, ScenarioError, TimeError
from gnss_coop.formats.rinex.nav import read_nav
from gnss_coop.geometry.passes import passes
from gnss_coop.geometry.visibility import visibility
from gnss_coop.model.network import stations
from gnss_coop.model.station import Station
from gnss_coop.model.timescales import epochs
from gnss_coop.orbits.broadcast import satellite_positions

SAMPLE = Path(__file__).parents[2] / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
DAY = np.array(["2024-01-10", "2024-01-11"], "datetime64[ns]")
SECOND = np.timedelta64(1, "s")
IRKUTSK = {"latitude_deg": 52.219020, "longitude_deg": 104.316188, "height_m": 502.04}
# A valley that is open to the south, a tower of 1 deg width, two vertical walls, and a pass over north.
CORNERS = (
    (0.0, 12.0), (70.0, 12.0), (70.0, 45.0), (85.0, 45.0), (85.0, 8.0), (150.0, 8.0), (150.5, 60.0), (151.5, 60.0),
    (152.0, 8.0), (230.0, 8.0), (300.0, 35.0), (350.0, 5.0),
)  # fmt: skip


@pytest.fixture(scope="module")
def nav():
    return read_nav(SAMPLE)


@pytest.fixture(scope="module")
def some(nav):
    """GLONASS, BeiDou of all orbits, and GPS: every second satellite."""
    wanted = nav.select("RCG").satellites[::2]
    return nav.select("RCG", exclude_sv=[sv for sv in nav.select("RCG").satellites if sv not in wanted])


def valley():
    return Station(name="Valley", geodetic=IRKUTSK, horizon=CORNERS)


def seconds(later, earlier):
    return (later - earlier) / SECOND


def runs(flags):
    """First and last index of each run of true values."""
    edges = np.diff(np.concatenate([[False], flags, [False]]).astype(int))
    return np.column_stack([np.flatnonzero(edges > 0), np.flatnonzero(edges < 0) - 1])


# --- A dense scan of the real day -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def scan(some):
    """All satellites at every second of the day, over an open station and one with a horizon."""
    times = epochs(DAY[0], hours=24, step_s=1)
    sky = satellite_positions(some, np.append(times, times[-1:] + SECOND))
    return visibility(sky, [stations("Shanghai")[0], valley()], mask_deg=7.0), np.isfinite(sky.positions[..., 0].values)


@pytest.fixture(scope="module")
def table(some):
    return passes(some, [stations("Shanghai")[0], valley()], *DAY, mask_deg=7.0)


def test_every_pass_is_that_of_a_scan_second_by_second(scan, table):
    """Rise and set to 1 s, how they came about, the highest point, and no pass more or less."""
    seen, known = scan
    times, elevation = seen["time"].values, seen["elevation"].values
    n_passes = 0
    for p, station in enumerate(seen["station"].values):
        for s, sv in enumerate(seen["sv"].values):
            found = table[(table.station == station) & (table.sv == sv)]
            truth = runs(seen["visible"].values[p, :, s])
            assert len(found) == len(truth), (station, sv)
            n_passes += len(found)
            for row, (first, last) in zip(found.itertuples(), truth, strict=True):
                assert abs(seconds(row.rise_gpst, times[first])) <= 1
                assert abs(seconds(row.set_gpst, times[last])) <= 1
                before = "start" if first == 0 else "rise" if known[first - 1, s] else "ephemeris"
                after = "end" if last == len(times) - 1 else "set" if known[last + 1, s] else "ephemeris"
                assert (row.begins, row.ends) == (before, after)
                highest = elevation[p, first : last + 1, s].max()
                # A satellite goes 0.01 deg in a second, which counts where a wall hides it at its highest.
                assert row.max_elevation_deg == pytest.approx(highest, abs=0.01)
                assert row.duration_s == seconds(row.set_gpst, row.rise_gpst)
    assert n_passes > 150


def test_culminations_and_azimuths_are_those_of_the_scan(scan, table):
    seen, _ = scan
    whole = table[(table.station == "Shanghai") & (table.begins == "rise") & (table.ends == "set")]
    assert len(whole) > 15
    for row in whole.itertuples():
        cell = seen.sel(station=row.station, sv=row.sv)
        in_pass = cell.sel(time=slice(row.rise_gpst, row.set_gpst))
        top = in_pass["elevation"].values.argmax()
        assert abs(seconds(row.culmination_gpst, in_pass["time"].values[top])) <= 1
        # An exchange of ephemerides moves a satellite by metres: 1 m is 3e-6 deg.
        assert row.max_elevation_deg == pytest.approx(in_pass["elevation"].values[top], abs=1e-5)
        for when, azimuth in ((row.rise_gpst, row.rise_azimuth_deg), (row.set_gpst, row.set_azimuth_deg)):
            turn = (azimuth - cell["azimuth"].sel(time=when).item() + 180) % 360 - 180
            assert abs(turn) < 0.02  # some 0.01 deg in the second of the rounding


def test_a_satellite_rises_twice_over_a_horizon_with_corners(some, table):
    """What is one pass in the open is several in the valley, all within the one."""
    bare = Station(name="Bare", geodetic=IRKUTSK)
    open_sky = passes(some, [bare], *DAY, mask_deg=7.0)
    hidden = table[table.station == "Valley"]
    parts = [
        len(hidden[(hidden.sv == row.sv) & (hidden.rise_gpst >= row.rise_gpst) & (hidden.set_gpst <= row.set_gpst)])
        for row in open_sky.itertuples()
    ]
    assert sum(parts) == len(hidden)
    assert sum(n >= 2 for n in parts) > 10


# --- RTKLIB ---------------------------------------------------------------------------------------------


class Rtklib:
    """RTKLIB's own reading of the sample, orbits and angles."""

    def __init__(self, rtklib, folder):
        path = folder / "sample.rnx"
        path.write_bytes(gzip.decompress(SAMPLE.read_bytes()))
        self.rtklib, self.nav = rtklib, rtklib.nav_t()
        rtklib.readrnx(str(path), 0, "", rtklib.obs_t(), self.nav, rtklib.sta_t())
        self.state, self.clock = rtklib.Arr1Ddouble(6), rtklib.Arr1Ddouble(2)
        self.variance, self.health = rtklib.Arr1Ddouble(1), rtklib.Arr1Dint(1)
        self.sight, self.azel = rtklib.Arr1Ddouble(3), rtklib.Arr1Ddouble(2)

    def elevation_deg(self, sv, time, site_m):
        """Elevation at an instant on GPST, NaN without a healthy ephemeris."""
        rtklib = self.rtklib
        start = rtklib.epoch2time(self._array([2024, 1, 10, 0, 0, 0]))
        when = rtklib.timeadd(start, float(seconds(time, DAY[0])))
        out = (self.state, self.clock, self.variance, self.health)
        if not rtklib.satpos(when, when, rtklib.satid2no(sv), rtklib.EPHOPT_BRDC, self.nav, *out) or self.health[0]:
            return math.nan
        site, place = self._array(site_m), rtklib.Arr1Ddouble(3)
        rtklib.ecef2pos(site, place)
        rtklib.geodist(self.state, site, self.sight)
        rtklib.satazel(place, self.sight, self.azel)
        return math.degrees(self.azel[1])

    def _array(self, values):
        array = self.rtklib.Arr1Ddouble(6)
        for i, value in enumerate(values):
            array[i] = float(value)
        return array


@pytest.fixture(scope="module")
def rtklib(tmp_path_factory):
    return Rtklib(pytest.importorskip("pyrtklib"), tmp_path_factory.mktemp("rtklib"))


@pytest.mark.parametrize("name", ["Irkutsk", "Obninsk"])
@pytest.mark.parametrize("sv", ["R01", "R08", "R19", "C06", "C19", "C27", "C38", "G05", "E11"])
def test_rise_and_set_agree_with_rtklib(nav, rtklib, name, sv):
    """Passes found with RTKLIB at every minute and closed in second by second have the same rise and set."""
    station, mask_deg = stations(name)[0], 10.0

    def up(time):
        return rtklib.elevation_deg(sv, time, station.xyz_m) >= mask_deg

    def change(before, after):
        """Return the first second after a change."""
        was = up(before)
        return next(t for t in np.arange(before, after + SECOND, SECOND) if up(t) != was)

    times = epochs(DAY[0], hours=24, step_s=60)
    found = passes(nav, [station], times[0], times[-1], systems=sv[0], mask_deg=mask_deg)
    found = found[found.sv == sv]
    truth = runs(np.array([up(t) for t in times]))
    assert len(found) == len(truth) > 0
    for row, (first, last) in zip(found.itertuples(), truth, strict=True):
        assert (row.begins == "start") == (first == 0)
        assert (row.ends == "end") == (last == len(times) - 1)
        if row.begins == "rise":
            # 1 s of the scan; orbits agree to 1 cm, angles to 1e-9 deg
            assert abs(seconds(row.rise_gpst, change(times[first - 1], times[first]))) <= 1
        if row.ends == "set":
            assert abs(seconds(row.set_gpst, change(times[last], times[last + 1]))) <= 1


# --- Orbits that can be worked out ----------------------------------------------------------------------

EARTH_RATE_RADPS = 7.292115e-5
GM_M3S2 = 3.986004418e14


def circle(radius_m, inclination_rad, node_rad, phase_rad):
    """Return ECEF positions of a circular orbit as a function of seconds."""
    rate = math.sqrt(GM_M3S2 / radius_m**3)

    def at(t):
        u, node = phase_rad + rate * t, node_rad - EARTH_RATE_RADPS * t
        x, y = np.cos(u), np.sin(u) * math.cos(inclination_rad)
        east = (x * np.cos(node) - y * np.sin(node), x * np.sin(node) + y * np.cos(node))
        return radius_m * np.stack([*east, np.sin(u) * math.sin(inclination_rad)], axis=-1)

    return at


class Circular:
    """A source of positions that is no file: one satellite, a forecast beyond `data_end`."""

    def __init__(self, orbit, data_end=DAY[1]):
        self.orbit, self.data_end = orbit, data_end

    def positions(self, times, **_):
        times = np.asarray(times)
        coords = {"time": times, "sv": ["C01"], "ecef": ["x", "y", "z"]}
        xyz = self.orbit(seconds(times, DAY[0]))[:, None]
        ahead = (times > self.data_end)[:, None]
        return xr.Dataset({"positions": (("time", "sv", "ecef"), xyz), "forecast": (("time", "sv"), ahead)}, coords)


def passes_of(orbit, station, hours, mask_deg):
    end = DAY[0] + np.timedelta64(hours, "h")
    return passes(Circular(orbit), [station], DAY[0], end, mask_deg=mask_deg)


def elevation_rad(orbit, station, t):
    latitude, longitude = math.radians(station.latitude_deg), math.radians(station.longitude_deg)
    up = np.array(
        [math.cos(latitude) * math.cos(longitude), math.cos(latitude) * math.sin(longitude), math.sin(latitude)]
    )
    sight = orbit(t) - station.xyz_m
    return np.arcsin(sight @ up / np.linalg.norm(sight, axis=-1))


@settings(max_examples=25, deadline=None)
@given(
    radius_m=st.sampled_from([25.508e6, 26.56e6, 27.906e6, 42.164e6]),
    inclination_rad=st.floats(0.0, math.pi),
    node_rad=st.floats(0.0, 6.28),
    phase_rad=st.floats(0.0, 6.28),
    mask_deg=st.floats(-5.0, 60.0),
)
def test_passes_of_circular_orbits(radius_m, inclination_rad, node_rad, phase_rad, mask_deg):
    orbit = circle(radius_m, inclination_rad, node_rad, phase_rad)
    station = stations("Irkutsk")[0]
    t = np.arange(0, 12 * 3600 + 1.0)
    above = elevation_rad(orbit, station, t) - math.radians(mask_deg)
    found = passes_of(orbit, station, 12, mask_deg)
    # A satellite that only touches the mask, by less than rounding, may count or not.
    truth = [(a, b) for a, b in runs(above >= 0.0) if above[a : b + 1].max() > 1e-9]
    kept = found[np.radians(found.max_elevation_deg - mask_deg) > 1e-9]
    long_found = kept[kept.duration_s >= 2.0]
    long_truth = [(a, b) for a, b in truth if b - a >= 2]
    assert abs(len(long_found) - len(long_truth)) <= sum(b - a <= 3 for a, b in truth)
    for a, b in ((a, b) for a, b in truth if b - a > 3):
        near = kept[abs(seconds(kept.rise_gpst.to_numpy(), DAY[0]) - a) <= 1]
        assert len(near) == 1
        assert abs(seconds(near.set_gpst.iloc[0], DAY[0]) - b) <= 1
        # between nodes the polynomial is within 1 cm of the orbit: 5e-10 rad
        assert np.radians(near.max_elevation_deg.iloc[0] - mask_deg) >= above[a : b + 1].max() - 1e-9


@pytest.mark.parametrize("length_s", [4, 20, 50])
@pytest.mark.parametrize("upwards", [True, False])
def test_short_passes_and_short_interruptions_are_found(length_s, upwards):
    """A mask just below a culmination is crossed for seconds; one just above a lowest point hides for seconds."""
    station = stations("Irkutsk")[0]
    # An inclined synchronous orbit is always above the horizon here, and lowest once a day.
    orbit = circle(26.56e6, 0.96, 1.0, 0.3) if upwards else circle(42.164e6, 0.2, 1.82, 0.0)
    t = np.arange(0, 24 * 3600, 0.5)
    elevation = elevation_rad(orbit, station, t)
    inner = slice(1, -1)
    turning = (elevation[inner] > elevation[:-2]) & (elevation[inner] >= elevation[2:])
    if not upwards:
        turning = (elevation[inner] < elevation[:-2]) & (elevation[inner] <= elevation[2:])
    middle = int(np.flatnonzero(turning & (elevation[inner] > 0.1))[0]) + 1
    mask_deg = math.degrees((elevation[middle - length_s] + elevation[middle + length_s]) / 2)
    found = passes_of(orbit, station, 24, mask_deg)
    if upwards:
        short = found[abs(seconds(found.culmination_gpst.to_numpy(), DAY[0]) - t[middle]) <= 1]
        assert len(short) == 1
        assert short.duration_s.item() == pytest.approx(length_s, abs=1.5)
        return
    hidden_s = seconds(found.rise_gpst.to_numpy()[1:], found.set_gpst.to_numpy()[:-1])
    at_s = seconds(found.set_gpst.to_numpy()[:-1], DAY[0])
    assert hidden_s[abs(at_s - t[middle]) < 60] == pytest.approx([length_s], abs=1.5)


def test_passes_that_hold_any_forecast_are_marked():
    orbit, data_end = circle(26.56e6, 0.96, 1.0, 0.3), DAY[0] + np.timedelta64(12 * 3600, "s")
    found = passes(Circular(orbit, data_end), "joint", *DAY)
    before, after = found.set_gpst < data_end - 60 * SECOND, found.set_gpst > data_end
    assert before.sum() > 3
    assert after.sum() > 3
    assert not found.forecast[before].any()
    assert found.forecast[after].all()


# --- What cuts a pass -----------------------------------------------------------------------------------


def test_geostationary_satellites_never_set(nav):
    found = passes(nav, "Changchun", *DAY, systems="C", mask_deg=5)
    for sv in ("C01", "C02", "C03", "C04"):
        row = found[found.sv == sv].squeeze()
        assert (row.begins, row.ends, row.duration_s) == ("start", "end", 86400.0)
        assert (row.rise_gpst, row.set_gpst) == (DAY[0], DAY[1])


def test_a_gap_of_the_ephemerides_cuts_a_pass_where_the_file_says(nav):
    """With an age limit of 10 min a GLONASS record serves from 10 min before to 10 min after its reference time."""
    one = nav.select("R", exclude_sv=[sv for sv in nav.satellites if sv != "R08"])
    records = one.to_dataframe()
    assert records.healthy.all()
    toe = np.unique(records.toe_gpst.to_numpy("datetime64[ns]"))
    found = passes(one, "Irkutsk", *DAY, mask_deg=5, max_age_s=600)
    cut = found[found.ends == "ephemeris"]
    begun = found[found.begins == "ephemeris"]
    assert len(cut) > 10
    assert len(begun) > 10
    assert np.isin(cut.set_gpst.to_numpy(), toe + 600 * SECOND).all()
    assert np.isin(begun.rise_gpst.to_numpy(), toe - 600 * SECOND).all()


def test_a_satellite_that_becomes_unhealthy_ends_its_pass(nav):
    """In the dense table of the day, each end by the ephemeris is where health or reach changes."""
    found = passes(nav, "joint", *DAY, systems="RC")
    cut = found[found.ends == "ephemeris"]
    assert len(cut)
    for row in cut.drop_duplicates(["sv", "set_gpst"]).head(5).itertuples():
        around = [row.set_gpst - SECOND, row.set_gpst + SECOND]
        sky = satellite_positions(nav, around, systems=row.sv[0])
        assert sky.healthy.sel(sv=row.sv).values.tolist() == [True, False]


def test_unhealthy_satellites_have_passes_only_when_asked_for(nav):
    only = [sv for sv in nav.select("R").satellites if sv != "R26"]
    without = passes(nav, "joint", *DAY, systems="R", exclude_sv=only)
    assert len(without) == 0
    with_them = passes(nav, "joint", *DAY, systems="R", exclude_sv=only, include_unhealthy=True)
    assert set(with_them.sv) == {"R26"}
    assert with_them.columns.tolist() == without.columns.tolist()
    assert with_them.dtypes["rise_gpst"] == without.dtypes["rise_gpst"] == "datetime64[ns]"


def test_a_span_cut_in_two_cuts_passes_in_two(some):
    noon = DAY[0] + np.timedelta64(11, "h") + np.timedelta64(7, "s")
    whole = passes(some, "Irkutsk", *DAY)
    morning, evening = passes(some, "Irkutsk", DAY[0], noon), passes(some, "Irkutsk", noon, DAY[1])
    assert (morning[morning.ends == "end"].set_gpst == noon).all()
    assert sorted(morning[morning.ends == "end"].sv) == sorted(evening[evening.begins == "start"].sv)
    over_noon = whole[(whole.rise_gpst < noon) & (whole.set_gpst > noon)]
    assert sorted(over_noon.sv) == sorted(evening[evening.begins == "start"].sv)
    assert morning.duration_s.sum() + evening.duration_s.sum() == pytest.approx(whole.duration_s.sum(), abs=len(whole))


def test_rows_are_by_station_and_time_and_times_are_whole_seconds(nav):
    names = ["Obninsk", "Changchun"]
    found = passes(nav, names, *DAY, systems="R")
    assert list(dict.fromkeys(found.station)) == names
    for name in names:
        assert found[found.station == name].rise_gpst.is_monotonic_increasing
    for column in ("rise_gpst", "culmination_gpst", "set_gpst"):
        assert found[column].dt.floor("s").equals(found[column])
    assert (found.rise_gpst <= found.culmination_gpst).all()
    assert (found.culmination_gpst <= found.set_gpst).all()
    assert not found.forecast.any()


# --- Faults ---------------------------------------------------------------------------------------------


def test_end_must_be_after_start(nav):
    with pytest.raises(TimeError, match="not after their start"):
        passes(nav, "joint", DAY[1], DAY[0])


def test_mask_must_be_an_angle(nav):
    with pytest.raises(ScenarioError, match="between -90 and 90"):
        passes(nav, "joint", *DAY, mask_deg=95)


def test_a_span_without_ephemerides_is_an_error(nav):
    with pytest.raises(EphemerisGapError, match="no valid ephemeris"):
        passes(nav, "joint", "2023-01-10", "2023-01-11")
