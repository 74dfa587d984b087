"""Tables of `Tracking`: counts per satellite and elevation, satellites never tracked, gaps, exceptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.model.observations import Observations

Booleans = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]

#: What tables count, in order: all but the first three are tracked though not expected.
COUNTS: Final = ("expected", "tracked", "missed", "below_mask", "unhealthy", "no_ephemeris", "below_horizon")
_GAP_INTERVALS: Final = 2.0
_MIN_UNKNOWN: Final = 2  # that many untracked satellites above the highest number tracked tell of the receiver
_WHERE: Final = {(True, True): "within", (True, False): "set", (False, True): "rise", (False, False): "whole"}


@dataclass(frozen=True, slots=True, eq=False)
class Sky:
    """Prediction and observation side by side, all of shape (epoch, satellite) unless said otherwise.

    Attributes
    ----------
    time_ns : int64 (epoch,) [ns of GPST]
    names : tuple of str
        Satellites of either side.
    in_nav : bool (satellite,), whether the ephemerides know the satellite
    rejected : bool (satellite,), whether records of it were rejected as damaged
    azimuth_deg, elevation_deg : float32, NaN without a valid ephemeris
    fitted_deg : float32, elevation on the orbit fitted to the satellite's own records, where it was tracked without
        a valid ephemeris; NaN elsewhere
    healthy : bool, whether the newest ephemeris says so
    above : bool, whether the satellite stands above mask and horizon, healthy or not
    tracked : bool
    """

    time_ns: npt.NDArray[np.int64]
    names: tuple[str, ...]
    in_nav: Booleans
    rejected: Booleans
    azimuth_deg: Floats
    elevation_deg: Floats
    fitted_deg: Floats
    healthy: Booleans
    above: Booleans
    tracked: Booleans

    @property
    def usable(self) -> Booleans:
        """Whether there is a valid, healthy ephemeris."""
        return self.healthy & np.isfinite(self.elevation_deg)

    @property
    def expected(self) -> Booleans:
        """Healthy and above mask and horizon."""
        return self.usable & self.above

    def classes(self) -> dict[str, Booleans]:
        """Tracked satellite-epochs that were not expected, each in one class."""
        with np.errstate(invalid="ignore"):
            sunk = self.elevation_deg < 0
        known = self.tracked & np.isfinite(self.elevation_deg)
        return {
            "below_mask": known & ~sunk & self.healthy & ~self.above,
            "unhealthy": known & ~sunk & ~self.healthy,
            "no_ephemeris": self.tracked & ~known,
            "below_horizon": known & sunk,
        }


def _counts(sky: Sky) -> dict[str, Booleans]:
    expected = sky.expected
    return {
        "expected": expected,
        "tracked": sky.tracked,
        "missed": expected & ~sky.tracked,
        **sky.classes(),
    }


def satellites(sky: Sky, obs: Observations) -> pd.DataFrame:
    """Return counts, completeness, lowest elevation and signals of each satellite expected or tracked."""
    import pandas as pd

    counts = {name: which.sum(axis=0) for name, which in _counts(sky).items()}
    frame = pd.DataFrame({"sv": list(sky.names), **counts})
    with np.errstate(invalid="ignore", divide="ignore"):
        complete = 100.0 * (1.0 - counts["missed"] / counts["expected"])
    frame.insert(4, "completeness_pct", complete)
    with np.errstate(invalid="ignore"):
        frame["above_by_fit"] = (sky.fitted_deg >= 0).sum(axis=0)
    seen = sky.tracked & np.isfinite(sky.elevation_deg)
    lowest = np.where(seen, sky.elevation_deg, np.inf).min(axis=0, initial=np.inf)
    frame["lowest_deg"] = np.where(np.isfinite(lowest), lowest, np.nan)
    frame["full_signals_pct"], frame["signals"] = zip(*(_signals(obs, sv) for sv in sky.names), strict=True)
    kept = (frame["expected"] > 0) | (frame["tracked"] > 0)
    return frame[kept].reset_index(drop=True)


def _signals(obs: Observations, sv: str) -> tuple[float, str]:
    """Return how often all signals that a satellite ever gave were there [%], and their codes."""
    if sv not in obs.satellites:
        return float("nan"), ""
    masks = obs.signals[obs.row_sv == obs.satellites.index(sv)]
    masks = masks[masks != 0]
    if masks.size == 0:
        return float("nan"), ""
    ever = np.bitwise_or.reduce(masks)
    return 100.0 * float((masks == ever).mean()), " ".join(obs.signal_names(sv, int(ever)))


def bins(sky: Sky, bin_deg: float) -> pd.DataFrame:
    """Return the counts per satellite and bin of elevation, without empty rows."""
    import pandas as pd

    known = np.isfinite(sky.elevation_deg)
    n_bins = int(np.ceil(180.0 / bin_deg)) + 2
    # Bins begin at multiples of their width; the last one is for satellites without an elevation.
    lowest = int(np.floor(-90.0 / bin_deg))
    place = np.full(sky.elevation_deg.shape, n_bins, dtype=np.int64)
    place[known] = np.floor(sky.elevation_deg[known] / bin_deg).astype(np.int64) - lowest
    key = place + np.arange(len(sky.names)) * (n_bins + 1)
    size = len(sky.names) * (n_bins + 1)
    counts = {name: np.bincount(key[which], minlength=size) for name, which in _counts(sky).items()}
    rows = np.flatnonzero((counts["expected"] > 0) | (counts["tracked"] > 0))
    bin_of, sv_of = rows % (n_bins + 1), rows // (n_bins + 1)
    start = np.where(bin_of < n_bins, (bin_of + lowest) * bin_deg, np.nan)
    return pd.DataFrame(
        {
            "sv": [sky.names[i] for i in sv_of],
            "elevation_from_deg": start,
            "elevation_to_deg": start + bin_deg,
            **{name: values[rows] for name, values in counts.items()},
        }
    )


def never_tracked(sky: Sky, obs: Observations) -> pd.DataFrame:
    """Return satellites that stood above the mask and were never tracked, with the most likely reason."""
    import pandas as pd

    above = sky.above & np.isfinite(sky.elevation_deg)
    ever: Booleans = np.asarray(sky.tracked.any(axis=0))
    highest_number = {
        letter: max(
            (int(sv[1:]) for sv, seen in zip(sky.names, ever, strict=True) if seen and sv[0] == letter), default=0
        )
        for letter in SYSTEMS
    }
    missing = np.flatnonzero(~ever & above.any(axis=0))
    healthy: Booleans = np.asarray(sky.expected.any(axis=0))
    beyond = [sky.names[i] for i in missing if healthy[i] and int(sky.names[i][1:]) > highest_number[sky.names[i][0]]]
    rows: list[dict[str, Any]] = []
    for i in missing.tolist():
        sv, here = sky.names[i], above[:, i]
        rows.append(
            {
                "sv": sv,
                "epochs_above_mask": int(here.sum()),
                "highest_deg": float(sky.elevation_deg[here, i].max()),
                "reason": _reason(sv, bool(healthy[i]), highest_number, beyond, obs),
            }
        )
    return pd.DataFrame(rows, columns=["sv", "epochs_above_mask", "highest_deg", "reason"])


def _reason(sv: str, healthy: bool, highest_number: dict[str, int], beyond: list[str], obs: Observations) -> str:
    letter, name = sv[0], SYSTEMS[sv[0]].name
    if letter not in obs.systems and not any(_can_hold(header, letter) for header in obs.headers):
        return f"neither the header nor any epoch has {name}: it is not tracked, or was left out when the file was made"
    if not healthy:
        return "unhealthy all the time"
    if highest_number[letter] == 0:
        return f"no satellite of {name} was tracked: the receiver is not set to it, or cannot"
    if sv in beyond and sum(other[0] == letter for other in beyond) >= _MIN_UNKNOWN:
        return f"none above {letter}{highest_number[letter]:02d} was tracked: the receiver may not know these numbers"
    return "not explained by the files: an obstacle, a setting, or no signal that the receiver knows"


def _can_hold(header: Any, letter: str) -> bool:
    """Tell whether a file can hold satellites of a system; version 2 says so by its own system only."""
    if header.version < 3:
        return header.system in (letter, "M")
    return bool(header.types_of(letter))


def gaps(sky: Sky, interval_s: float) -> pd.DataFrame:
    """Return runs of epochs in which an expected satellite was not tracked, and times without epochs."""
    import pandas as pd

    step_ns = round(interval_s * const.NS_PER_S) if interval_s > 0 else 0
    found = _outages(sky, step_ns) if step_ns else []
    missed = sky.expected & ~sky.tracked
    ever: Booleans = np.asarray(sky.tracked.any(axis=0))
    for i in np.flatnonzero(ever & missed.any(axis=0)).tolist():
        edges = np.flatnonzero(np.diff(missed[:, i], prepend=False, append=False))
        for start, stop in edges.reshape(-1, 2).tolist():
            duration_ns = int(sky.time_ns[stop - 1] - sky.time_ns[start]) + step_ns
            if duration_ns > _GAP_INTERVALS * step_ns:
                found.append(_gap(sky, i, start, stop, duration_ns))
    columns = ["sv", "start_gpst", "end_gpst", "duration_s", "n_epochs", "kind", "lowest_deg", "highest_deg"]
    return pd.DataFrame(found, columns=columns).sort_values(["start_gpst", "sv"], ignore_index=True)


def _gap(sky: Sky, i: int, start: int, stop: int, duration_ns: int) -> dict[str, Any]:
    elevation = sky.elevation_deg[start:stop, i]
    before = start > 0 and bool(sky.tracked[start - 1, i])
    after = stop < len(sky.time_ns) and bool(sky.tracked[stop, i])
    return {
        "sv": sky.names[i],
        **_times(sky, start, stop - 1, "start_gpst", "end_gpst"),
        "duration_s": duration_ns / const.NS_PER_S,
        "n_epochs": stop - start,
        "kind": _WHERE[before, after],
        "lowest_deg": float(elevation.min()),
        "highest_deg": float(elevation.max()),
    }


def _outages(sky: Sky, step_ns: int) -> list[dict[str, Any]]:
    """Return times in which the file has no epochs at all."""
    distance_ns = np.diff(sky.time_ns)
    return [
        {
            "sv": "all",
            **_times(sky, i, i + 1, "start_gpst", "end_gpst"),
            "duration_s": distance_ns[i] / const.NS_PER_S,
            "n_epochs": 0,
            "kind": "no epochs",
            "lowest_deg": np.nan,
            "highest_deg": np.nan,
        }
        for i in np.flatnonzero(distance_ns > _GAP_INTERVALS * step_ns).tolist()
    ]


def exceptions(sky: Sky) -> pd.DataFrame:
    """Return tracked satellite-epochs not predicted above the true horizon, by satellite and explanation."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    classes = sky.classes()
    for kind in ("no_ephemeris", "unhealthy", "below_horizon"):
        for i in np.flatnonzero(classes[kind].any(axis=0)).tolist():
            when = np.flatnonzero(classes[kind][:, i])
            elevation = (sky.fitted_deg if kind == "no_ephemeris" else sky.elevation_deg)[when, i]
            rows.append(
                {
                    "sv": sky.names[i],
                    "explanation": _explanation(kind, bool(sky.in_nav[i]), bool(sky.rejected[i])),
                    "n_epochs": when.size,
                    **_times(sky, when[0], when[-1], "first_gpst", "last_gpst"),
                    "lowest_deg": float(np.fmin.reduce(elevation)),
                }
            )
    columns = ["sv", "explanation", "n_epochs", "first_gpst", "last_gpst", "lowest_deg"]
    return pd.DataFrame(rows, columns=columns).sort_values(["sv", "explanation"], ignore_index=True)


def _explanation(kind: str, in_nav: bool, rejected: bool) -> str:
    if kind == "no_ephemeris":
        if rejected:
            return "no valid ephemeris: records of it were rejected as damaged"
        return "no valid ephemeris at these epochs" if in_nav else "no ephemeris of the satellite in the files"
    return {"unhealthy": "unhealthy", "below_horizon": "below the true horizon (0 deg)"}[kind]


def _times(sky: Sky, first: int, last: int, first_name: str, last_name: str) -> dict[str, str]:
    start, end = timescales.format_times(sky.time_ns[[first, last]]).tolist()
    return {first_name: start, last_name: end}
