"""Receivers of a report: which station their observations belong to, and what they tracked there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gnss_coop.errors import StationError
from gnss_coop.model.network import Network
from gnss_coop.tracking.tracked import SAME_PLACE_M, Tracking, tracked

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.observations import Observations


def receivers_of(
    network: Network,
    observations: Sequence[Observations],
    nav: Ephemerides,
    *,
    systems: str | Iterable[str] | None = None,
    mask_deg: float = 5.0,
    exclude_sv: Iterable[str] = (),
    max_age_s: float | Mapping[str, float] | None = None,
) -> tuple[Network, dict[str, Tracking]]:
    """Compare what receivers tracked with the prediction, each at the station where it stands.

    A receiver within 1 km of a station is taken as that station's; one that is farther from all of them is added
    as a station of its own. Without a position in its header it belongs to the only station asked for.

    Parameters
    ----------
    network : Network
        The stations asked for.
    observations : sequence of Observations
        From `read_obs`, one a receiver.
    nav : Ephemerides
        From `read_nav`, of the same day.
    systems, mask_deg, exclude_sv, max_age_s
        As `tracked` takes them.

    Returns
    -------
    (Network, dict of Tracking)
        All stations, and what was tracked by the names of their stations.

    Raises
    ------
    StationError
        If a receiver has no position and there are several stations, or two receivers have one station.
    EphemerisGapError, ScenarioError
        As `tracked` raises them.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> obs = gc.read_obs("sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz")
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> network, trackings = receivers_of(gc.stations("Irkutsk"), [obs], nav, systems="RC")
    >>> network.names, list(trackings)
    (('Irkutsk', 'CIBG'), ['CIBG'])
    """
    excluded = list(exclude_sv)
    stations, trackings = list(network), dict[str, Tracking]()
    for obs in observations:
        tracking = tracked(
            obs, nav, station=_home(obs, network), mask_deg=mask_deg, systems=systems, exclude_sv=excluded,
            max_age_s=max_age_s,
        )  # fmt: skip
        name = tracking.station.name
        if name in trackings:
            raise StationError(
                f"{obs.files[0]}: there are observations of another receiver at {name}; give one of them"
            )
        if name not in network.names:
            stations.append(tracking.station)
        trackings[name] = tracking
    return Network(network.name, tuple(stations)), trackings


def _home(obs: Observations, network: Network) -> Network | None:
    """Return the station of a receiver as a selection of one; None where it is none of those asked for."""
    header = next((h for h in obs.headers if h.position_m is not None), None)
    if header is None:
        if len(network) != 1:
            raise StationError(
                f"{obs.files[0]}: the header has no APPROX POSITION XYZ; give the receiver's station alone with "
                "--stations FILE|NAME"
            )
        return network[:1]
    distance_m = np.linalg.norm(network.xyz_m - np.array(header.position_m), axis=1)
    nearest = int(distance_m.argmin())
    return network[nearest : nearest + 1] if distance_m[nearest] <= SAME_PLACE_M else None
