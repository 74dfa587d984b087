"""Several ground networks under their names, over one list of stations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import StationError
from gnss_coop.model.network import Network, Station, stations

if TYPE_CHECKING:
    from gnss_coop.model.network import Selection

#: Network at home of each system whose operator is known to share stations.
HOME: Final = {"R": "russia", "C": "china"}
#: What is compared where nothing is asked for: each country's stations, and both.
DEFAULT_NETWORKS: Final = ("russia", "china", "joint")
_MAX_STATIONS: Final = 64

NetworksLike: TypeAlias = (
    "str | Network | Station | Sequence[str | Network | Station] | Mapping[str, Selection] | Networks"
)


@dataclass(frozen=True)
class Networks:
    """Networks over one list of stations.

    Attributes
    ----------
    names : tuple of str
        Names of the networks, in order.
    stations : Network
        Every station of any of them, once.
    members : (network, station) bool
        Which stations belong to which network.

    Examples
    --------
    >>> networks = Networks.of(["russia", "joint"])
    >>> networks.members.sum(axis=1).tolist(), len(networks.stations)
    ([3, 6], 6)
    >>> Networks.of("east=Irkutsk+Changchun").stations.names
    ('Irkutsk', 'Changchun')
    """

    names: tuple[str, ...]
    stations: Network
    members: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, networks: NetworksLike = DEFAULT_NETWORKS) -> Networks:
        """Resolve networks.

        Parameters
        ----------
        networks : str, Network, Station, sequence of those, or mapping of str to a selection of stations
            A string holds names with commas between: of networks or stations (``russia,Irkutsk``), or of
            one's own with their members (``east=Irkutsk+Changchun``). A mapping gives any selection a name.

        Raises
        ------
        StationError
            For an unknown name, a name given twice, different stations with one name, or too many stations.
        """
        if isinstance(networks, Networks):
            return networks
        parts = _from_mapping(networks) if isinstance(networks, Mapping) else _from_items(networks)
        names = [name for name, _ in parts]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise StationError(f"The network {doubled[0]} is given twice; name each once.")
        everyone = stations([network for _, network in parts])
        if len(everyone) > _MAX_STATIONS:
            raise StationError(f"The networks have {len(everyone)} stations; at most {_MAX_STATIONS} can be compared.")
        members = np.array([[name in network.names for name in everyone.names] for _, network in parts])
        return cls(tuple(names), Network(" and ".join(names), everyone.stations), members)

    def __len__(self) -> int:
        return len(self.names)

    def network(self, name: str) -> Network:
        """Return one of the networks by its name."""
        row = self.members[self.names.index(name)]
        return Network(name, tuple(s for s, is_member in zip(self.stations, row, strict=True) if is_member))

    def country_groups(self) -> dict[str, list[Station]]:
        """Return the stations by country, in the order in which the countries appear."""
        groups: dict[str, list[Station]] = {}
        for station in self.stations:
            groups.setdefault(station.country or "unknown", []).append(station)
        return groups


def _from_mapping(networks: Mapping[str, Selection]) -> list[tuple[str, Network]]:
    if not networks:
        raise StationError("No network is given; name at least one, such as joint.")
    return [(name, stations(selection)) for name, selection in networks.items()]


def _from_items(networks: str | Network | Station | Sequence[str | Network | Station]) -> list[tuple[str, Network]]:
    # A Network is a sequence of stations, which as one network is what its owner means.
    if isinstance(networks, str):
        items: list[str | Network | Station] = [word for word in networks.split(",") if word.strip()]
    else:
        items = [networks] if isinstance(networks, Network | Station) else list(networks)
    if not items:
        raise StationError("No network is given; name at least one, such as joint.")
    return [_named(item) for item in items]


def _named(item: str | Network | Station) -> tuple[str, Network]:
    word = item.strip() if isinstance(item, str) else ""
    name, equals, members = word.partition("=")
    if not equals:
        network = stations(word or item)
        return network.name, network
    if not name.strip() or not members.strip():
        raise StationError(f"{word!r} is not a network; write a name and its stations, such as east=Irkutsk+Changchun.")
    return name.strip(), stations([member.strip() for member in members.split("+")])
