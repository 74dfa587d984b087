"""Orbit kernels against potentials, quadrature, rotations and RTKLIB; choice of records in plain Python."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.spatial.transform import Rotation

from gnss_coop.kernels import orbits

GM, OMEGA_E = 3.986004418e14, 7.292115e-5  # BDS-SIS-ICD-B1I 5.2.4
# GLONASS ICD, PZ-90.11
AE_M, J2 = 6378136.0, 1.0826257e-3
# R01 on 2020-06-25: a real state [m, m/s, m/s^2]
STATE = np.array([10906894.53125, -2885653.2, 22882003.4, 1407.8, 2796.0, -316.997, -1.86e-6, 0.0, -2.79e-6])
DAYS_2020_06_25 = 7480.5

ANGLE = st.floats(-math.pi, math.pi)


def row(**columns: float) -> np.ndarray:
    """An element row, by names of columns."""
    elements = np.zeros(orbits.N_ELEMENTS)
    elements[[orbits.GM, orbits.OMEGA_E]] = GM, OMEGA_E
    for name, value in columns.items():
        elements[getattr(orbits, name.upper())] = value
    return elements


def position(model: int, elements: np.ndarray, tk: float) -> np.ndarray:
    xyz = np.empty((1, 1, 3))
    orbits.positions(
        np.array([round(tk * 1e9)]),
        np.zeros((1, 1), np.int64),
        np.zeros(1, np.int64),
        np.array([model], np.int8),
        elements[None],
        xyz,
    )
    return xyz[0, 0]


# --- Kepler ---------------------------------------------------------------------------------------------


def two_body(elements: np.ndarray, tk: float) -> np.ndarray:
    """Earth-fixed position of an undisturbed ellipse: Kepler's equation by bracketing, axes by scipy."""
    a, e = elements[orbits.SQRT_A] ** 2, elements[orbits.ECCENTRICITY]
    mean = elements[orbits.M0] + math.sqrt(elements[orbits.GM] / a**3) * tk
    anomaly = brentq(lambda x: x - e * math.sin(x) - mean, mean - 1, mean + 1, xtol=1e-15, rtol=1e-15)
    plane = np.array([a * (math.cos(anomaly) - e), a * math.sqrt(1 - e * e) * math.sin(anomaly), 0.0])
    node = elements[orbits.OMEGA0] - elements[orbits.OMEGA_E] * (tk + elements[orbits.TOE_OF_WEEK])
    return Rotation.from_euler("ZXZ", [node, elements[orbits.I0], elements[orbits.OMEGA]]).apply(plane)


@settings(deadline=None)  # the first call compiles
@given(
    e=st.floats(0, 0.2), i0=st.floats(0, math.pi), m0=ANGLE, omega=ANGLE, omega0=ANGLE,
    toe=st.floats(0, 604800), tk=st.floats(-14400, 14400),
)  # fmt: skip
def test_an_undisturbed_orbit_is_an_ellipse(e, i0, m0, omega, omega0, toe, tk):
    tk = round(tk * 1e9) * 1e-9
    elements = row(sqrt_a=5440.6, eccentricity=e, i0=i0, m0=m0, omega=omega, omega0=omega0, toe_of_week=toe)
    # 1e-14 of an angle of some tens of radians and 3e7 m: micrometres
    np.testing.assert_allclose(position(orbits.KEPLER, elements, tk), two_body(elements, tk), atol=2e-5)


@pytest.mark.parametrize("tk", [-7200.0, 0.0, 7200.0])
def test_the_eccentric_galileo_orbits_and_an_equatorial_one(tk):
    """E14 and E18 fly with e = 0.17; i = 0 leaves the node undefined, yet the position is not."""
    elements = row(sqrt_a=5289.5, eccentricity=0.17, m0=3.0, omega=1.0, omega0=2.0)
    xyz = position(orbits.KEPLER, elements, tk)
    np.testing.assert_allclose(xyz, two_body(elements, tk), atol=1e-6)
    assert xyz[2] == 0.0


