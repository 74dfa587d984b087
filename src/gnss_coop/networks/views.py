"""Which station of which network sees which satellite when: what all figures about networks start from."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import GM_GLONASS_M3S2, NS_PER_S, OMEGA_E_GLONASS_RADPS
from gnss_coop.elements.almanac import orbit_class
from gnss_coop.errors import EphemerisGapError
from gnss_coop.geometry.visibility import positions_m, station_arrays, visibility
from gnss_coop.geometry.worst_intervals import even_epochs
from gnss_coop.kernels import coverage as kernel
from gnss_coop.model.systems import OrbitClass
from gnss_coop.model.timescales import format_time
from gnss_coop.networks.networks import DEFAULT_NETWORKS, Networks
from gnss_coop.orbits.completeness import completeness_attributes
from gnss_coop.orbits.forecast_marks import forecast_attributes

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.geometry.visibility import StationArrays
    from gnss_coop.networks.networks import NetworksLike

#: Smallest sine of the angle between two positions that tells the plane of their orbit.
_LEAST_SINE: Final = 1e-5

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

#: Classes in the order of tables; the last stands for all satellites of a system.
ORBITS: Final = (*(str(orbit) for orbit in OrbitClass), "all")


@dataclass(frozen=True, slots=True, eq=False)
class NetworkViews:
    """Views of every station of some networks, on evenly spaced epochs.

    Attributes
    ----------
    networks : Networks
    places : StationArrays
        The stations in the order of ``networks.stations``.
    mask_deg : float
    sv : (sv,) str
        Satellites with a usable ephemeris at any epoch.
    orbit : (sv,) str
        MEO, IGSO or GEO.
    idle : tuple of str
        Satellites without one: left out.
    epoch_ns : (time,) int64
        On GPST.
    step_s : float
        Each epoch stands for so much time.
    positions_m : (time, sv, 3) float64
        Earth-fixed.
    usable : (time, sv) bool
        Where a satellite's position is known.
    visible : (station, time, sv) bool
    seen_by : (time, sv) uint64
        Bit p is set where station p sees the satellite.
    attrs : dict
        What a file made from these views says of its sources.
    """

    networks: Networks
    places: StationArrays
    mask_deg: float
    sv: npt.NDArray[np.str_]
    orbit: npt.NDArray[np.str_]
    idle: tuple[str, ...]
    epoch_ns: npt.NDArray[np.int64]
    step_s: float
    positions_m: Floats
    usable: Bools
    visible: Bools
    seen_by: npt.NDArray[np.uint64]
    attrs: dict[str, Any]

    @property
    def system(self) -> npt.NDArray[np.str_]:
        """RINEX letter of each satellite."""
        return self.sv.astype("U1")

    def thinned(self, step_s: float) -> NetworkViews:
        """Return the views with every so many epochs left out that the step is at most `step_s`; no finer than now."""
        every = max(1, int(step_s / self.step_s + 1e-9))
        return replace(
            self,
            epoch_ns=self.epoch_ns[::every],
            step_s=self.step_s * every,
            positions_m=np.ascontiguousarray(self.positions_m[::every]),
            usable=np.ascontiguousarray(self.usable[::every]),
            visible=np.ascontiguousarray(self.visible[:, ::every]),
            seen_by=np.ascontiguousarray(self.seen_by[::every]),
        )

    def conditions(self) -> dict[str, Any]:
        """Return what a table of figures says of the views: sources, span, step, mask, stations, what is left out."""
        end_ns = int(self.epoch_ns[-1]) + round(self.step_s * NS_PER_S)
        return {
            **self.attrs,
            "time_scale": "GPST",
            "span": f"{format_time(int(self.epoch_ns[0]))}/{format_time(end_ns)}",
            "step_s": self.step_s,
            "mask_deg": self.mask_deg,
            "stations": {name: list(self.networks.network(name).names) for name in self.networks.names},
            "n_left_out": int(self.usable.size - self.usable.sum()),
            "n_satellite_epochs": int(self.usable.size),
            "idle": list(self.idle),
        }

    def groups(self) -> list[tuple[str, str, Bools]]:
        """Return the satellites by system and orbit: letter, class or ``all``, and which they are."""
        found = []
        for letter in dict.fromkeys(self.system.tolist()):
            for orbit in ORBITS:
                chosen = (self.system == letter) & ((self.orbit == orbit) | (orbit == "all"))
                if chosen.any():
                    found.append((letter, orbit, chosen))
        return found

    def coverage(self, members: Bools, n_folds: int = 4) -> Floats:
        """Sum up what some stations see of each satellite.

        Parameters
        ----------
        members : (station,) bool
        n_folds : int
            Up to how many stations in view are counted.

        Returns
        -------
        (sv, kernel.N_FIXED + n_folds) float64
            As `gnss_coop.kernels.coverage.coverage` fills it.
        """
        out = np.empty((len(self.sv), kernel.N_FIXED + n_folds))
        kernel.coverage(self.seen_by, self.usable, bits_of(members), out)
        return out


def bits_of(members: npt.ArrayLike) -> np.uint64:
    """Return the bits of some stations.

    Examples
    --------
    >>> int(bits_of([True, False, True]))
    5
    """
    return np.uint64(sum(1 << p for p in np.flatnonzero(members).tolist()))


def network_views(sky: xr.Dataset, networks: NetworksLike = DEFAULT_NETWORKS, *, mask_deg: float = 5.0) -> NetworkViews:
    """Compute what the stations of networks see.

    Parameters
    ----------
    sky : xarray.Dataset
        ``positions`` (time, sv, ecef) [m] at evenly spaced epochs, as `satellite_positions` gives them.
    networks : str, sequence of str, mapping, or Networks
        As `Networks.of` takes them.
    mask_deg : float
        Elevation mask of the stations; a station's horizon counts besides.

    Returns
    -------
    NetworkViews

    Raises
    ------
    TimeError
        For fewer than two epochs, or epochs that are not evenly spaced.
    EphemerisGapError
        If no satellite has a position at any epoch.
    StationError, ScenarioError
        For an unknown network or station, or an elevation mask outside -90 to 90 deg.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=300))
    >>> views = network_views(sky, "russia")
    >>> views.visible.shape, views.orbit[0].item()
    ((3, 288, 24), 'MEO')
    """
    resolved = Networks.of(networks)
    epoch_ns, step_ns = even_epochs(sky["time"].values, "networks are")
    known: Bools = np.asarray(np.isfinite(positions_m(sky)).all(axis=2))
    used = known.any(axis=0)
    if not used.any():
        raise EphemerisGapError("no satellite has a usable ephemeris at any of the epochs")
    names = sky["sv"].values.astype(str)
    sky = sky.isel(sv=np.flatnonzero(used))
    visible = visibility(sky, resolved.stations, mask_deg=mask_deg)["visible"].values
    seen_by = np.empty(visible.shape[1:], np.uint64)
    kernel.views(visible, seen_by)
    positions = positions_m(sky)
    return NetworkViews(
        networks=resolved,
        places=station_arrays(resolved.stations),
        mask_deg=float(mask_deg),
        sv=names[used],
        orbit=orbit_classes(positions, step_ns / NS_PER_S),
        idle=tuple(names[~used].tolist()),
        epoch_ns=epoch_ns,
        step_s=step_ns / NS_PER_S,
        positions_m=positions,
        usable=np.ascontiguousarray(known[:, used]),
        visible=visible,
        seen_by=seen_by,
        attrs={
            **forecast_attributes(sky),
            **completeness_attributes(sky.attrs),
            "files": list(sky.attrs.get("files", [])),
        },
    )


def orbit_classes(satellites_m: Floats, step_s: float) -> npt.NDArray[np.str_]:
    """Tell MEO, IGSO and GEO from how the satellites move, which works for any source of positions.

    Parameters
    ----------
    satellites_m : (time, sv, 3) float64
        Earth-fixed, evenly spaced; NaN where unknown.
    step_s : float

    Returns
    -------
    (sv,) str
    """
    return np.array([str(_class_of(satellites_m[:, s], step_s)) for s in range(satellites_m.shape[1])])


def _class_of(track_m: Floats, step_s: float) -> OrbitClass:
    [known] = np.nonzero(np.isfinite(track_m[:, 0]))
    angle = OMEGA_E_GLONASS_RADPS * step_s * (known - known[0])
    c, s = np.cos(angle), np.sin(angle)
    x, y, z = track_m[known].T
    inertial = np.column_stack([c * x - s * y, s * x + c * y, z])
    radius_m = np.linalg.norm(inertial, axis=1)
    normals = np.cross(inertial[0], inertial)
    sines = np.linalg.norm(normals, axis=1) / (radius_m[0] * radius_m)
    widest = int(sines.argmax())
    if sines[widest] < _LEAST_SINE:  # the latitude is all there is
        tilt = float(np.abs(z / radius_m).max())
        return orbit_class(float(radius_m.mean()), math.degrees(math.asin(tilt)))
    # Turned round when more than half a turn lies between.
    tilt = abs(float(normals[widest, 2])) / (sines[widest] * radius_m[0] * radius_m[widest])
    # The parameter of the ellipse, from the area swept, tells a synchronous orbit near its perigee from a MEO. After
    # more than half a turn it is too small.
    swept_rad = math.atan2(sines[1], inertial[0] @ inertial[1] / (radius_m[0] * radius_m[1]))
    swept = swept_rad * radius_m[0] * radius_m[1] / (step_s * (known[1] - known[0]))
    size_m = max(float(radius_m.mean()), swept**2 / GM_GLONASS_M3S2)
    return orbit_class(size_m, math.degrees(math.acos(min(tilt, 1.0))))
