"""Transition matrices against a variable-step integrator, information against explicit least squares."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.spatial.transform import Rotation

from gnss_coop.kernels import orbit_information as kernel

GM, J2, AE_M, OMEGA_E = 3.986004418e14, 1.0826257e-3, 6_378_136.0, 7.292115e-5  # GLONASS ICD, PZ-90.11
PHYSICS = np.array([GM, J2, AE_M, OMEGA_E])
STEP_S, N_TIMES, MIDDLE = 1800.0, 49, 24  # a day around its middle
ORBITS = {
    "GLONASS": (25_508.2e3, 0.002, 64.8), "BeiDou MEO": (27_906.1e3, 0.001, 55.0),
    "Galileo E14": (27_977e3, 0.166, 50.0), "IGSO": (42_164.2e3, 0.006, 55.0),
    "GEO": (42_164.2e3, 0.0003, 1.5), "equator": (42_164.2e3, 0.0, 0.0),
}  # fmt: skip


def state_of(a_m, e, inclination_deg):
    """Position and velocity 40 deg behind the perigee, which stands 30 deg behind the node, at 100 deg."""
    nu, turn = math.radians(40), Rotation.from_euler("ZXZ", [100, inclination_deg, 30], degrees=True)
    p = a_m * (1 - e * e)
    x = np.array([math.cos(nu), math.sin(nu), 0.0]) * p / (1 + e * math.cos(nu))
    v = np.array([-math.sin(nu), e + math.cos(nu), 0.0]) * math.sqrt(GM / p)
    return np.concatenate([turn.apply(x), turn.apply(v)])


def right_hand_side(_, states):
    """Motion of several satellites under -grad U, U = -GM/r (1 - J2 (ae/r)^2 (3 sin^2 phi - 1)/2)."""
    x, y, z, *v = states.reshape(6, -1)
    r = np.sqrt(x * x + y * y + z * z)
    q, u = J2 * (AE_M / r) ** 2, (z / r) ** 2
    level = -GM / r**3 * (1 - 1.5 * q * (5 * u - 1))
    return np.concatenate([*v, x * level, y * level, -GM / r**3 * (1 - 1.5 * q * (5 * u - 3)) * z])


def flown(states, times_s):
    """Positions and velocities (time, 6, state) at times on both sides of 0, to a micrometre or so."""
    out = np.empty((len(times_s), *states.shape))
    for side in (times_s >= 0, times_s <= 0):
        order = np.argsort(np.abs(times_s[side]))
        span = times_s[side][order]
        run = solve_ivp(right_hand_side, (0, span[-1]), states.ravel(), "DOP853", span, rtol=3e-14, atol=1e-7)
        out[np.flatnonzero(side)[order]] = run.y.T.reshape(len(span), *states.shape)
    return out


def directions(state):
    """Radial, along-track and cross-track, as rows."""
    radial = state[:3] / np.linalg.norm(state[:3])
    cross = np.cross(state[:3], state[3:])
    cross /= np.linalg.norm(cross)
    return np.array([radial, np.cross(cross, radial), cross])


def transition(states, reference, n_times=N_TIMES, step_s=STEP_S):
    n = len(states)
    position, basis, phi = np.empty((n_times, n, 3)), np.empty((n_times, n, 3, 3)), np.empty((n_times, n, 3, 6))
    kernel.transition(states, reference, n_times, step_s, PHYSICS, position, basis, phi)
    return position, basis, phi


@pytest.mark.parametrize("name", ORBITS)
def test_orbits_and_their_transition_matrices_are_those_of_finite_differences(name):
    state = state_of(*ORBITS[name])
    position, basis, phi = transition(state[None], np.array([MIDDLE]))
    times_s = STEP_S * (np.arange(N_TIMES) - MIDDLE)
    nudge = np.array([100.0] * 3 + [0.01] * 3)
    bundle = np.column_stack([state, *(state + sign * np.diag(nudge)[j] for j in range(6) for sign in (1, -1))])
    truth = flown(bundle, times_s)
    for t, (orbit, *sides) in enumerate(np.moveaxis(truth, 2, 1)):
        to_earth = Rotation.from_euler("Z", -OMEGA_E * times_s[t])
        # Fourth-order steps of 60 s: 2 cm in half a day of a circular MEO, 1 m where the perigee is at 3.7 radii.
        np.testing.assert_allclose(position[t, 0], to_earth.apply(orbit[:3]), atol=1.0 if "E14" in name else 0.05)
        own = directions(orbit)
        np.testing.assert_allclose(basis[t, 0], to_earth.apply(own), atol=1e-7)
        partials = np.column_stack([(plus - minus)[:3] for plus, minus in zip(sides[::2], sides[1::2], strict=True)])
        expected = own @ partials / (2 * nudge)
        # 1e-6 of the column: third-order terms (100 m / 26 000 km)^2 and errors of 1e-6 m over 200 m are far below.
        size = np.linalg.norm(expected, axis=0) + (t == MIDDLE)  # there the velocity moves nothing yet
        np.testing.assert_allclose(phi[t, 0] / size, expected / size, atol=1e-6)


def test_directions_are_orthonormal_right_handed_and_along_the_velocity():
    states = np.array([state_of(*elements) for elements in ORBITS.values()])
    _, basis, _ = transition(states, np.full(len(states), MIDDLE))
    np.testing.assert_allclose(basis @ np.swapaxes(basis, 2, 3), np.broadcast_to(np.eye(3), basis.shape), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(basis), 1.0, rtol=1e-14)
    for s, state in enumerate(states):
        along = basis[MIDDLE, s, 1] @ state[3:] / np.linalg.norm(state[3:])
        assert along > 0.98  # e = 0.166 tilts the velocity by up to 10 deg
        assert abs(basis[MIDDLE, s, 2] @ state[3:]) < 1e-9
        assert basis[MIDDLE, s, 2, 2] > 0.4  # all go round eastwards


def test_the_reference_epoch_may_be_an_end_and_a_satellite_without_state_is_nan():
    state = state_of(*ORBITS["GLONASS"])
    states = np.array([state, np.full(6, np.nan), state])
    position, basis, phi = transition(states, np.array([0, 0, 4]), n_times=5)
    np.testing.assert_allclose(position[0, 0], state[:3], atol=1e-6)
    np.testing.assert_allclose(position[4, 2], state[:3], atol=1e-6)
    for array in (position, basis, phi):
        assert np.isnan(array[:, 1]).all()
        assert np.isfinite(array[:, [0, 2]]).all()


def test_lines_of_sight_and_weights():
    satellites = np.array([[[3.0, 4.0, 12.0], [3.0, 4.0, 12.0]]])
    stations, up = np.array([[0.0, 0.0, 0.0], [3.0, 4.0, 13.0]]), np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    visible = np.array([[[True, False]], [[True, False]]])
    basis = np.broadcast_to(np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]), (1, 2, 3, 3)).copy()
    out = np.empty((1, 2, 2, 4))
    kernel.lines_of_sight(satellites, stations, up, visible, basis, out)
    np.testing.assert_allclose(out[0, 0, 0], [4 / 13, 12 / 13, 3 / 13, (12 / 13) ** 2], rtol=1e-15)
    assert out[0, 0, 1].tolist() == [0, -1, 0, 0]  # seen from above: below that station's horizon, no weight
    assert (out[0, 1] == 0).all()
    basis[:] = np.nan
    kernel.lines_of_sight(satellites, stations, up, visible, basis, out)
    assert (out == 0).all()


@st.composite
def geometries(draw):
    n_times, n_satellites, n_stations = draw(st.tuples(st.integers(3, 12), st.integers(1, 2), st.integers(1, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lines = rng.normal(size=(n_times, n_satellites, n_stations, 4))
    lines[..., :3] /= np.linalg.norm(lines[..., :3], axis=-1, keepdims=True)
    lines[..., 3] = rng.uniform(0.01, 1.0, lines.shape[:-1]) * (rng.random(lines.shape[:-1]) < 0.7)
    return rng.normal(size=(n_times, n_satellites, 3, 6)), lines, rng.random(n_stations) < 0.7


def normal_matrix(phi, lines, members, clock_known):
    """Information of one satellite from the full design matrix, with a column for the clock of each epoch."""
    rows, weights = [], []
    for t, (matrix, sights) in enumerate(zip(phi, lines, strict=True)):
        for u, is_member in zip(sights, members, strict=True):
            if is_member and u[3] > 0:
                clock = np.zeros(len(phi))
                clock[t] = 1.0
                rows.append([*(u[:3] @ matrix), *clock])
                weights.append(u[3])
    design, weight = np.array(rows).reshape(-1, 6 + len(phi)), np.array(weights)
    full = design.T @ (weight[:, None] * design)
    if clock_known:
        return full[:6, :6]
    return full[:6, :6] - full[:6, 6:] @ np.linalg.pinv(full[6:, 6:]) @ full[6:, :6]


def filled(lower):
    return np.tril(lower) + np.swapaxes(np.tril(lower, -1), -1, -2)


@settings(deadline=None, max_examples=50)
@given(case=geometries(), clock_known=st.booleans())
def test_information_is_that_of_all_ranges_with_the_clocks_eliminated(case, clock_known):
    phi, lines, members = case
    out = np.empty((phi.shape[1], 6, 6))
    kernel.information(phi, lines, members, clock_known, out)
    for s in range(phi.shape[1]):
        expected = normal_matrix(phi[:, s], lines[:, s], members, clock_known)
        # The subtraction of clocks cancels some digits of sums of some tens.
        np.testing.assert_allclose(filled(out[s]), expected, atol=1e-11)


@settings(deadline=None, max_examples=50)
@given(case=geometries())
def test_one_more_station_is_a_network_with_one_more(case):
    phi, lines, members = case
    members[-1] = False
    base, joined, out = (np.empty((phi.shape[1], 6, 6)) for _ in range(3))
    kernel.information(phi, lines, members, False, base)
    centre = np.empty((*lines.shape[:2], 4))
    kernel.centres(lines, members, centre)
    kernel.with_one_more(phi, centre, base, np.ascontiguousarray(lines[:, :, -1:]), out)
    members[-1] = True
    kernel.information(phi, lines, members, False, joined)
    np.testing.assert_allclose(filled(out), filled(joined), atol=1e-12)


def test_moments_are_means_over_usable_epochs():
    rng = np.random.default_rng(3)
    phi, usable = rng.normal(size=(20, 3, 3, 6)), rng.random((20, 3)) < 0.5
    usable[:, 2] = False
    out = np.empty((3, 3, 6, 6))
    kernel.moments(phi, usable, out)
    for s in range(2):
        rows = phi[usable[:, s], s]
        np.testing.assert_allclose(out[s], np.einsum("tdi,tdj->dij", rows, rows) / len(rows), rtol=1e-12)
    assert (out[2] == 0).all()


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(0, 6))
def test_sigma_is_the_root_of_the_mean_variance(seed, spread):
    rng = np.random.default_rng(seed)
    scale = 10.0 ** (spread * rng.normal(size=6))  # metres beside metres per second
    design = rng.normal(size=(12, 6)) * scale
    rows = rng.normal(size=(5, 3, 6)) * scale
    moment, out = np.empty((1, 3, 6, 6)), np.empty((1, 3))
    kernel.moments(rows[:, None], np.ones((5, 1), np.bool_), moment)
    kernel.sigmas(np.tril(design.T @ design)[None], moment, 1e-13, out)
    covariance = np.linalg.inv((design / scale).T @ (design / scale))
    expected = np.sqrt(np.einsum("tdi,ij,tdj->td", rows / scale, covariance, rows / scale).mean(axis=0))
    np.testing.assert_allclose(out[0], expected, rtol=1e-6)  # conditions up to some 1e8 of twelve random rows


def test_a_state_that_ranges_do_not_reach_has_no_sigma():
    moment, out = np.broadcast_to(np.eye(6), (3, 3, 6, 6)).copy(), np.empty((3, 3))
    matrices = np.array([np.eye(6), np.diag([1.0] * 5 + [0.0]), np.ones((6, 6))])
    kernel.sigmas(matrices, moment, 1e-13, out)
    np.testing.assert_allclose(out[0], math.sqrt(6))
    assert np.isnan(out[1:]).all()