@settings(deadline=None)  # the first call compiles
@given(e=st.floats(0.001, 0.17), m0=ANGLE, tk=st.floats(-7200, 7200))
def test_energy_and_angular_momentum_belong_to_the_ellipse(e, m0, tk):
    elements = row(sqrt_a=5282.6, eccentricity=e, i0=0.96, m0=m0, omega=0.3)
    before, now, after = (
        Rotation.from_euler("Z", OMEGA_E * (tk + d)).apply(position(orbits.KEPLER, elements, tk + d))
        for d in (-1.0, 0.0, 1.0)
    )
    velocity = (after - before) / 2
    a = 5282.6**2
    # central differences over 1 s err by n^2/6 = 4e-9
    energy = velocity @ velocity / 2 - GM / np.linalg.norm(now)
    assert energy == pytest.approx(-GM / (2 * a), rel=1e-6)
    momentum = np.linalg.norm(np.cross(now, velocity))
    assert momentum == pytest.approx(math.sqrt(GM * a * (1 - e * e)), rel=1e-6)


@pytest.mark.parametrize("tk", [-3600.0, 0.0, 900.0])
def test_each_harmonic_correction_moves_the_satellite_along_its_own_axis(tk):
    base = {"sqrt_a": 5282.6, "i0": 0.96, "m0": 0.4, "omega": 0.7, "omega0": 1.1}
    plain = position(orbits.KEPLER, row(**base), tk)
    radius = np.linalg.norm(plain)
    phi = 0.4 + 0.7 + math.sqrt(GM / 5282.6**6) * tk  # e = 0: argument of latitude
    for radial, along, across, wave in (
        ("crc", "cuc", "cic", math.cos(2 * phi)),
        ("crs", "cus", "cis", math.sin(2 * phi)),
    ):
        moved = position(orbits.KEPLER, row(**base, **{radial: 300.0}), tk)
        np.testing.assert_allclose(moved, plain * (1 + 300 * wave / radius), atol=1e-6)
        # a turn of 1e-6 in the plane, and one about the line of nodes, where sin(phi) is the lever
        moved = position(orbits.KEPLER, row(**base, **{along: 1e-6}), tk)
        assert np.linalg.norm(moved - plain) == pytest.approx(radius * abs(1e-6 * wave), rel=1e-4)
        assert abs((moved - plain) @ plain) / radius < 1e-3
        moved = position(orbits.KEPLER, row(**base, **{across: 1e-6}), tk)
        lever = radius * abs(math.sin(phi) * 1e-6 * wave)
        assert np.linalg.norm(moved - plain) == pytest.approx(lever, rel=1e-4)


def test_a_geostationary_satellite_is_tilted_and_turned():
    """BDS-SIS-ICD-B1I 5.2.4.12, with scipy's rotations; scipy turns vectors, the ICD turns axes."""
    shape = {"sqrt_a": 6493.4, "eccentricity": 3e-4, "i0": 0.09, "m0": 1.0, "omega": -0.5, "omega0": 2.0}
    tilt = Rotation.from_euler("X", 5, degrees=True)
    for tk in (-3600.0, 0.0, 1234.5):
        elements = row(**shape, omega_dot=1e-9, is_geo=1.0, toe_of_week=14400.0)
        inertial = two_body(row(**shape, omega_e=0.0), tk)
        node = Rotation.from_euler("Z", 1e-9 * tk - OMEGA_E * 14400)
        expected = Rotation.from_euler("Z", -OMEGA_E * tk).apply(tilt.apply(node.apply(inertial)))
        np.testing.assert_allclose(position(orbits.KEPLER, elements, tk), expected, atol=1e-5)


