"""How well a network's ranges determine the orbits of the satellites that it sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.errors import ScenarioError
from gnss_coop.kernels import orbit_information as kernel

if TYPE_CHECKING:
    from gnss_coop.networks.views import NetworkViews

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Time between ranges whose noise is independent [s].
RANGE_INTERVAL_S: Final = 300.0
WINDOW_H: Final = 24.0
#: Beyond this the orbit is not determined: the linear theory ends where a satellite moves out of its line of sight.
MAX_SIGMA_M: Final = 1e5
#: Smallest pivot of the scaled information: rounding reaches a thousandth of it.
_LEAST_PIVOT: Final = 1e-13
#: Beyond this the positions are not those of one orbit. Sun, Moon and sunlight, which are left out, make 20 km a day.
MAX_DEVIATION_M: Final = 1e5
#: Velocity from five positions, one step apart: fourth-order central differences (Abramowitz and Stegun, 25.3.6).
_STENCIL: Final = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12.0
#: What they make of the angle of a step on a circle, up to where they no longer tell it.
_STEP_RAD: Final = np.linspace(0.0, 1.75, 1000)
_SEEN_RAD: Final = (8.0 * np.sin(_STEP_RAD) - np.sin(2.0 * _STEP_RAD)) / 6.0
#: Corrections of the orbits: two bring them to millimetres, more are for long steps.
_MAX_CORRECTIONS: Final = 6
_CORRECTED_M: Final = 1.0
_FITTED_EPOCHS: Final = 300
_PHYSICS: Final = np.array([const.GM_GLONASS_M3S2, const.J2_GLONASS, const.AE_GLONASS_M, const.OMEGA_E_GLONASS_RADPS])

ONE_STATION: Final = "one station cannot tell the orbit from the satellite's clock; at least two are needed"
NEVER_TWO: Final = "never in view of two stations at once, so the satellite's clock hides the orbit"
NEVER_SEEN: Final = "never in view"
TOO_SHORT: Final = "fewer than five epochs in a row with an ephemeris: no orbit to start from"
NO_ORBIT: Final = "the positions are not those of one orbit (off by more than 100 km): a bad record, or too long a step"
SINGULAR: Final = "the ranges leave the orbit undetermined (formal 3D sigma beyond 100 km)"


@dataclass(frozen=True, slots=True, eq=False)
class OrbitInformation:
    """Orbits over a window, ready to be asked how well stations determine them.

    Attributes
    ----------
    phi : (time, sv, 3, 6) float64
        Transition matrices: radial, along-track and cross-track displacement by the state at the reference epoch.
    basis : (time, sv, 3, 3) float64
        Those directions, Earth-fixed.
    lines : (time, sv, station, 4) float64
        Lines of sight along those directions, and weights of the ranges.
    moments : (sv, 3, 6, 6) float64
        Mean squares of ``phi`` over the usable epochs.
    ranges_per_epoch : float
        How many independent ranges of 1 m each epoch stands for.
    n_epochs : int
        Epochs of the window.
    deviation_m : (sv,) float64
        Largest distance of the integrated orbit from the given positions; NaN without an orbit.
    """

    phi: Floats
    basis: Floats
    lines: Floats
    moments: Floats
    ranges_per_epoch: float
    n_epochs: int
    deviation_m: Floats

    @classmethod
    def of(
        cls, views: NetworkViews, *, window_h: float = WINDOW_H, range_interval_s: float = RANGE_INTERVAL_S
    ) -> OrbitInformation:
        """Integrate the orbits over the first `window_h` hours of the views.

        Parameters
        ----------
        views : NetworkViews
        window_h : float
            Length of the window [h]; shorter views are taken whole.
        range_interval_s : float
            Time between independent ranges of 1 m noise at the zenith, so that results do not depend on the
            step of the epochs.

        Raises
        ------
        ScenarioError
            For a window or an interval that is not positive.

        Examples
        --------
        >>> import gnss_coop as gc
        >>> from gnss_coop.networks.views import network_views
        >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=300))
        >>> orbits = OrbitInformation.of(network_views(sky, "joint"))
        >>> sigma_m, reasons = orbits.sigma_m(np.ones(6, bool))
        >>> sigma_m.shape, reasons[0]
        ((24, 4), '')
        """
        if not (window_h > 0.0 and range_interval_s > 0.0):
            raise ScenarioError("the window [h] and the interval of ranges [s] must be positive numbers")
        n = max(1, round(min(len(views.epoch_ns), window_h * 3600.0 / views.step_s)))
        positions, usable = np.ascontiguousarray(views.positions_m[:n]), views.usable[:n]
        basis, phi, deviation_m = _orbits(positions, usable, views.step_s)
        n_satellites = len(views.sv)
        lines = np.empty((n, n_satellites, len(views.places.xyz_m), 4))
        up = np.ascontiguousarray(views.places.enu[:, 2])
        kernel.lines_of_sight(positions, views.places.xyz_m, up, views.visible[:, :n], basis, lines)
        moments = np.empty((n_satellites, 3, 6, 6))
        kernel.moments(phi, usable, moments)
        return cls(phi, basis, lines, moments, views.step_s / range_interval_s, n, deviation_m)

    def matrices(self, members: Bools, *, clock_known: bool = False) -> Floats:
        """Information of some stations about each satellite's state, (sv, 6, 6), lower triangles."""
        out = np.empty((self.phi.shape[1], 6, 6))
        kernel.information(self.phi, self.lines, members, clock_known, out)
        return out * self.ranges_per_epoch

    def sigma_of(self, matrices: Floats) -> Floats:
        """Radial, along-track, cross-track and 3D sigma [m], (sv, 4), NaN where an orbit is not determined."""
        out = np.empty((len(matrices), 3))
        kernel.sigmas(matrices, self.moments, _LEAST_PIVOT, out)
        total = np.sqrt((out**2).sum(axis=1))
        out[~(total < MAX_SIGMA_M)] = np.nan
        return np.column_stack([out, np.where(total < MAX_SIGMA_M, total, np.nan)])

    def sigma_m(self, members: Bools, *, clock_known: bool = False) -> tuple[Floats, list[str]]:
        """Formal sigma of each satellite's orbit with ranges of 1 m from some stations.

        Parameters
        ----------
        members : (station,) bool
            Stations that measure.
        clock_known : bool
            Whether the satellite's clock is known, rather than an unknown of each epoch.

        Returns
        -------
        (sv, 4) float64
            Radial, along-track, cross-track and 3D [m]: root mean square over the usable epochs of the window.
            NaN where the network cannot determine the orbit.
        list of str
            Why it cannot; empty where it can.
        """
        sigma = self.sigma_of(self.matrices(members, clock_known=clock_known))
        in_view = (self.lines[..., 3] > 0.0)[:, :, members].sum(axis=2).max(axis=0, initial=0)
        needed = 1 if clock_known else 2
        reasons = [
            self._reason(s, int(in_view[s]), needed, int(np.sum(members))) if np.isnan(sigma[s, 3]) else ""
            for s in range(len(sigma))
        ]
        return sigma, reasons

    def _reason(self, s: int, in_view: int, needed: int, n_members: int) -> str:
        if np.isnan(self.phi[0, s, 0, 0]):
            return TOO_SHORT if np.isnan(self.deviation_m[s]) else NO_ORBIT
        if n_members < needed:
            return ONE_STATION
        if in_view == 0:
            return NEVER_SEEN
        return NEVER_TWO if in_view < needed else SINGULAR


