"""Figures of the ledger of mutual gain, and when a change of one is a gain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from gnss_coop.networks.table import SIGMAS

#: Kinds of gain: users' from signals, networks' from hosted stations.
SIGNALS, HOSTING = "signals", "stations"
#: Rounding of sums over the same satellites in another order is no gain.
_SAME: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure of the ledger.

    Attributes
    ----------
    column : str
        In the table of `compare` or `network_table`.
    unit : str
        Empty for a plain number.
    sense : int
        1 where more is better, -1 where less is, 0 where it tells neither: the mean gap grows when a short one is
        closed.
    missing : float
        What a figure that is not there counts as when two are compared: an undetermined orbit is the worst.
    """

    column: str
    unit: str
    sense: int
    missing: float = math.nan

    def better(self, standalone: float, joint: float) -> int:
        """Return 1 for a gain, -1 for a loss, 0 for none.

        Examples
        --------
        >>> quantity = Quantity("sigma_3d_m", "m", -1, math.inf)
        >>> quantity.better(20.0, 8.0), quantity.better(math.nan, 8.0), quantity.better(math.nan, math.nan)
        (1, 1, 0)
        """
        before, after = (self.missing if math.isnan(value) else value for value in (standalone, joint))
        if math.isnan(before) or math.isnan(after) or math.isclose(before, after, rel_tol=_SAME):
            return 0
        return self.sense if after > before else -self.sense


#: Figures of each kind of gain, in the order of the ledger.
QUANTITIES: Final[dict[str, dict[str, Quantity]]] = {
    SIGNALS: {
        "n_used_mean": Quantity("n_used_mean", "", 1),
        "pdop_median": Quantity("pdop_median", "", -1),
        "pdop_p95": Quantity("pdop_p95", "", -1),
        "hdop_median": Quantity("hdop_median", "", -1),
        "vdop_median": Quantity("vdop_median", "", -1),
        "availability_pct": Quantity("availability_pct", "%", 1),
    },
    HOSTING: {
        **{f"k{k}_pct": Quantity(f"k{k}", "%", 1) for k in range(1, 5)},
        "depth": Quantity("depth", "", 1),
        "gap_max_min": Quantity("gap_max_min", "min", -1),
        "gap_mean_min": Quantity("gap_mean_min", "min", 0),
        **{name: Quantity(name, "m", -1, math.inf) for name in SIGMAS},
    },
}
