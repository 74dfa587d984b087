"""Networks: what six stations see of 60 satellites over a day, and formal sigma, against scipy's integrator alone."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp  # type: ignore[import-untyped]

import gnss_coop as gc
from common import Row, time_by_turns
from gnss_coop import constants as const
from gnss_coop.kernels import orbit_information as kernel
from gnss_coop.networks.views import NetworkViews

Floats = npt.NDArray[np.float64]

STEP_S = 60.0
N_SATELLITES = 60
REPEATS = 5
#: Largest relative difference of the transition matrices: scipy's tolerance, carried over half a day.
AGREEMENT = 1e-5
PHYSICS = np.array([const.GM_GLONASS_M3S2, const.J2_GLONASS, const.AE_GLONASS_M, const.OMEGA_E_GLONASS_RADPS])


def rows() -> list[Row]:
    """Elapsed time of the whole comparison of three networks, and of scipy for the orbits that it needs."""
    sky = gc.nominal_constellation("R+C+G", gc.epochs("2024-01-10", hours=24, step_s=STEP_S))
    sky = sky.isel(sv=slice(0, N_SATELLITES))
    views = gc.network_views(sky)
    states, reference = _states(views)
    with_scipy = _scipy(states, reference, len(views.epoch_ns))
    _compare(states, reference, len(views.epoch_ns), with_scipy())
    whole, coverage, scipy = time_by_turns(
        lambda: gc.network_table(gc.network_views(sky)),
        lambda: gc.network_arcs(gc.network_views(sky)),
        with_scipy,
        repeats=REPEATS,
        clock=time.perf_counter,
    )
    peer = f"scipy, orbits and their matrices alone {scipy.median_s:.2f} s"
    what = f"{N_SATELLITES} satellites, 6 stations, a day every {STEP_S:g} s"
    return [
        Row(f"network_views, network_table: {what}", f"{whole.median_s:.2f} s", peer, whole.median_s / scipy.median_s),
        Row("network_views, network_arcs", f"{coverage.median_s:.2f} s", peer, coverage.median_s / scipy.median_s),
    ]


def _states(views: NetworkViews) -> tuple[Floats, int]:
    """Circular orbits through the positions in the middle of the day."""
    middle = len(views.epoch_ns) // 2
    before, here, after = views.positions_m[middle - 1 : middle + 2]
    spin = const.OMEGA_E_GLONASS_RADPS * np.column_stack([-here[:, 1], here[:, 0], np.zeros(len(here))])
    velocity = (after - before) / (2.0 * STEP_S) + spin
    return np.column_stack([here, velocity]), middle


def _scipy(states: Floats, reference: int, n_times: int) -> Callable[[], Floats]:
    """Return a call that integrates all satellites as one system, and gives position rows of the matrices."""
    gm, j2_gm_ae2 = PHYSICS[0], PHYSICS[1] * PHYSICS[0] * PHYSICS[2] ** 2
    n = len(states)
    start = np.concatenate([states, np.tile(np.eye(6).ravel(), (n, 1))], axis=1).T.ravel()
    own = np.array([1.0, 1.0, 3.0])[:, None]

    def derivative(_: float, y: Floats) -> Floats:
        x, v, phi = y[: 3 * n].reshape(3, n), y[3 * n : 6 * n], y[6 * n :].reshape(6, 6, n)
        r2 = (x * x).sum(axis=0)
        r5 = r2**2.5
        k = 1.5 * j2_gm_ae2 / r5
        level = gm / r2**1.5 + k * (own - 5.0 * x[2] ** 2 / r2)
        outer = x[:, None] * x[None, :]
        gradient = outer * (3.0 * gm / r5 + k / r2 * (5.0 * own[:, None] - 35.0 * x[2] ** 2 / r2))
        gradient[:, 2] += 10.0 * k * x * x[2] / r2
        gradient[range(3), range(3)] -= level
        force = np.einsum("imn,mjn->ijn", gradient, phi[:3])
        return np.concatenate([v, (-x * level).ravel(), phi[3:].ravel(), force.ravel()])

    def integrate() -> Floats:
        parts = []
        for side in (np.arange(reference, -1, -1), np.arange(reference, n_times)):
            times_s = STEP_S * (side - reference)
            run = solve_ivp(derivative, (0.0, times_s[-1]), start, "DOP853", times_s, rtol=1e-9, atol=1e-6)
            parts.append(run.y[6 * n :].reshape(6, 6, n, -1)[:3])
        return np.concatenate([parts[0][..., :0:-1], parts[1]], axis=-1)

    return integrate


def _compare(states: Floats, reference: int, n_times: int, theirs: Floats) -> None:
    n = len(states)
    position, basis, phi = np.empty((n_times, n, 3)), np.empty((n_times, n, 3, 3)), np.empty((n_times, n, 3, 6))
    kernel.transition(states, np.full(n, reference), n_times, STEP_S, PHYSICS, position, basis, phi)
    # Lengths of the columns do not depend on the axes.
    ours, scipy = np.linalg.norm(phi, axis=2), np.linalg.norm(theirs, axis=0).transpose(2, 1, 0)
    if not np.allclose(ours, scipy, rtol=AGREEMENT, atol=AGREEMENT):
        raise RuntimeError("the transition matrices differ from scipy's: mend that first")
