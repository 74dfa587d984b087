"""Satellite positions at any epochs from precise orbits (SP3), interpolated within spans without a gap."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gnss_coop.constants import NS_PER_S, OMEGA_E_GPS_RADPS
from gnss_coop.elements.almanac import DAY_NS
from gnss_coop.ephemerides.messages import MESSAGES
from gnss_coop.errors import EphemerisGapError, ScenarioError
from gnss_coop.formats.sp3 import read_sp3
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.orbits.forecast import FORECAST_MESSAGE

if TYPE_CHECKING:
    import xarray as xr

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]

#: Epochs of the file that a position is interpolated from, as RTKLIB takes them (degree 10), and the fewest of a
#: satellite's span: with less the error passes a metre at steps of 15 min.
_NODES: Final = 11
_FEWEST_NODES: Final = 8
#: A step of the file times this is a gap.
_GAP_STEPS: Final = 1.5
#: Index of a position from a precise orbit in `message`, after the broadcast messages and the forecast.
PRECISE_MESSAGE: Final = FORECAST_MESSAGE + 1


@dataclass(frozen=True, slots=True)
class PreciseOrbits:
    """Precise orbits of one or several SP3 files, as a source of positions.

    They can stand for ephemerides: `satellite_positions`, `passes` and what is made of positions take them.

    Attributes
    ----------
    satellites : tuple of str
        RINEX names, in order.
    node_ns : (node,) int64
        Epochs of the files [ns of GPST], rising.
    step_ns : (node,) int64
        Step of the file that an epoch comes from [ns].
    node_m : (node, satellite, 3) float64
        Positions, Earth-fixed [m], NaN where the files have none.
    files : tuple of str
        Names of the files.
    frame : str
        Reference frames as the files call them, such as ``"IGS20"``.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> orbits = gc.precise_orbits("tests/data/COD21340.sp3.gz")
    >>> orbits.systems, len(orbits.satellites), [gc.format_time(t) for t in orbits.span_ns]
    (('E', 'G', 'R'), 76, ['2020-11-29T00:00:00', '2020-11-29T23:45:00'])
    >>> sky = gc.satellite_positions(orbits, ["2020-11-29T12:07:30"], systems="R")
    >>> sky.positions.shape
    (1, 20, 3)
    """

    satellites: tuple[str, ...]
    node_ns: Integers
    step_ns: Integers
    node_m: Floats
    files: tuple[str, ...] = ()
    frame: str = ""

    @classmethod
    def of(cls, *datasets: xr.Dataset, files: Sequence[str] = ()) -> PreciseOrbits:
        """Return the orbits of several days or files as one; where two hold the same position, the first counts.

        Parameters
        ----------
        *datasets : xarray.Dataset
            From `read_sp3`.
        files : sequence of str
            Their names, for messages.

        Raises
        ------
        ScenarioError
            If there is no dataset.
        """
        if not datasets:
            raise ScenarioError("precise orbits need at least one SP3 file: give one")
        names = sorted({str(sv) for data in datasets for sv in data["sv"].values})
        times = [timescales.from_datetime64(data["time"].values) for data in datasets]
        node_ns = np.unique(np.concatenate(times))
        node_m = np.full((node_ns.size, len(names), 3), np.nan)
        step_ns = np.zeros(node_ns.size, dtype=np.int64)
        for data, own_ns in zip(reversed(datasets), reversed(times), strict=True):
            rows = np.searchsorted(node_ns, own_ns)
            columns = np.array([names.index(str(sv)) for sv in data["sv"].values], dtype=np.int64)
            own_m = data["positions"].values
            known = np.isfinite(own_m).all(axis=-1, keepdims=True)
            cells = np.ix_(rows, columns)
            node_m[cells] = np.where(known, own_m, node_m[cells])
            step_ns[rows] = int(np.median(np.diff(own_ns))) if own_ns.size > 1 else 0
        frames = dict.fromkeys(str(data.attrs.get("frame", "")) for data in datasets)
        return cls(tuple(names), node_ns, step_ns, node_m, tuple(files), ", ".join(filter(None, frames)))

    @property
    def systems(self) -> tuple[str, ...]:
        """RINEX letters of the systems, in order."""
        return tuple(dict.fromkeys(sv[0] for sv in self.satellites if sv[0] in SYSTEMS))

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last epoch of the files [ns of GPST]: nothing is extrapolated."""
        return int(self.node_ns[0]), int(self.node_ns[-1])

    @property
    def fullest_day_ns(self) -> tuple[int, int]:
        """First and last epoch of the day with most epochs [ns of GPST]; the next midnight counts too."""
        days, counts = np.unique(self.node_ns // DAY_NS, return_counts=True)
        start_ns = int(days[counts.argmax()]) * DAY_NS
        own_ns = self.node_ns[(self.node_ns >= start_ns) & (self.node_ns <= start_ns + DAY_NS)]
        return int(own_ns[0]), int(own_ns[-1])

    def select(self, systems: str | Iterable[str] | None = None, exclude_sv: Iterable[str] = ()) -> PreciseOrbits:
        """Return the orbits of some systems, without some satellites.

        Raises
        ------
        ScenarioError
            For an unknown system letter.
        """
        letters = list(SYSTEMS if systems is None else systems)
        if unknown := [s for s in letters if s not in SYSTEMS]:
            raise ScenarioError(f"unknown system {unknown[0]!r}: known are {', '.join(SYSTEMS)}")
        without = set(exclude_sv)
        columns = [i for i, sv in enumerate(self.satellites) if sv[0] in letters and sv not in without]
        return replace(self, satellites=tuple(self.satellites[i] for i in columns), node_m=self.node_m[:, columns])

    def positions(
        self,
        epochs: Any,
        *,
        systems: str | Iterable[str] | None = None,
        exclude_sv: Iterable[str] = (),
        max_age_s: float | Mapping[str, float] | None = None,
        include_unhealthy: bool = False,
    ) -> xr.Dataset:
        """Interpolate positions.

        Parameters
        ----------
        epochs, systems, exclude_sv
            As for `satellite_positions`.
        max_age_s, include_unhealthy
            Without effect: SP3 knows neither an age nor a health.

        Returns
        -------
        xarray.Dataset
            As from `satellite_positions`, of the centres of mass in the frame of the files. ``age`` is the distance
            from the nearest epoch of the files; ``healthy`` is true wherever there is a position, and its attribute
            ``known`` is 0, since SP3 says nothing of health. Before the first and after the last epoch, and between
            epochs of a satellite that are further apart than 1.5 steps, there is no position.

        Raises
        ------
        EphemerisGapError
            If there is no position at all.

        Notes
        -----
        A polynomial of degree 10 through the 11 nearest epochs of a span without a gap, in a frame that does not rotate
        (as RTKLIB does it). Where every third epoch of a file at 5 min is kept, the others come back within 1.5 cm,
        and within 0.5 m between the first and the last epochs of a span.
        """
        epoch_ns = np.atleast_1d(timescales.from_datetime64(epochs))
        wanted = self.select(systems, exclude_sv)
        if not wanted.satellites:
            names = "any system" if systems is None else ", ".join(SYSTEMS[s].name for s in systems)
            raise EphemerisGapError(f"there is no orbit of {names} in {self._where()}")
        xyz_m = np.full((epoch_ns.size, len(wanted.satellites), 3), np.nan)
        for column in range(len(wanted.satellites)):
            xyz_m[:, column] = _interpolated(self.node_ns, self.step_ns, wanted.node_m[:, column], epoch_ns)
        if epoch_ns.size and not np.isfinite(xyz_m).any():
            raise self._gap(epoch_ns)
        return _dataset(wanted, epoch_ns, xyz_m)

    def _where(self) -> str:
        return self.files[0] if len(self.files) == 1 else f"the {len(self.files) or ''} files".replace("  ", " ")

    def _gap(self, epoch_ns: Integers) -> EphemerisGapError:
        first, last = (timescales.format_time(t) for t in self.span_ns)
        asked = [timescales.format_time(t) for t in (epoch_ns.min(), epoch_ns.max())]
        return EphemerisGapError(
            f"no orbit reaches {asked[0]} to {asked[1]} GPST: {self._where()} cover {first} to {last} GPST, and a "
            f"satellite needs {_FEWEST_NODES} epochs without a gap",
            first,
            last,
        )


def precise_orbits(
    source: str | os.PathLike[str] | BinaryIO | Sequence[str | os.PathLike[str] | BinaryIO],
) -> PreciseOrbits:
    """Read SP3 files as a source of positions.

    Parameters
    ----------
    source : str, path, binary file-like, or a sequence of those
        SP3 files of any days, packed or not; neighbouring days join without a gap. Time systems are those of the files.

    Returns
    -------
    PreciseOrbits
        To be given to `satellite_positions` or `passes` instead of ephemerides.

    Raises
    ------
    RinexError
        If a file cannot be read, see `read_sp3`.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> orbits = precise_orbits("tests/data/COD21340.sp3.gz")
    >>> sky = gc.satellite_positions(orbits, gc.epochs("2020-11-29T06:00", hours=6), systems="GR")
    >>> dop = gc.dilution_of_precision(sky, gc.stations("Irkutsk"), ["R", "R+G"], mask_deg=25)
    """
    single = isinstance(source, (str, os.PathLike)) or hasattr(source, "read")
    sources = [source] if single else list(source)  # type: ignore[arg-type]
    names = [str(getattr(one, "name", one)) for one in sources]
    return PreciseOrbits.of(*(read_sp3(one) for one in sources), files=names)  # type: ignore[arg-type]


def _interpolated(node_ns: Integers, step_ns: Integers, node_m: Floats, epoch_ns: Integers) -> Floats:
    """Return positions (epoch, 3) of one satellite, NaN where it has none."""
    known = np.isfinite(node_m).all(axis=-1)
    own_ns, own_m, own_step_ns = node_ns[known], node_m[known], step_ns[known]
    result = np.full((epoch_ns.size, 3), np.nan)
    if own_ns.size < _FEWEST_NODES:
        return result
    longest_ns = _GAP_STEPS * np.maximum(own_step_ns[1:], own_step_ns[:-1])
    starts = np.concatenate([[0], np.nonzero(np.diff(own_ns) > longest_ns)[0] + 1])
    stops = np.append(starts[1:], own_ns.size)
    for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
        inside = (epoch_ns >= own_ns[start]) & (epoch_ns <= own_ns[stop - 1])
        if stop - start >= _FEWEST_NODES and inside.any():
            result[inside] = _lagrange(own_ns[start:stop], own_m[start:stop], epoch_ns[inside])
    return result


def _lagrange(node_ns: Integers, node_m: Floats, epoch_ns: Integers) -> Floats:
    """Return positions (epoch, 3) within one span, from the nearest nodes turned into axes that stand still."""
    n_nodes = min(_NODES, node_ns.size)
    after = np.searchsorted(node_ns, epoch_ns)
    first = np.clip(after - (n_nodes + 1) // 2, 0, node_ns.size - n_nodes)
    rows = first[:, None] + np.arange(n_nodes)
    since_s = (node_ns[rows] - epoch_ns[:, None]) / NS_PER_S
    angle = OMEGA_E_GPS_RADPS * since_s
    x, y, z = np.moveaxis(node_m[rows], -1, 0)
    turned = np.stack([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), z], axis=-1)
    apart_s = since_s[:, :, None] - since_s[:, None, :]  # node k less node j
    own = np.eye(n_nodes, dtype=bool)
    ratio = -since_s[:, None, :] / np.where(own, 1.0, apart_s)
    weights = np.where(own, 1.0, ratio).prod(axis=-1)
    return np.asarray(np.einsum("ek,ekc->ec", weights, turned))


def _dataset(orbits: PreciseOrbits, epoch_ns: Integers, xyz_m: Floats) -> xr.Dataset:
    import xarray as xr

    plane = ("time", "sv")
    found = np.isfinite(xyz_m).all(axis=-1)
    after = np.clip(np.searchsorted(orbits.node_ns, epoch_ns), 1, orbits.node_ns.size - 1)
    since_ns = np.stack([epoch_ns - orbits.node_ns[after - 1], epoch_ns - orbits.node_ns[after]])
    nearest_s = np.where(np.abs(since_ns[0]) < np.abs(since_ns[1]), since_ns[0], since_ns[1]) / NS_PER_S
    meanings = " ".join((*(m.name for m in MESSAGES), "FORECAST", "SP3"))
    flags = {"flag_values": list(range(PRECISE_MESSAGE + 1)), "flag_meanings": meanings}
    return xr.Dataset(
        {
            "positions": ((*plane, "ecef"), xyz_m, {"units": "m", "long_name": "Earth-fixed position"}),
            "age": (
                plane,
                np.where(found, nearest_s[:, None], np.nan),
                {"units": "s", "long_name": "epoch minus the nearest one of the orbits"},
            ),
            "healthy": (plane, found, {"long_name": "has a position; SP3 says nothing of health", "known": 0}),
            "message": (plane, np.where(found, PRECISE_MESSAGE, -1).astype(np.int8), flags),
        },
        coords={
            "time": ("time", timescales.to_datetime64(epoch_ns), {"time_scale": "GPST"}),
            "sv": ("sv", np.array(orbits.satellites, dtype=str)),
            "ecef": ("ecef", np.array(["x", "y", "z"])),
        },
        attrs={"frame": "itrf", "sp3_frame": orbits.frame, "files": list(orbits.files), "time_scale": "GPST"},
    )
