"""Networks of ground stations, and how users choose them."""

from __future__ import annotations

import difflib
import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from gnss_coop.errors import StationError
from gnss_coop.model.frames import ecef_to_geodetic
from gnss_coop.model.horizon import HorizonMask
from gnss_coop.model.station import Geodetic, Station, read_station

__all__ = ["Geodetic", "HorizonMask", "Network", "Selection", "Station", "read_station", "stations"]

FloatArray = NDArray[np.float64]

# The shipped files in the order in which tables list them: hosted in China, then in Russia.
_ORDER: Final = ("changchun", "urumqi", "shanghai", "obninsk", "irkutsk", "petropavlovsk-kamchatsky")


@dataclass(frozen=True, repr=False)
class Network(Sequence[Station]):
    """An immutable sequence of stations under a name.

    Attributes
    ----------
    name : str
        Name of the network, or the names of the stations.
    stations : tuple of Station
        The stations in their order.

    Example
    -------
    >>> stations("china").names
    ('Changchun', 'Urumqi', 'Shanghai')
    """

    name: str
    stations: tuple[Station, ...]

    @overload
    def __getitem__(self, index: int) -> Station: ...
    @overload
    def __getitem__(self, index: slice) -> Network: ...
    def __getitem__(self, index: int | slice) -> Station | Network:
        if isinstance(index, slice):
            chosen = self.stations[index]
            return Network(", ".join(station.name for station in chosen), chosen)
        return self.stations[index]

    def __len__(self) -> int:
        return len(self.stations)

    def __iter__(self) -> Iterator[Station]:
        return iter(self.stations)

    def __repr__(self) -> str:
        return f"Network({self.name!r}: {', '.join(self.names)})"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stations."""
        return tuple(station.name for station in self.stations)

    @property
    def xyz_m(self) -> FloatArray:
        """Antennas, Earth-centred, Earth-fixed [m], shape (n, 3)."""
        return np.array([station.xyz_m for station in self.stations]).reshape(-1, 3)

    @property
    def latitude_deg(self) -> FloatArray:
        """Geodetic latitudes [deg], shape (n,)."""
        return ecef_to_geodetic(self.xyz_m)[0]

    @property
    def longitude_deg(self) -> FloatArray:
        """Longitudes, -180 to 180 [deg], shape (n,)."""
        return ecef_to_geodetic(self.xyz_m)[1]

    @property
    def height_m(self) -> FloatArray:
        """Heights of the antennas above the WGS84 ellipsoid [m], shape (n,)."""
        return ecef_to_geodetic(self.xyz_m)[2]


_Choice: TypeAlias = str | os.PathLike[str] | Station | Network
Selection: TypeAlias = _Choice | Iterable[_Choice]
"""What `stations` takes."""


def _read_folder(folder: Path) -> tuple[Station, ...]:
    """All stations of a folder: the shipped ones in their order, then the others by file name."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise StationError(f"{folder}: has no station files (*.toml); give a folder that has some")
    rank = {stem: position for position, stem in enumerate(_ORDER)}
    found, faults = [], []
    for file in sorted(files, key=lambda file: rank.get(file.stem, len(rank))):
        try:
            found.append(read_station(file))
        except StationError as error:
            faults.append(str(error))
    if faults:
        raise StationError("\n".join(faults))
    return tuple(found)


@functools.cache
def _shipped() -> tuple[Station, ...]:
    with as_file(files("gnss_coop") / "_stations") as folder:
        if not folder.is_dir():
            raise StationError("the station files of gnss-coop are missing; install it again")
        return _read_folder(folder)


def _key(text: str) -> str:
    """Names are compared without regard to case, spaces and hyphens."""
    return "".join(character for character in text.casefold() if character.isalnum())


@functools.cache
def _index() -> dict[str, tuple[Station, ...]]:
    """Shipped stations by the key of a name in any language, a marker or a network."""
    index: dict[str, tuple[Station, ...]] = {"all": _shipped()}
    for station in _shipped():
        for network in station.networks:
            index[_key(network)] = (*index.get(_key(network), ()), station)
        for name in (station.name, station.name_ru, station.name_zh, station.marker):
            if name:
                index[_key(name)] = (station,)
    return index


def _unknown(word: str) -> StationError:
    names = [station.name for station in _shipped()]
    networks = sorted({network for station in _shipped() for network in station.networks} | {"all"})
    known = {_key(text): text for text in (*networks, *names, *(station.marker for station in _shipped()))}
    close = difflib.get_close_matches(_key(word), known, n=1)
    hint = f" Did you mean {known[close[0]]}?" if close else ""
    return StationError(
        f"There is no station or network {word!r}.{hint} Stations: {', '.join(names)}. "
        f"Networks: {', '.join(networks)}. A path to a .toml file or a folder of them will do too."
    )


def _from_path(path: Path) -> Network:
    found = _read_folder(path) if path.is_dir() else (read_station(path),)
    return Network(path.name if path.is_dir() else found[0].name, found)


def _from_text(text: str) -> list[Network]:
    """Networks, names and paths of a text in which commas separate them."""
    path = Path(text)
    if "," in text and not path.exists():
        return [network for word in text.split(",") if word.strip() for network in _from_text(word.strip())]
    if text.lower().endswith(".toml") or "/" in text or os.sep in text:
        return [_from_path(path)]
    if found := _index().get(_key(text)):
        return [Network(text.strip().lower() if len(found) > 1 else found[0].name, found)]
    if text and path.is_dir():
        return [_from_path(path)]
    raise _unknown(text)


def stations(selection: Selection = "joint") -> Network:
    """Choose stations.

    Parameters
    ----------
    selection : str, path, Station, Network, or a list of those
        A name (English, Russian or Chinese), a marker, a network (``china``, ``russia``, ``joint``, ``all``),
        several of them with commas between, or the path of a station file or of a folder of them. Case,
        spaces and hyphens in names do not matter, and a known name goes before a folder called the same.

    Returns
    -------
    Network
        Each station once, in the order of the selection.

    Raises
    ------
    StationError
        When a name is unknown, a file has faults, or two different stations have the same name.

    Example
    -------
    >>> stations("joint").names
    ('Changchun', 'Urumqi', 'Shanghai', 'Obninsk', 'Irkutsk', 'Petropavlovsk-Kamchatsky')
    >>> len(stations(["URUM", "russia"]))
    4
    """
    parts: list[Network] = []
    for item in [selection] if isinstance(selection, str | os.PathLike | Station | Network) else selection:
        if isinstance(item, Network):
            parts.append(item)
        elif isinstance(item, Station):
            parts.append(Network(item.name, (item,)))
        elif isinstance(item, str):
            parts.extend(_from_text(item))
        else:
            parts.append(_from_path(Path(item)))
    chosen: dict[str, Station] = {}
    for station in (station for part in parts for station in part):
        if chosen.setdefault(_key(station.name), station) != station:
            raise StationError(f"Two different stations are called {station.name}; rename one of them.")
    if not chosen:
        raise StationError("The selection is empty; name at least one station or network.")
    name = parts[0].name if len(parts) == 1 else ", ".join(station.name for station in chosen.values())
    return Network(name, tuple(chosen.values()))