def _orbits(positions: Floats, usable: Bools, step_s: float) -> tuple[Floats, Floats, Floats]:
    """Integrate the orbits that fit the positions best: their directions, matrices, and how far off they are."""
    states, reference = _states(positions, usable, step_s)
    n_times, n_satellites = usable.shape
    integrated = np.empty_like(positions)
    basis, phi = np.empty((n_times, n_satellites, 3, 3)), np.empty((n_times, n_satellites, 3, 6))
    for _ in range(_MAX_CORRECTIONS + 1):
        kernel.transition(states, reference, n_times, step_s, _PHYSICS, integrated, basis, phi)
        off = np.einsum("tsdi,tsi->tsd", basis, positions - integrated)
        moved = [_corrected(states[s], off[:, s], phi[:, s], usable[:, s]) for s in range(n_satellites)]
        if max(moved) < _CORRECTED_M:
            break
    distance_m = np.where(usable, np.linalg.norm(off, axis=2), -np.inf).max(axis=0)
    distance_m = np.where(np.isnan(states[:, 0]), np.nan, np.where(np.isnan(distance_m), np.inf, distance_m))
    lost = distance_m > MAX_DEVIATION_M
    basis[:, lost], phi[:, lost] = np.nan, np.nan
    return basis, phi, distance_m


