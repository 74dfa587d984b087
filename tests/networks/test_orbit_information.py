"""Formal sigma against least-squares solutions of simulated ranges, with orbits, visibility and noise made by scipy."""

import math

import numpy as np
import pymap3d
import pytest
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

import gnss_coop as gc
from gnss_coop.networks.orbit_information import OrbitInformation

GM, J2, AE_M, OMEGA_E = 3.986004418e14, 1.0826257e-3, 6_378_136.0, 7.292115e-5  # GLONASS ICD, PZ-90.11
START, MASK_DEG = np.datetime64("2024-01-10T00:00:00", "ns"), 5.0
NUDGE = np.array([20.0] * 3 + [0.002] * 3)
N_DRAWS = 4000


def right_hand_side(_, states):
    """Motion of several satellites under -grad U, U = -GM/r (1 - J2 (ae/r)^2 (3 sin^2 phi - 1)/2)."""
    x, y, z, *v = states.reshape(6, -1)
    r = np.sqrt(x * x + y * y + z * z)
    q, u = J2 * (AE_M / r) ** 2, (z / r) ** 2
    level = -GM / r**3 * (1 - 1.5 * q * (5 * u - 1))
    return np.concatenate([*v, x * level, y * level, -GM / r**3 * (1 - 1.5 * q * (5 * u - 3)) * z])


def flown(states, times_s):
    """Inertial positions and velocities (time, 6, state)."""
    run = solve_ivp(right_hand_side, (0, times_s[-1]), states.ravel(), "DOP853", times_s, rtol=1e-12, atol=1e-6)
    return run.y.T.reshape(len(times_s), *states.shape)


def circular(radius_m, inclination_deg, node_deg, latitude_deg):
    turn = Rotation.from_euler("ZXZ", [node_deg, inclination_deg, latitude_deg], degrees=True)
    return np.concatenate([turn.apply([radius_m, 0, 0]), turn.apply([0, 1.001 * math.sqrt(GM / radius_m), 0])])


class Simulation:
    """One satellite, stations that turn with the Earth, and what each sees; the state is that of the first epoch."""

    def __init__(self, state, stations, hours, step_s):
        self.state, self.stations = state, stations
        self.times_s = step_s * np.arange(round(hours * 3600 / step_s))
        turns = Rotation.from_euler("z", OMEGA_E * self.times_s[:, None])
        self.to_earth = turns.inv()
        self.inertial_sites = np.array([turns.apply(xyz) for xyz in stations.xyz_m])  # (station, time, 3)
        self.track = flown(state[:, None], self.times_s)[:, :, 0]
        x, y, z = self.to_earth.apply(self.track[:, :3]).T
        places = zip(stations.latitude_deg, stations.longitude_deg, stations.height_m, strict=True)
        elevation = np.radians([pymap3d.ecef2aer(x, y, z, *place)[1] for place in places])
        self.seen = np.nonzero(elevation >= np.radians(MASK_DEG))  # stations and epochs of the ranges
        self.sigma = 1 / np.sin(elevation[self.seen])
        self.partials = self.differences(self.state)

    def sky(self):
        xyz = self.to_earth.apply(self.track[:, :3])[:, None]
        time = START + (1e9 * self.times_s).astype("timedelta64[ns]")
        coords = {"time": ("time", time, {"time_scale": "GPST"}), "sv": ["R01"], "ecef": ["x", "y", "z"]}
        return xr.Dataset({"positions": (("time", "sv", "ecef"), xyz)}, coords=coords)

    def differences(self, state):
        """Derivatives (time, 3, 6) of inertial positions by the state."""
        bundle = np.column_stack([state + sign * np.diag(NUDGE)[j] for sign in (1, -1) for j in range(6)])
        orbits = flown(bundle, self.times_s)[:, :3]
        return (orbits[:, :, :6] - orbits[:, :, 6:]) / (2 * NUDGE)

    def ranges(self, track):
        site, epoch = self.seen
        return np.linalg.norm(track[epoch, :3] - self.inertial_sites[site, epoch], axis=1)

    def design(self, track, partials, clock_known):
        """Whitened design matrix: six columns of the state, and one per epoch for its clock."""
        site, epoch = self.seen
        lines = track[epoch, :3] - self.inertial_sites[site, epoch]
        rows = np.einsum("ni,nij->nj", lines / np.linalg.norm(lines, axis=1)[:, None], partials[epoch])
        if not clock_known:
            _, column = np.unique(epoch, return_inverse=True)
            rows = np.hstack([rows, np.eye(column.max() + 1)[column]])
        return rows / self.sigma[:, None]

    def scattered(self, errors):
        """Radial, along-track, cross-track and 3D error of many solutions (draw, 6), RMS over draws and epochs."""
        x, v = self.track[:, :3], self.track[:, 3:]
        radial = x / np.linalg.norm(x, axis=1)[:, None]
        cross = np.cross(x, v)
        cross /= np.linalg.norm(cross, axis=1)[:, None]
        basis = np.stack([radial, np.cross(cross, radial), cross], axis=1)
        moved = np.einsum("tdi,tij,nj->ntd", basis, self.partials, errors)
        parts = np.sqrt((moved**2).mean(axis=(0, 1)))
        return np.array([*parts, np.linalg.norm(parts)])

    def solutions(self, clock_known, rng):
        """Errors of the state in many linear least-squares solutions."""
        design = self.design(self.track, self.partials, clock_known)
        scale = np.linalg.norm(design, axis=0)
        noise = rng.normal(size=(len(design), N_DRAWS))  # whitened: 1/sin of the elevation is in the design
        return (np.linalg.lstsq(design / scale, noise, rcond=None)[0] / scale[:, None])[:6].T

    def nonlinear(self, noise, clock_known):
        """Error of the state in one solution that starts 2 km off, from ranges with clocks of 100 km."""
        epoch = self.seen[1]
        columns = np.unique(epoch, return_inverse=True)[1]
        clocks = np.zeros(columns.max() + 1) if clock_known else 1e5 * np.sin(np.arange(columns.max() + 1))
        measured = self.ranges(self.track) + clocks[columns] + noise * self.sigma

        def residuals(x):
            orbit = flown((self.state + x[:6])[:, None], self.times_s)[:, :, 0]
            bias = x[6:][columns] if len(x) > 6 else 0.0
            return (self.ranges(orbit) + bias - measured) / self.sigma

        def jacobian(x):
            orbit = flown((self.state + x[:6])[:, None], self.times_s)[:, :, 0]
            return self.design(orbit, self.differences(self.state + x[:6]), clock_known)

        first = np.array([1000.0, -1500.0, 800.0, 0.05, 0.1, -0.1, *([] if clock_known else np.zeros(len(clocks)))])
        # Gauss-Newton does not stop before the solution stands to a thousandth of its sigma.
        found = least_squares(
            residuals, first, jacobian, method="lm", xtol=1e-14, ftol=1e-14, gtol=1e-14, x_scale="jac"
        )
        assert found.success
        return found.x[:6]