def test_rates_act_as_their_integrals():
    """A = A0 + Adot tk; n holds half of the rate, since the mean anomaly is its mean times tk."""
    base = {"sqrt_a": 5282.6, "i0": 0.0}
    a0 = 5282.6**2
    for tk in (-3600.0, 3600.0):
        xyz = position(orbits.KEPLER, row(**base, a_dot=0.01), tk)
        assert np.linalg.norm(xyz) == pytest.approx(a0 + 0.01 * tk, abs=1e-6)
        plain = position(orbits.KEPLER, row(**base), tk)
        xyz = position(orbits.KEPLER, row(**base, dn0_dot=1e-13), tk)
        turned = math.atan2(np.cross(plain, xyz)[2], plain @ xyz)
        assert turned == pytest.approx(0.5e-13 * tk * tk, rel=1e-6)
        assert np.linalg.norm(xyz) == pytest.approx(a0, abs=1e-6)  # n0 comes from A0 alone


# --- GLONASS and SBAS -----------------------------------------------------------------------------------


def gravity(xyz: np.ndarray) -> np.ndarray:
    """Gradient of the central and J2 potential by complex steps: no formula of the ICD in it."""
    gradient = np.empty(3)
    for axis in range(3):
        x = xyz.astype(complex)
        x[axis] += 1e-8j
        r = np.sqrt((x * x).sum())
        p2 = (3 * (x[2] / r) ** 2 - 1) / 2
        gradient[axis] = (GM / r * (1 - J2 * (AE_M / r) ** 2 * p2)).imag / 1e-8
    return gradient


def rates(_: float, state: np.ndarray, pull: np.ndarray) -> np.ndarray:
    spin = np.array([0.0, 0.0, OMEGA_E])
    x, v = state[:3], state[3:]
    return np.r_[v, gravity(x) + pull - 2 * np.cross(spin, v) - np.cross(spin, np.cross(spin, x))]


def integrated(row: np.ndarray, tk: float, *, pull: np.ndarray | None = None) -> np.ndarray:
    """Position with a constant pull of Sun and Moon, by an integrator of order 8 at its tightest."""
    args = (row[6:9] if pull is None else pull,)
    done = solve_ivp(rates, (0, tk), row[:6], args=args, method="DOP853", rtol=1e-13, atol=1e-7)
    return done.y[:3, -1]


def glonass_row(days: float = DAYS_2020_06_25) -> np.ndarray:
    elements = np.zeros(orbits.N_ELEMENTS)
    elements[:9] = STATE
    elements[orbits.DAYS_J2000] = days
    return elements


@settings(deadline=None)  # the first call compiles
@given(
    latitude=st.floats(-1.2, 1.2),
    longitude=ANGLE,
    velocity=st.tuples(*[st.floats(-4000, 4000)] * 3),
)
def test_glonass_rates_follow_from_the_potential(latitude, longitude, velocity):
    cos = math.cos(latitude)
    x = 25.51e6 * np.array([cos * math.cos(longitude), cos * math.sin(longitude), math.sin(latitude)])
    pull, out = np.array([1e-6, -2e-6, 3e-6]), np.empty(6)
    orbits._glonass_rates(np.r_[x, velocity], pull, out)
    np.testing.assert_allclose(out, rates(0, np.r_[x, velocity], pull), atol=1e-13, rtol=1e-13)


@pytest.mark.parametrize("tk", [-1800.0, -900.0, -37.25, 0.0, 1e-9, 60.0, 905.5, 1800.0])
def test_glonass_integration_errs_by_less_than_a_millimetre_at_its_limit(tk):
    # measured: 0.7 mm after 15 min for steps of 60 s is an upper bound over all satellites and arcs
    tolerance_m = 1e-3 * max(1.0, abs(tk) / 900)
    np.testing.assert_allclose(
        position(orbits.GLONASS, glonass_row(), tk), integrated(glonass_row(), tk), atol=tolerance_m
    )