def _corrected(state: Floats, off: Floats, phi: Floats, usable: Bools) -> float:
    """Improve a state by least squares over its residuals; return how far its orbit moves [m]."""
    [epochs] = np.nonzero(usable)
    epochs = epochs[:: -(-epochs.size // _FITTED_EPOCHS) or 1]
    design, residual = phi[epochs].reshape(-1, 6), off[epochs].ravel()
    if not (np.isfinite(residual).all() and np.isfinite(design).all()):
        return 0.0
    scale = np.linalg.norm(design, axis=0)
    step = np.linalg.lstsq(design / scale, residual, rcond=None)[0] / scale
    state += step
    return float(np.abs(design @ step).max())


def _states(positions: Floats, usable: Bools, step_s: float) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Position and inertial velocity of each satellite near the middle, where the orbit is good on both sides."""
    n_times, n_satellites = usable.shape
    states, reference = np.full((n_satellites, 6), np.nan), np.zeros(n_satellites, np.int64)
    width = len(_STENCIL)
    if n_times < width:
        return states, reference
    whole: Bools = np.asarray(np.lib.stride_tricks.sliding_window_view(usable, width, axis=0).all(axis=2))
    turned = _inertial(positions, step_s)
    for s in range(n_satellites):
        [starts] = np.nonzero(whole[:, s])
        if starts.size == 0:
            continue
        start = starts[np.argmin(np.abs(starts + width // 2 - n_times // 2))]
        reference[s] = start + width // 2
        velocity = _STENCIL @ turned[start : start + width, s] / step_s
        seen_rad = float(np.linalg.norm(velocity) * step_s / np.linalg.norm(turned[reference[s], s]))
        velocity *= np.interp(seen_rad, _SEEN_RAD, _STEP_RAD) / seen_rad
        states[s] = [*_turn(turned[reference[s], s], reference[s], step_s), *_turn(velocity, reference[s], step_s)]
    return states, reference


def _inertial(positions: Floats, step_s: float) -> Floats:
    """Turn Earth-fixed positions into the inertial frame of the first epoch."""
    angle = const.OMEGA_E_GLONASS_RADPS * step_s * np.arange(len(positions))[:, None]
    x, y = positions[..., 0], positions[..., 1]
    return np.stack(
        [np.cos(angle) * x - np.sin(angle) * y, np.sin(angle) * x + np.cos(angle) * y, positions[..., 2]], axis=-1
    )


def _turn(vector: Floats, epoch: int, step_s: float) -> Floats:
    """Turn a vector from the inertial frame of the first epoch into that of another one."""
    angle = const.OMEGA_E_GLONASS_RADPS * step_s * epoch
    c, s = np.cos(angle), np.sin(angle)
    return np.array([c * vector[0] + s * vector[1], c * vector[1] - s * vector[0], vector[2]])