CASES = {
    "GLONASS over six stations": (circular(25_508.2e3, 64.8, 30, 10), "joint", 24, 300),
    "BeiDou MEO over Russia": (circular(27_906.1e3, 55.0, 200, 80), "russia", 24, 600),
    "IGSO over China, 12 hours": (circular(42_164.2e3, 55.0, 20, 100), "china", 12, 300),
    "GEO over six stations": (circular(42_164.2e3, 1.8, 100, 60), "joint", 24, 600),
    "GLONASS, two stations": (circular(25_508.2e3, 64.8, 70, 300), "Irkutsk,Changchun", 24, 300),
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def simulation(request):
    state, names, hours, step_s = CASES[request.param]
    return Simulation(state, gc.stations(names), hours, step_s)


def information(simulation, range_interval_s):
    views = gc.network_views(simulation.sky(), {"all": simulation.stations}, mask_deg=MASK_DEG)
    return OrbitInformation.of(views, range_interval_s=range_interval_s)


@pytest.mark.parametrize("clock_known", [False, True], ids=["clock estimated", "clock known"])
def test_sigma_is_the_scatter_of_least_squares_solutions(simulation, clock_known):
    step_s = simulation.times_s[1]
    orbits = information(simulation, step_s)
    assert orbits.deviation_m.max() < 1.5  # the same forces; corrections end below 1 m
    sigma, reasons = orbits.sigma_m(np.ones(len(simulation.stations), bool), clock_known=clock_known)
    assert reasons == [""]
    errors = simulation.solutions(clock_known, np.random.default_rng(7))
    # A variance of 4000 draws that one eigenvector rules scatters by sqrt(2/4000); 5 % of sigma are 4.5 of that.
    np.testing.assert_allclose(sigma[0], simulation.scattered(errors), rtol=0.05)


@pytest.mark.parametrize("clock_known", [False, True], ids=["clock estimated", "clock known"])
def test_the_linear_solutions_are_the_nonlinear_ones(simulation, clock_known):
    rng = np.random.default_rng(11)
    design = simulation.design(simulation.track, simulation.partials, clock_known)
    scale = np.linalg.norm(design, axis=0)
    noise = rng.normal(size=len(design))
    linear = (np.linalg.lstsq(design / scale, noise, rcond=None)[0] / scale)[:6]
    found = simulation.nonlinear(noise, clock_known)
    # Second-order terms: sigma of some 100 m over 20 000 km.
    assert simulation.scattered(found[None] - linear[None])[3] < 0.01 * simulation.scattered(linear[None])[3]


def test_sigma_grows_with_the_root_of_the_interval(simulation):
    members = np.ones(len(simulation.stations), bool)
    at_300, at_1200 = (information(simulation, interval).sigma_m(members)[0] for interval in (300, 1200))
    np.testing.assert_allclose(at_1200, 2 * at_300, rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_sigma_does_not_depend_on_the_step(name):
    state, names, hours, _ = CASES[name]
    sigma = []
    for step_s in (60, 300):
        simulation = Simulation(state, gc.stations(names), hours, step_s)
        sigma.append(information(simulation, 300).sigma_m(np.ones(len(simulation.stations), bool))[0])
    # Arcs begin and end up to a step sooner or later, of some hundred minutes.
    np.testing.assert_allclose(sigma[0], sigma[1], rtol=0.04)
