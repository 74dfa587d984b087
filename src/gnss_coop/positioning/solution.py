"""Least squares over all epochs: from measurements and a reference position to fixes of one scenario and mask."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import ScenarioError
from gnss_coop.kernels import positioning as kernel
from gnss_coop.model import frames
from gnss_coop.model.scenario import Scenario
from gnss_coop.positioning.ionosphere import Klobuchar
from gnss_coop.positioning.measurements import Measurements

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[Any]
Booleans = npt.NDArray[np.bool_]

EQUAL, ELEVATION, SINE = "equal", "elevation", "sine"
#: How the variance of a pseudorange grows towards the horizon: factor of sigma^2 by sin^2 of the elevation.
WEIGHTS: Final[dict[str, Callable[[Floats], Floats]]] = {
    ELEVATION: lambda sin2: 0.5 * (1.0 + 1.0 / sin2),
    SINE: lambda sin2: 1.0 / sin2,
    EQUAL: np.ones_like,
}
#: Normalised residual above which an observation is an outlier: 1 in 15,000 by chance.
OUTLIER_LIMIT: Final = 4.0
#: By default every epoch that can be solved has a fix.
MAX_PDOP: Final = math.inf
#: Pseudoranges further than this from the median of their system and epoch are damage [m].
_GROSS_M: Final = 1000.0
_LEAST_SIN2: Final = 1e-4
_LEAST_TAU_M2: Final = 1e-8  # clocks tied more closely are one: 0.1 mm
_SIGMA_ROUNDS: Final = 5
_LEAST_CHECKED: Final = 20.0  # redundant observations that a variance needs
_FIRST_SIGMA_M: Final = 3.0


@dataclass(slots=True)
class Prefit:
    """Measurements seen from a reference position.

    Attributes
    ----------
    reference_m : float64 (3,)
        Earth-fixed.
    y_m : float64 (n_row,)
        Pseudorange less range, satellite clock and atmosphere: the receiver's clock, but for errors; NaN for damage.
    unit : float64 (n_row, 3)
        East, north, up of the direction to the satellite.
    azimuth, elevation : float64 (n_row,)
        [rad].
    n_gross : int
        Damaged pseudoranges.
    """

    reference_m: Floats
    y_m: Floats
    unit: Floats
    azimuth: Floats
    elevation: Floats
    n_gross: int


def prefit(measured: Measurements, reference_m: Floats, models: Mapping[str, Klobuchar]) -> Prefit:
    """Take ranges and atmosphere from the pseudoranges, as they are at a reference position."""
    n = measured.epoch.size
    latitude_deg, longitude_deg, height_m = (float(v) for v in frames.ecef_to_geodetic(reference_m))
    latitude, longitude = math.radians(latitude_deg), math.radians(longitude_deg)
    enu = frames.enu_basis(latitude, longitude)
    range_m, azimuth, elevation, troposphere_m = (np.empty(n) for _ in range(4))
    unit = np.empty((n, 3))
    kernel.lines_of_sight(measured.satellite_m, reference_m, enu, range_m, unit, azimuth, elevation)
    kernel.saastamoinen(latitude, height_m, elevation, troposphere_m)
    y_m = measured.corrected_m - range_m - troposphere_m
    single = np.isfinite(measured.frequency_hz)
    for k, letter in enumerate(measured.systems):
        rows = np.flatnonzero(single & (measured.system == k))
        if rows.size and models:
            model = models.get("BeiDou" if letter == "C" else "GPS") or next(iter(models.values()))
            y_m[rows] -= model.delay_m(
                latitude, longitude, azimuth[rows], elevation[rows], measured.time_ns[measured.epoch[rows]],
                measured.frequency_hz[rows],
            )  # fmt: skip
    gross = np.abs(y_m - _medians(measured, y_m)) > _GROSS_M
    y_m[gross] = np.nan
    return Prefit(reference_m, y_m, unit, azimuth, elevation, int(gross.sum()))


def _medians(measured: Measurements, y_m: Floats) -> Floats:
    """Return the median over the rows of the same epoch and system, for each row."""
    key = measured.epoch * len(measured.systems) + measured.system
    order = np.lexsort((y_m, key))
    starts = np.flatnonzero(np.diff(key[order], prepend=-1))
    sizes = np.diff(np.append(starts, key.size))
    ranked = y_m[order]
    middle = 0.5 * (ranked[starts + (sizes - 1) // 2] + ranked[starts + sizes // 2])
    result = np.empty(key.size)
    result[order] = np.repeat(middle, sizes)
    return result


@dataclass(slots=True)
class Solution:
    """Fixes of one scenario above one mask.

    Attributes
    ----------
    scenario : Scenario
    mask_deg : float
    systems : tuple of str
        Letters in the order of `clock_m`.
    offset_m : float64 (n_epoch, 3)
        East, north and up of the reference position; NaN without a fix.
    dop : float64 (n_epoch, 3)
        PDOP, HDOP, VDOP, of equal weights.
    vtpv : float64 (n_epoch,)
        Weighted sum of squared residuals.
    clock_m : float64 (n_epoch, n_system)
        Receiver clock against each system's time [m].
    covariance_m2 : float64 (n_epoch, 6)
        Upper triangle in east, north, up, from the weights alone.
    n_used, redundancy : int64 (n_epoch,)
    residual_m, checked : float64 (n_row,)
        Of the measurements, and the share of each that the others check.
    state : int8 (n_row,)
        0 unused, 1 used, 2 outlier.
    """

    scenario: Scenario
    mask_deg: float
    systems: tuple[str, ...]
    offset_m: Floats
    dop: Floats
    vtpv: Floats
    clock_m: Floats
    covariance_m2: Floats
    n_used: npt.NDArray[np.int64]
    redundancy: npt.NDArray[np.int64]
    residual_m: Floats
    checked: Floats
    state: npt.NDArray[np.int8]

    @property
    def fixed(self) -> Booleans:
        """Whether each epoch has a fix."""
        return np.isfinite(self.offset_m[:, 0])


def row_variances_m2(measured: Measurements, seen: Prefit, sigma_m: Mapping[str, float], weights: str) -> Floats:
    """Return the variance of each measurement [m^2]."""
    of_system = np.array([sigma_m[letter] for letter in measured.systems]) ** 2
    sin2 = np.maximum(np.sin(seen.elevation) ** 2, _LEAST_SIN2)
    return np.asarray(of_system[measured.system] * WEIGHTS[weights](sin2))


def solve(
    measured: Measurements,
    seen: Prefit,
    variance_m2: Floats,
    scenario: Scenario,
    mask_deg: float,
    *,
    known_m: Mapping[str, float] | None = None,
    outlier_limit: float = OUTLIER_LIMIT,
    max_pdop: float = MAX_PDOP,
) -> Solution:
    """Estimate position and clocks of every epoch.

    Parameters
    ----------
    measured, seen, variance_m2
        Measurements, seen from a reference position, with their variances.
    scenario : Scenario
        Systems, and what is known of their clocks.
    mask_deg : float
    known_m : mapping of str to float, optional
        Clock of each system less that of a common one, as far as it is known beforehand [m]; matters with the
        clocks ``common`` and ``prior``.
    outlier_limit, max_pdop
        See `OUTLIER_LIMIT`, `MAX_PDOP`.
    """
    n_epoch, n_system, n_row = len(measured.time_ns), len(measured.systems), measured.epoch.size
    known = np.array([(known_m or {}).get(letter, 0.0) for letter in measured.systems])
    members = np.array([letter in scenario.systems for letter in measured.systems])
    tau_m2 = scenario.offset_variance_m2 if scenario.offset_variance_m2 > _LEAST_TAU_M2 else 0.0
    result, covariance = np.empty((n_epoch, kernel.FIRST_CLOCK + n_system)), np.empty((n_epoch, kernel.N_COVARIANCE))
    n_used, redundancy = np.zeros(n_epoch, np.int64), np.zeros(n_epoch, np.int64)
    residual_m, checked, state = np.empty(n_row), np.empty(n_row), np.empty(n_row, np.int8)
    kernel.solve_epochs(
        measured.row_start, measured.system, seen.y_m - known[measured.system], seen.unit, seen.elevation, variance_m2,
        members, math.radians(mask_deg) - 1e-12, tau_m2, outlier_limit, max_pdop, result,
        covariance, n_used, redundancy, residual_m, checked, state,
    )  # fmt: skip
    without = np.isnan(result[:, kernel.EAST])[measured.epoch]
    state[without] = kernel.UNUSED
    return Solution(
        scenario, mask_deg, measured.systems, result[:, : kernel.UP + 1], result[:, kernel.PDOP : kernel.VDOP + 1],
        result[:, kernel.VTPV], result[:, kernel.FIRST_CLOCK :] + known, covariance, n_used, redundancy, residual_m,
        checked, state,
    )  # fmt: skip


def estimate_sigmas(
    measured: Measurements, seen: Prefit, mask_deg: float, weights: str, *, pooled: bool = False
) -> dict[str, float]:
    """Estimate the standard deviation of each system's pseudoranges from the residuals of all systems together.

    Variance components by repeated solution: the sum of a system's squared residuals over the part of them that the
    other observations check (Foerstner's estimator), outliers left out.

    Parameters
    ----------
    measured, seen
        Measurements, seen from a reference position.
    mask_deg : float
    weights : str
        Key of `WEIGHTS`; the result is sigma at the zenith.
    pooled : bool
        One for all systems.

    Returns
    -------
    dict of str to float
        [m]. A system with too few redundant observations gets the sigma of all together.
    """
    everything = Scenario(measured.systems)
    sigma_m = dict.fromkeys(measured.systems, _FIRST_SIGMA_M)
    for _ in range(_SIGMA_ROUNDS):
        variance_m2 = row_variances_m2(measured, seen, sigma_m, weights)
        found = solve(measured, seen, variance_m2, everything, mask_deg, outlier_limit=OUTLIER_LIMIT)
        used = found.state == kernel.USED
        squares = np.where(used, found.residual_m**2 / variance_m2, 0.0)
        checked = np.where(used, found.checked, 0.0)
        n = len(measured.systems)
        sums, parts = (np.bincount(measured.system, v, n) for v in (squares, checked))
        if parts.sum() < _LEAST_CHECKED:
            raise ScenarioError(
                "sigma cannot be estimated: there are too few redundant observations; give it, such as R=2.2,C=1.3"
            )
        overall = math.sqrt(sums.sum() / parts.sum())
        for k, letter in enumerate(measured.systems):
            factor = overall if pooled or parts[k] < _LEAST_CHECKED else math.sqrt(sums[k] / parts[k])
            sigma_m[letter] *= factor
    return sigma_m


def approximate_position_m(measured: Measurements) -> Floats:
    """Return a position to some tens of metres, from nothing but the measurements: a median of some epochs' fixes.

    Raises
    ------
    ScenarioError
        If no epoch has satellites enough.
    """
    start = measured.row_start
    order = np.argsort(-np.diff(start), kind="stable")[:9]
    places = [p for t in order.tolist() if (p := _from_nowhere(measured, slice(start[t], start[t + 1]))) is not None]
    if not places:
        most = int(np.diff(start).max(initial=0))
        raise ScenarioError(
            f"no epoch has satellites enough for a position: at most {most} have the signals and an ephemeris; one "
            "frequency (ionosphere klobuchar or none) may have more"
        )
    return np.asarray(np.median(places, axis=0))


def _from_nowhere(measured: Measurements, rows: slice) -> Floats | None:
    """Iterate from the Earth's centre, one clock per system; None without a solution."""
    satellite_m, corrected_m = measured.satellite_m[rows], measured.corrected_m[rows]
    columns = (measured.system[rows][:, None] == np.unique(measured.system[rows])).astype(float)
    if len(corrected_m) < 3 + columns.shape[1]:
        return None
    place_m = np.zeros(3)
    n = len(corrected_m)
    for _ in range(12):
        range_m, azimuth, elevation, unit = np.empty(n), np.empty(n), np.empty(n), np.empty((n, 3))
        kernel.lines_of_sight(satellite_m, place_m, np.eye(3), range_m, unit, azimuth, elevation)
        design = np.hstack([-unit, columns])
        step, _, rank, _ = np.linalg.lstsq(design, corrected_m - range_m, rcond=None)
        if rank < design.shape[1]:
            return None
        place_m = np.asarray(place_m + step[:3])
        if np.linalg.norm(step[:3]) < 1.0:
            return place_m
    return None
