"""The ledger of mutual gain: what two systems bring each other by their signals and by hosting stations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import EphemerisGapError, ScenarioError, StationError
from gnss_coop.geometry.comparison import compare
from gnss_coop.geometry.dop import dilution_of_precision
from gnss_coop.geometry.visibility import positions_m
from gnss_coop.ledger.quantities import HOSTING, QUANTITIES, SIGNALS
from gnss_coop.model.network import Network
from gnss_coop.model.network import stations as select
from gnss_coop.model.scenario import PER_SYSTEM, parse_scenarios
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.networks.networks import HOME, Networks
from gnss_coop.networks.orbit_information import RANGE_INTERVAL_S, WINDOW_H
from gnss_coop.networks.table import network_table
from gnss_coop.networks.views import network_views

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.model.network import Selection
    from gnss_coop.networks.networks import NetworksLike

#: The two sides that a ledger has where nothing else is asked for, and where each is at home.
PAIR: Final = tuple(HOME)
HOMES: Final = ",".join(f"{letter}={network}" for letter, network in HOME.items())
#: Places that stand for all: every epoch of every site counts once; all hosted stations join the home network.
ALL_SITES, ALL_HOSTED = "all sites", "all hosted"
_JOINT: Final = "joint"


def mutual_gain(
    sky: xr.Dataset,
    systems: str | Sequence[str] = PAIR,
    *,
    stations: Selection = "joint",
    mask_deg: float | Sequence[float] = (5.0, 15.0, 25.0),
    clocks: str = PER_SYSTEM,
    limit: float = 6.0,
    homes: NetworksLike = HOMES,
    network_mask_deg: float = 5.0,
    window_h: float = WINDOW_H,
    range_interval_s: float = RANGE_INTERVAL_S,
    clock_known: bool = False,
) -> pd.DataFrame:
    """Draw up what two systems gain from each other, in both directions and in the same figures.

    Two kinds of gain: what users of one system gain from the other's signals, and what one system's ground network
    gains from stations at the other's home.

    Parameters
    ----------
    sky : xarray.Dataset
        ``positions`` (time, sv, ecef) [m] at evenly spaced epochs, as `satellite_positions` gives them.
    systems : str or sequence of str
        Two letters.
    stations : Network, Station, str, or a list of those
        Where the users are.
    mask_deg : float or sequence of float
        Elevation masks of the users.
    clocks, limit
        As for `dilution_of_precision` and `compare`.
    homes : str or mapping of letters to stations
        Home network of each system, as `Networks.of` takes them under the systems' letters.
    network_mask_deg : float
        Elevation mask of the ground networks.
    window_h, range_interval_s, clock_known
        As for `network_table`.

    Returns
    -------
    pandas.DataFrame
        One row per direction, place, orbit class, mask and quantity: ``direction``, ``kind`` (signals or stations),
        ``beneficiary`` and ``provider`` (letters), ``place``, ``orbit`` (of stations), ``mask_deg``, ``quantity``,
        ``unit``, ``compared`` (what with what), ``standalone``, ``joint``, ``difference`` (joint minus standalone,
        NaN unless both are finite) and ``better``: 1 for a gain, -1 for a loss, 0 for neither, as
        for any mean gap, which grows when a short one is closed.

        Signals: at each site the beneficiary's signals alone against both systems'; ``all sites`` pools the epochs
        of all sites, each of which counts once. Stations: ``all hosted`` is the home network against the joint one;
        a station's name is the joint network without that station against the whole. These do not add up to the
        total, for stations stand in for each other. A median among epochs without a solution is infinite, a
        median sigma among undetermined orbits NaN; ``gap_mean_min`` is NaN where there is no gap.

    Raises
    ------
    ScenarioError
        If it is not two systems, or the home network of one is not known.
    StationError
        For an unknown station, or where one side has no station that the other does not have itself.
    EphemerisGapError
        If no satellite of one of the two has a position.
    TimeError
        For fewer than two epochs, or epochs that are not evenly spaced.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    >>> sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=900), systems="RC")
    >>> ledger = mutual_gain(sky, mask_deg=25)
    >>> total = ledger[ledger.place.isin(["all sites", "all hosted"]) & ledger.orbit.isin(["", "all"])]
    >>> chosen = total[total.quantity.isin(["availability_pct", "sigma_3d_m"])]
    >>> print(chosen[["direction", "quantity", "standalone", "joint"]].round(1).to_string(index=False))
            direction         quantity  standalone  joint
     R-from-C-signals availability_pct        53.8  100.0
     C-from-R-signals availability_pct        99.7  100.0
    R-from-C-stations       sigma_3d_m        21.0    8.8
    C-from-R-stations       sigma_3d_m        39.6    9.2
    """
    import pandas as pd

    pair = pair_of(systems)
    grounds = Networks.of(homes)
    hosted = hosted_stations(pair, grounds)
    sky = _of_pair(sky, pair)
    masks = [float(mask) for mask in dict.fromkeys(np.atleast_1d(np.asarray(mask_deg, dtype=np.float64)).tolist())]
    users = select(stations)
    scenarios = [*pair, "+".join(pair)]
    dop = dilution_of_precision(sky, users, scenarios, mask_deg=masks, clocks=clocks)
    compared = [compare(part, limit=limit) for part in (dop, _pooled(dop))]
    networks = network_table(
        network_views(sky, _networks(pair, grounds, hosted), mask_deg=network_mask_deg),
        window_h=window_h,
        range_interval_s=range_interval_s,
        clock_known=clock_known,
    )
    sides = (pair, pair[::-1])
    rows = [row for side in sides for table in compared for row in _signal_rows(table, side, scenarios[-1])]
    rows += [row for side in sides for row in _station_rows(networks, side, hosted[side[0]], float(network_mask_deg))]
    table = pd.DataFrame(rows)
    table.attrs = {
        **networks.attrs,
        "systems": list(pair),
        "sites": list(users.names),
        "masks_deg": masks,
        "limit": float(limit),
        "clocks": clocks,
        "homes": {letter: list(grounds.network(letter).names) for letter in pair},
        "hosted": {letter: list(stations.names) for letter, stations in hosted.items()},
        "hosted_at": {letter: _whereabouts(stations) for letter, stations in hosted.items()},
    }
    return table


def pair_of(systems: str | Sequence[str]) -> tuple[str, str]:
    """Return the letters of the two sides.

    Raises
    ------
    ScenarioError
        If it is not two single systems.

    Examples
    --------
    >>> pair_of("C,R")
    ('C', 'R')
    """
    letters = [str(scenario) for scenario in parse_scenarios(systems)]
    if len(letters) != 2 or any("+" in letter for letter in letters):
        raise ScenarioError(f"A ledger has two sides: name two systems, such as R,C, not {','.join(letters)}.")
    return letters[0], letters[1]


def hosted_stations(pair: tuple[str, str], homes: Networks) -> dict[str, Network]:
    """Return for each side the stations of the other one's home that are not its own.

    Raises
    ------
    ScenarioError
        If the home network of a system is not known.
    StationError
        If a side would get no station.
    """
    for letter in pair:
        if letter not in homes.names:
            raise ScenarioError(
                f"The home network of {SYSTEMS[letter].name} is not known: name one under its letter for each of "
                f"{' and '.join(pair)}, such as {letter}=Irkutsk+Obninsk."
            )
    hosted = {}
    for own, other in (pair, pair[::-1]):
        known = homes.network(own).names
        guests = tuple(station for station in homes.network(other) if station.name not in known)
        if not guests:
            raise StationError(
                f"{SYSTEMS[other].name} has no station at home that {SYSTEMS[own].name} does not have too, so there "
                "is nothing to host; give home networks that differ."
            )
        hosted[own] = Network(f"hosted for {own}", guests)
    return hosted


def _whereabouts(hosted: Network) -> str:
    """Say where stations are: in a country where they are all of its shipped network, else their names."""
    for name in HOME.values():
        if set(select(name).names) == set(hosted.names):
            return f"in {name.title()}"
    return f"at {' and '.join(hosted.names)}"


def _of_pair(sky: xr.Dataset, pair: tuple[str, str]) -> xr.Dataset:
    """Return the satellites of the two systems; neither may be without any."""
    letters = sky["sv"].values.astype("U1")
    known: npt.NDArray[np.bool_] = np.asarray(np.isfinite(positions_m(sky)).all(axis=2).any(axis=0))
    for letter in pair:
        if not known[letters == letter].any():
            raise EphemerisGapError(
                f"no satellite of {SYSTEMS[letter].name} has a usable ephemeris at any of the epochs, and a ledger has "
                f"two sides; give files that hold {' and '.join(SYSTEMS[name].name for name in pair)}"
            )
    return sky.isel(sv=np.flatnonzero(np.isin(letters, pair)))


def _pooled(dop: xr.Dataset) -> xr.Dataset:
    """Return the epochs of all stations as those of one place."""
    import xarray as xr

    ordered = dop.transpose("systems", "mask_deg", "station", "time")
    dims = ("systems", "mask_deg", "station", "time")
    shape = (dop.sizes["systems"], dop.sizes["mask_deg"], 1, -1)
    return xr.Dataset(
        {name: (dims, values.values.reshape(shape)) for name, values in ordered.data_vars.items()},
        coords={
            "systems": dop["systems"].values,
            "mask_deg": dop["mask_deg"].values,
            "station": [ALL_SITES],
            "time": np.tile(dop["time"].values, dop.sizes["station"]),
        },
        attrs=dop.attrs,
    )


def _networks(pair: tuple[str, str], homes: Networks, hosted: dict[str, Network]) -> dict[str, Selection]:
    """Return the home networks, the joint one, and the joint one without each station that is hosted."""
    joint = select([homes.network(letter) for letter in pair])
    networks: dict[str, Selection] = {_home(letter): homes.network(letter) for letter in pair}
    networks[_JOINT] = joint
    for guest in dict.fromkeys(name for stations in hosted.values() for name in stations.names):
        networks[_without(guest)] = [station for station in joint if station.name != guest]
    return networks


def _home(letter: str) -> str:
    return f"home of {letter}"


def _without(station: str) -> str:
    return f"{_JOINT} without {station}"


def _signal_rows(table: pd.DataFrame, side: tuple[str, str], joint: str) -> Iterator[dict[str, Any]]:
    records = {(row["station"], row["mask_deg"], row["systems"]): row for row in table.to_dict("records")}
    for (place, mask, systems), alone in records.items():
        if systems == side[0]:
            key = {"place": place, "orbit": "", "mask_deg": mask, "compared": f"{systems} -> {joint}"}
            yield from _entries(SIGNALS, side, key, alone, records[place, mask, joint])


def _station_rows(
    table: pd.DataFrame, side: tuple[str, str], hosted: Network, mask_deg: float
) -> Iterator[dict[str, Any]]:
    own = table[table["system"] == side[0]]
    records = {(row["orbit"], row["network"]): row for row in own.to_dict("records")}
    steps = {ALL_HOSTED: _home(side[0])} | {name: _without(name) for name in hosted.names}
    for place, standalone in steps.items():
        for orbit in own["orbit"].unique().tolist():
            key = {"place": place, "orbit": orbit, "mask_deg": mask_deg, "compared": f"{standalone} -> {_JOINT}"}
            yield from _entries(HOSTING, side, key, records[orbit, standalone], records[orbit, _JOINT])


def _entries(
    kind: str, side: tuple[str, str], key: dict[str, Any], alone: dict[Any, Any], both: dict[Any, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a row a quantity of one comparison."""
    beneficiary, provider = side
    for name, quantity in QUANTITIES[kind].items():
        standalone, joint = float(alone[quantity.column]), float(both[quantity.column])
        finite = math.isfinite(standalone) and math.isfinite(joint)
        yield {
            "direction": f"{beneficiary}-from-{provider}-{kind}",
            "kind": kind,
            "beneficiary": beneficiary,
            "provider": provider,
            **{word: key[word] for word in ("place", "orbit", "mask_deg")},
            "quantity": name,
            "unit": quantity.unit,
            "compared": key["compared"],
            "standalone": standalone,
            "joint": joint,
            "difference": joint - standalone if finite else math.nan,
            "better": quantity.better(standalone, joint),
        }
