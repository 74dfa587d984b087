"""What positioning gives: fixes with their conditions, and tables of what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.model import timescales
from gnss_coop.positioning import truth as where
from gnss_coop.positioning.measurements import Measurements
from gnss_coop.positioning.solution import Prefit, Solution
from gnss_coop.positioning.truth import Truth

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.positioning.findings import Finding

Floats = npt.NDArray[np.float64]

NS_M: Final = const.LIGHT_SPEED_MPS / const.NS_PER_S
_USED, _OUTLIER = 1, 2


@dataclass(frozen=True, slots=True, eq=False)
class Positioning:
    """Positions of one receiver by several sets of systems and masks.

    Made by `position_fixes`.

    Attributes
    ----------
    station : str
        Name of the station, or marker of the observations.
    measured : Measurements
        What went in.
    seen : Prefit
        The same seen from the reference position.
    truth : Truth
        What errors refer to.
    sigma_m : dict of str to float
        Standard deviation of each system's pseudoranges at the zenith [m].
    sigma_estimated : bool
        From the residuals, or given.
    weights, ionosphere, clocks : str
        How it was computed.
    solutions : dict of (str, float) to Solution
        By scenario and mask [deg].
    equal_weights : dict of (str, float) to Solution
        The same with one sigma for all systems; the very same where there is one.
    everything : Solution
        All systems of both files above the lowest mask.
    broadcast_offset_ns : dict of str to float
        System time less GPS time by the navigation files [ns].
    interval_s : float
        Step of the observations [s].
    notes : tuple of str
        What the reader must know.
    """

    station: str
    measured: Measurements
    seen: Prefit
    truth: Truth
    sigma_m: Mapping[str, float]
    sigma_estimated: bool
    weights: str
    ionosphere: str
    clocks: str
    solutions: Mapping[tuple[str, float], Solution]
    equal_weights: Mapping[tuple[str, float], Solution]
    everything: Solution
    broadcast_offset_ns: Mapping[str, float]
    interval_s: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        scenarios = ", ".join(dict.fromkeys(name for name, _ in self.solutions))
        return f"<Positioning: {self.station}, {len(self.measured.time_ns)} epochs, {scenarios}>"

    def errors_m(self, solution: Solution) -> Floats:
        """Return fix less truth in east, north and up [m], shape (n_epoch, 3)."""
        axes = where.local_axes(self.seen.reference_m)
        shift = axes @ (np.array(self.truth.antenna_m) - self.seen.reference_m)
        return np.asarray(solution.offset_m - shift)

    def fixes(self) -> pd.DataFrame:
        """Return one row per scenario, mask and epoch.

        Returns
        -------
        pandas.DataFrame
            station, scenario, mask_deg, time_gpst, n_used, redundancy, checked (whether there is any redundancy),
            east_m, north_m, up_m (of the truth), pdop, hdop, vdop, clock_X_ns (receiver clock against the time of each
            system), sigma_m (standard deviation of unit weight times the formal one in 3D).
        """
        import pandas as pd

        times = timescales.to_datetime64(self.measured.time_ns)
        blocks = []
        for (scenario, mask_deg), s in self.solutions.items():
            errors = self.errors_m(s)
            columns: dict[str, Any] = {
                "station": self.station, "scenario": scenario, "mask_deg": mask_deg, "time_gpst": times,
                "n_used": s.n_used, "redundancy": s.redundancy, "checked": s.fixed & (s.redundancy > 0),
                "east_m": errors[:, 0], "north_m": errors[:, 1], "up_m": errors[:, 2],
                "pdop": s.dop[:, 0], "hdop": s.dop[:, 1], "vdop": s.dop[:, 2],
            }  # fmt: skip
            columns |= {f"clock_{letter}_ns": s.clock_m[:, k] / NS_M for k, letter in enumerate(s.systems)}
            columns["sigma_m"] = np.sqrt(s.covariance_m2[:, [0, 3, 5]].sum(axis=1))
            blocks.append(pd.DataFrame(columns))
        table = pd.concat(blocks, ignore_index=True)
        return table.dropna(axis=1, how="all")

    def summary(self) -> pd.DataFrame:
        """Return one row per scenario and mask; see `gnss_coop.positioning.summary`."""
        from gnss_coop.positioning.summary import summary

        return summary(self)

    def details(self) -> pd.DataFrame:
        """Return the summary with medians, biases, shares of checked epochs and all expected errors."""
        from gnss_coop.positioning.summary import details

        return details(self)

    def gains(self) -> pd.DataFrame:
        """Return what each joint scenario changes for the users of its parts, in geometry and measured."""
        from gnss_coop.positioning.summary import gains

        return gains(self)

    def findings(self) -> list[Finding]:
        """Return what the numbers say, as data; `gnss_coop.positioning.words` puts it into words."""
        from gnss_coop.positioning.findings import findings

        return findings(self)

    def residuals(self) -> pd.DataFrame:
        """Return the residuals of each satellite with all systems.

        Returns
        -------
        pandas.DataFrame
            station, system, sv, signals, n, outliers, mean_m, rms_m, elevation_max_deg.
        """
        import pandas as pd

        m, s = self.measured, self.everything
        used = s.state == _USED
        n = len(m.satellites)
        count = np.bincount(m.sv[used], minlength=n)
        total, square = (np.bincount(m.sv[used], s.residual_m[used] ** p, n) for p in (1, 2))
        highest = np.full(n, -np.inf)
        np.maximum.at(highest, m.sv[used], np.degrees(self.seen.elevation[used]))
        outliers = np.bincount(m.sv[s.state == _OUTLIER], minlength=n)
        rows = np.flatnonzero(count + outliers)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean_m, rms_m = total[rows] / count[rows], np.sqrt(square[rows] / count[rows])
        names = [m.satellites[i] for i in rows]
        return pd.DataFrame({
            "station": self.station, "system": [name[0] for name in names], "sv": names,
            "signals": [m.signals.get(name, "") for name in names], "n": count[rows], "outliers": outliers[rows],
            "mean_m": mean_m, "rms_m": rms_m, "elevation_max_deg": np.where(count[rows] > 0, highest[rows], np.nan),
        })  # fmt: skip

    def residuals_by_elevation(self, bin_deg: float = 5.0) -> pd.DataFrame:
        """Return the residuals of each system by elevation, with all systems.

        Returns
        -------
        pandas.DataFrame
            station, system, elevation_deg (lower edge), n, mean_m, rms_m, sigma_m (what the weights say).
        """
        import pandas as pd

        from gnss_coop.errors import ScenarioError
        from gnss_coop.positioning.solution import row_variances_m2

        if not 0 < bin_deg <= 90:
            raise ScenarioError(f"bin_deg must be in (0, 90], got {bin_deg:g}")
        m, s = self.measured, self.everything
        used = np.flatnonzero(s.state == _USED)
        place = (np.degrees(self.seen.elevation[used]) // bin_deg).astype(np.int64)
        n_bins = int(np.ceil(90 / bin_deg)) + 1
        key = m.system[used] * n_bins + place
        n = len(m.systems) * n_bins
        count = np.bincount(key, minlength=n)
        variance = row_variances_m2(m, self.seen, self.sigma_m, self.weights)[used]
        sums = [np.bincount(key, v, n) for v in (s.residual_m[used], s.residual_m[used] ** 2, variance)]
        rows = np.flatnonzero(count)
        mean_m, square, spread = (v[rows] / count[rows] for v in sums)
        return pd.DataFrame({
            "station": self.station, "system": [m.systems[i // n_bins] for i in rows],
            "elevation_deg": (rows % n_bins) * bin_deg, "n": count[rows], "mean_m": mean_m, "rms_m": np.sqrt(square),
            "sigma_m": np.sqrt(spread),
        })  # fmt: skip

    def outliers(self) -> pd.DataFrame:
        """Return the outliers: station, scenario, mask_deg, time_gpst, sv, residual_m, elevation_deg."""
        import pandas as pd

        names = np.array(self.measured.satellites, dtype=object)
        blocks = []
        for (scenario, mask_deg), s in self.solutions.items():
            rows = np.flatnonzero(s.state == _OUTLIER)
            blocks.append(pd.DataFrame({
                "station": self.station, "scenario": scenario, "mask_deg": mask_deg,
                "time_gpst": timescales.to_datetime64(self.measured.time_ns[self.measured.epoch[rows]]),
                "sv": names[self.measured.sv[rows]], "residual_m": s.residual_m[rows],
                "elevation_deg": np.degrees(self.seen.elevation[rows]),
            }))  # fmt: skip
        return pd.concat(blocks, ignore_index=True)

    def clock_offsets(self) -> pd.DataFrame:
        """Return the offset between the receiver's clocks of two systems over time, with all systems.

        Returns
        -------
        pandas.DataFrame
            station, time_gpst, pair (``R-C``), offset_ns, broadcast_ns (the same by the navigation files, which do not
            know the receiver's own delay; NaN where they do not say).
        """
        import pandas as pd

        s, times = self.everything, timescales.to_datetime64(self.measured.time_ns)
        letters = [x for x in ("R", "C", "G", "E", "J") if x in s.systems]
        blocks = []
        for a, b in [(a, b) for i, a in enumerate(letters) for b in letters[i + 1 :]]:
            offset_ns = (s.clock_m[:, s.systems.index(a)] - s.clock_m[:, s.systems.index(b)]) / NS_M
            sent = self.broadcast_offset_ns
            blocks.append(pd.DataFrame({
                "station": self.station, "time_gpst": times, "pair": f"{a}-{b}", "offset_ns": offset_ns,
                "broadcast_ns": sent[b] - sent[a] if a in sent and b in sent else np.nan,
            }).dropna(subset="offset_ns"))  # fmt: skip
        columns = ["station", "time_gpst", "pair", "offset_ns", "broadcast_ns"]
        return pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame(columns=columns)

    def sigmas(self) -> pd.DataFrame:
        """Return the weights in use: station, system, sigma_m (at the zenith), origin (estimated, given), weights."""
        import pandas as pd

        origin = "estimated" if self.sigma_estimated else "given"
        return pd.DataFrame({
            "station": self.station, "system": list(self.sigma_m), "sigma_m": list(self.sigma_m.values()),
            "origin": origin, "weights": self.weights,
        })  # fmt: skip

    def signals(self) -> pd.DataFrame:
        """Return what was combined of each satellite: station, sv, signals."""
        import pandas as pd

        pairs = self.measured.signals
        return pd.DataFrame({"station": self.station, "sv": list(pairs), "signals": list(pairs.values())})
