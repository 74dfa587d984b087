"""A station's horizon as its receiver saw it: the lowest elevation tracked in each direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.model.horizon import MIN_ELEVATION_DEG
from gnss_coop.model.station import Station

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

#: What is known of a sector.
HORIZON: Final = "horizon"  # satellites passed below and were not tracked
AT_MOST: Final = "at most"  # tracked down to here, and nothing passed below
NOTHING: Final = "no evidence"

_NEAR_DEG: Final = 2.0  # observations so near are about the same place of the horizon
_GROUND_DEG: Final = 0.5  # tracked to below this, the sky is open


def learn_horizon(
    azimuth_deg: Floats, elevation_deg: Floats, tracked: Booleans, *, sector_deg: float = 10.0, min_epochs: int = 10
) -> pd.DataFrame:
    """Find the lowest elevation tracked in each sector of azimuth.

    Parameters
    ----------
    azimuth_deg, elevation_deg : float64 (n,)
        Where healthy satellites that the receiver can track stood, one value per satellite and epoch.
    tracked : bool (n,)
        Whether it tracked them there.
    sector_deg : float
        Width of a sector; 360 is a multiple of it.
    min_epochs : int
        Least number of satellite-epochs that count as evidence.

    Returns
    -------
    pandas.DataFrame
        One row a sector: ``azimuth_from_deg``, ``azimuth_to_deg``; ``elevation_deg``, above which `min_epochs` were
        tracked within 2 deg, NaN where that is nowhere; ``n_tracked``, those within 2 deg above it; ``n_expected``, all
        that stood there; ``n_missed_below``, those that stood within 2 deg below it (above the true horizon) and
        were not tracked; ``evidence``: ``horizon`` where these are at least `min_epochs` or the sky is open to
        the ground, ``at most`` where nothing passed below, ``no evidence`` without an elevation.

    Raises
    ------
    ScenarioError
        If the sectors do not fill the circle, or the least number is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> elevation = np.arange(0.0, 30.0, 0.1)
    >>> sectors = learn_horizon(np.full(300, 45.0), elevation, elevation > 12, sector_deg=90)
    >>> round(sectors.elevation_deg[0].item(), 1), sectors.n_missed_below[0].item(), sectors.evidence[0]
    (12.1, 20, 'horizon')
    """
    import pandas as pd

    n_sectors = round(360.0 / sector_deg) if sector_deg > 0 else 0
    if n_sectors < 1 or abs(n_sectors * sector_deg - 360.0) > 1e-9:
        raise ScenarioError(f"sectors of {sector_deg:g} deg do not fill the circle; take a divisor of 360 such as 10")
    if min_epochs < 1:
        raise ScenarioError(f"the least number of epochs must be positive, not {min_epochs}")
    sector = np.minimum((np.mod(azimuth_deg, 360.0) / sector_deg).astype(np.int64), n_sectors - 1)
    order = np.lexsort((elevation_deg, sector))
    bounds = np.searchsorted(sector[order], np.arange(n_sectors + 1))
    rows: list[dict[str, Any]] = []
    for i in range(n_sectors):
        here = order[bounds[i] : bounds[i + 1]]
        found = _lowest(elevation_deg[here], tracked[here], min_epochs)
        rows.append({"azimuth_from_deg": i * sector_deg, "azimuth_to_deg": (i + 1) * sector_deg, **found})
    return pd.DataFrame(rows)


def _lowest(elevation_deg: Floats, tracked: Booleans, min_epochs: int) -> dict[str, Any]:
    """Return what one sector tells, its elevations in order."""
    seen = elevation_deg[tracked]
    # Single early catches, reflections for instance, make no horizon: the next ones must stand close above.
    spread = seen[min_epochs - 1 :] - seen[: max(0, seen.size - min_epochs + 1)]
    dense = np.flatnonzero(spread <= _NEAR_DEG)
    if dense.size == 0:
        return {"elevation_deg": np.nan, "n_tracked": 0, "n_expected": 0, "n_missed_below": 0, "evidence": NOTHING}
    lowest = float(seen[dense[0]])
    near = (elevation_deg >= lowest) & (elevation_deg <= lowest + _NEAR_DEG)
    below = (elevation_deg < lowest) & (elevation_deg >= max(0.0, lowest - _NEAR_DEG))
    n_missed = int((below & ~tracked).sum())
    known = n_missed >= min_epochs or lowest <= _GROUND_DEG
    return {
        "elevation_deg": lowest,
        "n_tracked": int((near & tracked).sum()),
        "n_expected": int(near.sum()),
        "n_missed_below": n_missed,
        "evidence": HORIZON if known else AT_MOST,
    }


def station_with_horizon(station: Station, sectors: pd.DataFrame) -> Station:
    """Return a station with the learned horizon: a corner in the middle of each sector with evidence.

    Parameters
    ----------
    station : Station
        Where the receiver stands.
    sectors : pandas.DataFrame
        From `learn_horizon`.

    Raises
    ------
    StationError
        If no sector has enough evidence.

    Examples
    --------
    >>> import numpy as np, gnss_coop as gc
    >>> elevation = np.arange(0.0, 30.0, 0.1)
    >>> sectors = learn_horizon(np.full(300, 45.0), elevation, elevation > 12, sector_deg=90)
    >>> station_with_horizon(gc.stations("Irkutsk")[0], sectors).horizon
    ((45.0, 12.1),)
    """
    known = sectors[sectors["evidence"] == HORIZON]
    if known.empty:
        raise StationError("no direction has enough evidence for a horizon; give observations of a longer time")
    middle_deg = (known["azimuth_from_deg"] + known["azimuth_to_deg"]) / 2
    elevation_deg = known["elevation_deg"].clip(MIN_ELEVATION_DEG, 90.0).round(1) + 0.0  # no -0.0
    corners = tuple(zip(middle_deg.tolist(), elevation_deg.tolist(), strict=True))
    return station.model_copy(update={"horizon": corners})