def test_glonass_integration_is_of_fourth_order(monkeypatch):
    error_m = []
    for step_s in (300.0, 150.0, 75.0):
        monkeypatch.setattr(orbits, "_STEP_S", step_s)
        xyz = np.empty(3)
        orbits._glonass.py_func(glonass_row(), 1800.0, xyz)  # compiled code keeps its step
        error_m.append(np.linalg.norm(xyz - integrated(glonass_row(), 1800.0)))
    for coarse, fine in pairwise(error_m):
        assert 12 < coarse / fine < 24  # 2^4, and more where the next order shows


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_step_from_the_broadcast_to_the_recomputed_pull_is_small(sign):
    before = position(orbits.GLONASS, glonass_row(), sign * 1800.0)
    after = position(orbits.GLONASS, glonass_row(), sign * 1800.001)
    # 4 m fly by in a millisecond; the pulls differ by 1e-6 m/s^2 (last bit of J), over 30 min 1.6 m each axis
    assert np.linalg.norm(after - before) < 4 + 3


def test_glonass_goes_there_and_back():
    """Integrating to a time and back from the state reached there ends where it began."""
    there = solve_ivp(rates, (0, 900), STATE[:6], args=(STATE[6:],), method="DOP853", rtol=1e-13, atol=1e-7)
    back = glonass_row()
    back[:6] = there.y[:, -1]
    np.testing.assert_allclose(position(orbits.GLONASS, back, -900.0), STATE[:3], atol=1e-3)


def tidal(gm: float, body: np.ndarray, x: np.ndarray) -> np.ndarray:
    apart = body - x
    return gm * (apart / np.linalg.norm(apart) ** 3 - body / np.linalg.norm(body) ** 3)


