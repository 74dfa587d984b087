"""Positions from a receiver's pseudoranges: the one function that does it all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.model.scenario import PER_SYSTEM, Scenario, parse_scenarios
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.positioning import truth as where
from gnss_coop.positioning.arguments import EQUAL, ESTIMATED, check_arguments, masks_of, possible_scenarios
from gnss_coop.positioning.ionosphere import Klobuchar, broadcast_models
from gnss_coop.positioning.measurements import Measurements, measure
from gnss_coop.positioning.notes import notes_of
from gnss_coop.positioning.offsets import broadcast_offsets_ns
from gnss_coop.positioning.result import Positioning
from gnss_coop.positioning.signals import FREE, KLOBUCHAR
from gnss_coop.positioning.solution import (
    MAX_PDOP,
    OUTLIER_LIMIT,
    Prefit,
    Solution,
    approximate_position_m,
    estimate_sigmas,
    prefit,
    row_variances_m2,
    solve,
)
from gnss_coop.positioning.truth import Truth

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.observations import Observations
    from gnss_coop.model.station import Station

Floats = npt.NDArray[np.float64]

_FAR_M: Final = 30.0  # a reference further off than this is moved: the linear step is then exact to 0.1 mm


def position_fixes(
    obs: Observations,
    nav: Ephemerides,
    scenarios: str | Sequence[str] = "R,C,R+C",
    mask_deg: float | Iterable[float] = 10.0,
    *,
    station: Station | None = None,
    truth: str | Truth = "auto",
    clocks: str = PER_SYSTEM,
    calibrate_hours: float = 0.0,
    ionosphere: str = FREE,
    weights: str = "elevation",
    sigma_m: str | Mapping[str, float] = ESTIMATED,
    outlier_limit: float = OUTLIER_LIMIT,
    max_pdop: float = MAX_PDOP,
    exclude_sv: Iterable[str] = (),
    max_age_s: float | Mapping[str, float] | None = None,
) -> Positioning:
    """Position a receiver from its pseudoranges, epoch by epoch, with each set of systems above each mask.

    Parameters
    ----------
    obs : Observations
        From ``read_obs(..., values=True)``.
    nav : Ephemerides
        From `read_nav`, of the same time.
    scenarios : str or sequence of str
        Such as ``"R,C,R+C"``.
    mask_deg : float or iterable of float
        Elevation masks; results are computed for each.
    station : Station, optional
        Where the receiver stands; gives the name, and the truth unless another one is asked for.
    truth : {"auto", "station", "header", "median"} or Truth
        What fixes are held against: the station; the position in the observation file; the median of the fixes with
        all systems of both files; or what `sinex_truth` found. ``auto`` is the station where one is given, else the
        median.
    clocks : str
        ``per-system``, ``common`` or ``prior:NS``. With the latter two the offsets between the systems are taken as
        known: broadcast, where the navigation files have them, or calibrated.
    calibrate_hours : float
        Calibrate the receiver's offsets between the systems on this much of the beginning of the observations [h].
    ionosphere : {"free", "klobuchar", "none"}
        Two frequencies that remove it, or one with the broadcast model, or without any.
    weights : {"elevation", "sine", "equal"}
        Variance of a pseudorange over that of its system at the zenith: (1 + 1/sin^2 e)/2, 1/sin^2 e, or 1.
    sigma_m : {"estimate", "equal"} or mapping of str to float
        Standard deviation of each system's pseudoranges at the zenith [m]: estimated from the residuals of all
        systems, one for all (estimated), or given by letter.
    outlier_limit : float
        Normalised residual above which an observation is left out.
    max_pdop : float
        PDOP beyond which an epoch has no fix.
    exclude_sv, max_age_s
        As `satellite_positions` takes them.

    Returns
    -------
    Positioning
        Fixes, with tables of everything that follows from them.

    Raises
    ------
    RinexError
        If there are no pseudoranges that can be used.
    EphemerisGapError
        If there is no ephemeris, or no ionosphere where one is needed.
    ScenarioError, StationError
        If an argument cannot be understood, or the truth asked for does not exist.

    Notes
    -----
    Emission time, Earth rotation, relativity and group delays as in IS-GPS-200 and the other systems' documents, see
    `gnss_coop.positioning.signals`; troposphere by Saastamoinen; least squares with data snooping (Baarda).

    Examples
    --------
    >>> import gnss_coop as gc
    >>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz", values=True)
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> result = position_fixes(obs, nav, "C", 10)
    >>> result.summary()[["station", "scenario", "n_epochs", "availability_pct"]].values.tolist()
    [['CIBG', 'C', 48, 100.0]]
    """
    parsed = parse_scenarios(scenarios, clocks)
    masks = masks_of(mask_deg)
    check_arguments(weights, sigma_m, truth, calibrate_hours, parsed)
    if not (max_pdop > 0 and outlier_limit > 0):
        raise ScenarioError(f"max_pdop {max_pdop:g} and outlier_limit {outlier_limit:g} must be positive")
    measured = measure(obs, nav, ionosphere=ionosphere, exclude_sv=exclude_sv, max_age_s=max_age_s)
    parsed = possible_scenarios(parsed, measured)
    middle_ns = int(measured.time_ns[len(measured.time_ns) // 2])
    models = broadcast_models(nav, middle_ns) if ionosphere == KLOBUCHAR else {}
    job = _Job(measured, models, min(masks), weights, outlier_limit, max_pdop)
    seen, everything = job.look(obs, station, sigma_m)
    if not everything.fixed.any():
        raise ScenarioError(f"no epoch can be solved with all systems ({'+'.join(measured.systems)}) above the mask")
    position = _truth(truth, station, obs, seen, everything)
    sigmas, estimated = job.sigmas(seen, sigma_m)
    broadcast_ns = broadcast_offsets_ns(nav)
    known_m, offset_words = job.known(parsed, everything, broadcast_ns, calibrate_hours)
    solutions = {(str(s), mask): job.solve(seen, sigmas, s, mask, known_m) for s in parsed for mask in masks}
    equal = solutions
    if len(set(sigmas.values())) > 1:
        one = job.sigmas(seen, EQUAL)[0]
        equal = {(str(s), mask): job.solve(seen, one, s, mask, known_m) for s in parsed for mask in masks}
    return Positioning(
        station=station.name if station is not None else (obs.marker or "receiver"),
        measured=measured,
        seen=seen,
        truth=position,
        sigma_m=sigmas,
        sigma_estimated=estimated,
        weights=weights,
        ionosphere=_ionosphere_words(ionosphere, models),
        clocks=clocks,
        solutions=solutions,
        equal_weights=equal,
        everything=everything,
        broadcast_offset_ns=broadcast_ns,
        interval_s=obs.interval_s,
        notes=tuple(notes_of(obs, measured, seen, everything, position) + offset_words),
    )


@dataclass(slots=True)
class _Job:
    """What all solutions share."""

    measured: Measurements
    models: dict[str, Klobuchar]
    mask_deg: float
    weights: str
    outlier_limit: float
    max_pdop: float

    def solve(
        self, seen: Prefit, sigmas: Mapping[str, float], scenario: Scenario, mask_deg: float,
        known_m: Mapping[str, float] | None = None,
    ) -> Solution:  # fmt: skip
        variance_m2 = row_variances_m2(self.measured, seen, sigmas, self.weights)
        return solve(
            self.measured, seen, variance_m2, scenario, mask_deg, known_m=known_m, outlier_limit=self.outlier_limit,
            max_pdop=self.max_pdop,
        )  # fmt: skip

    def look(
        self, obs: Observations, station: Station | None, given: str | Mapping[str, float]
    ) -> tuple[Prefit, Solution]:
        """Return the measurements seen from a place within metres of the receiver, and the solution of all systems."""
        start_m = station.xyz_m if station is not None else where.header_antenna_m(obs)
        if start_m is None:
            start_m = approximate_position_m(self.measured)
        for _ in range(5):
            seen = prefit(self.measured, start_m, self.models)
            far_m = _common_offset_m(self, seen)
            if far_m is None:
                start_m = approximate_position_m(self.measured)
                continue
            if np.linalg.norm(far_m) <= _FAR_M:
                break
            start_m = start_m + far_m @ where.local_axes(start_m)
        try:
            sigmas: Mapping[str, float] = estimate_sigmas(self.measured, seen, self.mask_deg, self.weights)
        except ScenarioError:
            if isinstance(given, str) or not set(self.measured.systems) <= set(given):
                raise
            sigmas = given
        return seen, self.solve(seen, sigmas, Scenario(self.measured.systems), self.mask_deg)

    def sigmas(self, seen: Prefit, asked: str | Mapping[str, float]) -> tuple[dict[str, float], bool]:
        """Return sigma by system, and whether it was estimated."""
        if isinstance(asked, str):
            pooled = asked == EQUAL
            return estimate_sigmas(self.measured, seen, self.mask_deg, self.weights, pooled=pooled), True
        missing = [s for s in self.measured.systems if s not in asked]
        rest = estimate_sigmas(self.measured, seen, self.mask_deg, self.weights) if missing else {}
        return {s: asked.get(s, rest.get(s, 1.0)) for s in self.measured.systems}, False

    def known(
        self, scenarios: Sequence[Scenario], everything: Solution, broadcast_ns: Mapping[str, float], hours: float
    ) -> tuple[dict[str, float], list[str]]:
        """Return what is known of the clocks of the systems beforehand [m], and how."""
        joint = [s for s in scenarios if len(s.systems) > 1]
        systems = [s for s in self.measured.systems if any(s in j.systems for j in joint)]
        if not joint or joint[0].clocks == PER_SYSTEM:
            return {}, []
        if hours > 0:
            time_ns = self.measured.time_ns
            first = time_ns < time_ns[0] + hours * 3600 * const.NS_PER_S
            clocks = everything.clock_m[first & everything.fixed]
            known = {
                letter: float(np.median(own[np.isfinite(own)]))
                for letter, own in zip(everything.systems, (clocks - _reference(clocks)).T, strict=True)
                if letter in systems and np.isfinite(own).any()
            }
            listed = ", ".join(f"{s} {m / _NS_M:.1f} ns" for s, m in known.items())
            return known, [f"clock offsets calibrated on the first {hours:g} h of the observations: {listed}"]
        # Receiver clock against a system is later by what the system's time is behind.
        known = {s: -broadcast_ns[s] * _NS_M for s in systems if s in broadcast_ns}
        words = []
        if known:
            listed = ", ".join(f"{s} {broadcast_ns[s]:.1f} ns" for s in known)
            words.append(
                f"clock offsets from the navigation files, system less GPS time: {listed}; the receiver's own delays "
                "are not in them"
            )
        unknown = [SYSTEMS[s].name for s in systems if s not in known]
        if unknown:
            words.append(
                f"clock offset of {' and '.join(unknown)} taken as zero: the navigation files do not give it; "
                "calibrate it on the observations"
            )
        return known, words


_NS_M: Final = const.LIGHT_SPEED_MPS / const.NS_PER_S


def _reference(clock_m: Floats) -> Floats:
    """Return the column of the system that has most clocks, as a column."""
    return clock_m[:, [int(np.isfinite(clock_m).sum(axis=0).argmax())]]


def _common_offset_m(job: _Job, seen: Prefit) -> Floats | None:
    """Return the median offset of the receiver from the reference by all systems [east, north, up]; None for none."""
    sigmas = dict.fromkeys(job.measured.systems, 3.0)
    found = job.solve(seen, sigmas, Scenario(job.measured.systems), 0.0)
    if not found.fixed.any():
        return None
    return np.asarray(np.nanmedian(found.offset_m, axis=0))


def _truth(asked: str | Truth, station: Station | None, obs: Observations, seen: Prefit, everything: Solution) -> Truth:
    """Return the position that fixes are held against."""
    if isinstance(asked, Truth):
        return asked
    if asked == where.STATION or (asked == "auto" and station is not None):
        if station is None:
            raise StationError("the truth is to be the station, and none is given")
        x, y, z = station.xyz_m.tolist()
        return Truth(where.STATION, (x, y, z), f"station {station.name} ({station.source or 'its file'})")
    if asked == where.HEADER:
        place = where.header_antenna_m(obs)
        if place is None:
            raise StationError("the observation file has no position in its header: take the median, or give a station")
        x, y, z = place.tolist()
        return Truth(where.HEADER, (x, y, z), "position in the header of the observations")
    middle = np.nanmedian(everything.offset_m, axis=0)
    x, y, z = (seen.reference_m + middle @ where.local_axes(seen.reference_m)).tolist()
    systems = "+".join(everything.systems)
    return Truth(
        where.MEDIAN, (x, y, z), f"median of the {int(everything.fixed.sum())} fixes with all systems ({systems})"
    )


def _ionosphere_words(ionosphere: str, models: Mapping[str, Klobuchar]) -> str:
    if ionosphere != KLOBUCHAR:
        return "removed by two frequencies" if ionosphere == FREE else "not corrected, one frequency"
    return "broadcast model of " + " and ".join(f"{m.origin} ({m.source})" for m in models.values())