def test_sun_and_moon_pull_as_rtklib_places_them():
    rtklib = pytest.importorskip("pyrtklib")
    sun, moon, gmst = rtklib.Arr1Ddouble(3), rtklib.Arr1Ddouble(3), rtklib.Arr1Ddouble(1)
    turn = rtklib.Arr1Ddouble(5)
    for i in range(5):
        turn[i] = 0.0
    out, rng = np.empty(3), np.random.default_rng(1)
    for day in rng.uniform(10_000, 17_000, 200):  # since 1980-01-06: 2007 to 2026
        time = rtklib.gpst2utc(rtklib.gpst2time(int(day // 7), day % 7 * 86400))
        rtklib.sunmoonpos(time, turn, sun, moon, gmst)
        x = rng.normal(size=3)
        x *= 25.51e6 / np.linalg.norm(x)
        expected = tidal(1.32712440018e20, np.array([sun[i] for i in range(3)]), x)
        expected += tidal(4.902800e12, np.array([moon[i] for i in range(3)]), x)
        orbits._sun_and_moon(day - 7300.5, *x, out)
        # Series good to 0.3 deg, and RTKLIB turns them by precession, 0.4 deg more: 2.5 % of the pull of
        # Sun and Moon in line, 2 GM r / d^3 = 2.0e-6 + 4.4e-6 m/s^2 (5.3e-6 at perigee)
        assert np.linalg.norm(out - expected) < 0.025 * 6.4e-6
        assert np.linalg.norm(out) < 7.5e-6


def test_an_sbas_state_is_a_polynomial():
    elements = np.zeros(orbits.N_ELEMENTS)
    elements[:9] = 4.2e7, 1.0, -2.0, 3.0, -1.0, 0.5, 2e-5, -4e-5, 1e-5
    for tk in (-120.0, 0.0, 64.5):
        expected = elements[:3] + elements[3:6] * tk + elements[6:9] * tk * tk / 2
        np.testing.assert_allclose(position(orbits.SBAS, elements, tk), expected, rtol=1e-15)


def test_no_record_gives_nan_and_others_are_untouched():
    xyz = np.zeros((1, 2, 3))
    orbits.positions(
        np.zeros(1, np.int64), np.array([[-1, 0]]), np.zeros(1, np.int64), np.zeros(1, np.int8),
        row(sqrt_a=5282.6)[None], xyz,
    )  # fmt: skip
    assert np.isnan(xyz[0, 0]).all()
    np.testing.assert_allclose(xyz[0, 1], [5282.6**2, 0, 0])


# --- Choice of the record -------------------------------------------------------------------------------


def plain_choice(now, groups, limits, any_health):
    """The rule as `satellite_positions` and `select` describe it: index of a record and 0, 1 or 2."""

    def in_force(records):
        sent = [r for r in records if r[1] <= now]
        if sent:
            return max(sent, key=lambda r: (r[1], r[3]))
        return min(records, key=lambda r: (r[1], -r[3]))

    for records, limit in zip(groups, limits, strict=True):
        reach = [r for r in records if abs(r[0] - now) <= limit]
        if not reach:
            continue
        healthy = in_force(reach)[2]
        if not (healthy or any_health):
            return -1, 1
        reach = [r for r in reach if r[2] or not healthy]
        nearest = min(abs(r[0] - now) for r in reach)
        return in_force([r for r in reach if abs(r[0] - now) == nearest])[3], 2 if healthy else 1
    return -1, 0


def kernel_choice(epochs, satellites, limits, any_health=False):
    """Run the kernel over satellites (lists of groups of (toe, sent, healthy))."""
    groups = [group for satellite in satellites for group in satellite]
    owner = [s for s, satellite in enumerate(satellites) for _ in satellite]
    stop = np.cumsum([len(group) for group in groups])
    start = stop - [len(group) for group in groups]
    table = [record for group in groups for record in group]
    limit = np.repeat(limits, [len(group) for group in groups])
    chosen = np.full((len(epochs), len(satellites)), -9)
    usable = np.full(chosen.shape, -9, np.int8)
    orbits.select(
        np.array(epochs, np.int64), start, stop, np.array(owner), np.array([r[0] for r in table], np.int64),
        np.array([r[1] for r in table], np.int64), limit, np.array([r[2] for r in table], bool), any_health,
        chosen, usable,
    )  # fmt: skip
    return chosen, usable


def choice(now, *groups, limit=100, any_health=False):
    chosen, usable = kernel_choice([now], [groups], [limit] * len(groups), any_health)
    return int(chosen[0, 0]), int(usable[0, 0])


def test_the_nearest_record_gives_the_orbit():
    records = [(0, 0, True), (60, 60, True)]
    assert choice(29, records) == (0, 2)
    assert choice(31, records) == (1, 2)  # although it is sent later: files are read afterwards
    assert choice(30, records) == (0, 2)  # equally near: the one that has been sent
    assert choice(30, [(0, 0, True), (60, 20, True)]) == (1, 2)


def test_the_limit_is_inclusive_on_both_sides():
    for toe in (-100, 100):
        assert choice(0, [(toe, toe, True)]) == (0, 2)
    for toe in (-101, 101):
        assert choice(0, [(toe, toe, True)]) == (-1, 0)


def test_a_flip_of_health_counts_from_its_transmission():
    """C14 on 2023-03-12: one reference time, sent healthy at 0 s and unhealthy from 930 s on."""
    records = [(0, 0, True), (0, 930, False)]
    assert choice(0, records, limit=3600) == (0, 2)
    assert choice(929, records, limit=3600) == (0, 2)
    assert choice(930, records, limit=3600) == (-1, 1)
    assert choice(929, records, limit=3600, any_health=True) == (0, 2)
    assert choice(930, records, limit=3600, any_health=True) == (1, 1)


def test_health_of_tomorrow_does_not_count_today():
    records = [(0, 0, True), (60, 60, False)]
    assert choice(50, records) == (0, 2)  # the nearer record is unhealthy, but not sent yet
    assert choice(60, records) == (-1, 1)
    recovered = [(0, 0, False), (60, 60, True)]
    assert choice(50, recovered) == (-1, 1)
    assert choice(60, recovered) == (1, 2)


def test_asking_for_unhealthy_satellites_leaves_healthy_ones_alone():
    records = [(0, 0, True), (60, 60, False)]
    assert choice(50, records, any_health=True) == (0, 2)
    assert choice(60, records, any_health=True) == (1, 1)


def test_before_the_first_transmission_the_first_record_counts():
    assert choice(-50, [(0, 0, True), (0, 10, False)]) == (0, 2)
    assert choice(-50, [(0, 0, False), (0, 10, True)]) == (-1, 1)


def test_of_one_reference_time_the_newest_sent_by_now():
    records = [(0, -20, True), (0, 0, True), (0, 30, True)]
    assert [choice(now, records)[0] for now in (-30, -10, 0, 29, 30)] == [0, 0, 1, 1, 2]


def test_the_preferred_message_decides_while_it_is_in_reach():
    first, second = [(0, 0, True)], [(0, 0, True), (150, 150, True)]
    assert choice(40, first, second) == (0, 2)
    assert choice(140, first, second) == (2, 2)
    assert choice(40, [(0, 0, False)], second) == (-1, 1)  # an unhealthy satellite has no healthy orbit
    assert choice(300, first, second) == (-1, 0)


RECORD = st.tuples(st.integers(-8, 8), st.integers(-10, 10), st.booleans())
GROUP = st.lists(RECORD, min_size=1, max_size=6).map(sorted)
SATELLITE = st.lists(GROUP, min_size=1, max_size=3)


@settings(max_examples=300, deadline=None)
@given(
    satellites=st.lists(SATELLITE, min_size=1, max_size=3),
    epochs=st.lists(st.integers(-15, 15), max_size=5),
    limit=st.integers(0, 6),
    any_health=st.booleans(),
)
def test_the_kernel_follows_the_rule_as_written(satellites, epochs, limit, any_health):
    limits = [limit + len(group) % 2 for satellite in satellites for group in satellite]
    chosen, usable = kernel_choice(epochs, satellites, limits, any_health)
    row, group_row = 0, 0
    for s, satellite in enumerate(satellites):
        groups = []
        for group in satellite:
            groups.append([(*record, row + i) for i, record in enumerate(group)])
            row += len(group)
        own_limits = limits[group_row : group_row + len(satellite)]
        group_row += len(satellite)
        for t, now in enumerate(epochs):
            assert (chosen[t, s], usable[t, s]) == plain_choice(now, groups, own_limits, any_health)


# --- Records that contradict their neighbours -----------------------------------------------------------


def disagreements(toe_s: list[float], shifts_m: list[float]) -> np.ndarray:
    """Distances that the kernel finds for a circular orbit whose records are shifted along track."""
    n, a = math.sqrt(GM / 5282.6**6), 5282.6**2
    elements = np.array(
        [
            row(sqrt_a=5282.6, i0=0.96, m0=n * toe + shift / a, toe_of_week=toe)
            for toe, shift in zip(toe_s, shifts_m, strict=True)
        ]
    )
    apart, count = np.zeros(len(toe_s)), len(toe_s)
    orbits.find_disagreements(
        np.array([0]), np.array([count]), np.array(toe_s, np.int64) * 10**9, np.full(count, 7200 * 10**9),
        np.zeros(count, np.int8), elements, 1000.0, apart,
    )  # fmt: skip
    return apart


def test_only_the_record_that_is_off_is_found():
    toe_s = [0, 3600, 7200, 10800, 14400]
    assert not disagreements(toe_s, [0.0] * 5).any()
    apart = disagreements(toe_s, [0, 0, 60e3, 0, 0])
    assert np.flatnonzero(apart).tolist() == [2]
    assert apart[2] == pytest.approx(60e3, rel=0.01)
    assert np.flatnonzero(disagreements(toe_s, [60e3, 0, 0, 0, 0])).tolist() == [0]
    assert np.flatnonzero(disagreements(toe_s, [0, 0, 0, 0, 60e3])).tolist() == [4]
    assert not disagreements(toe_s, [0, 0, 900, 0, 0]).any()  # below the limit


def test_two_records_alone_cannot_tell_which_is_wrong():
    assert not disagreements([0, 3600], [0, 60e3]).any()
    assert not disagreements([0, 3600, 90000], [0, 60e3, 0]).any()  # the third is too far away to ask
