"""Where the receiver really stands: what fixes are held against."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.formats.sinex import read_sinex_position
from gnss_coop.model import frames

if TYPE_CHECKING:
    from gnss_coop.model.observations import Observations

Floats = npt.NDArray[np.float64]

MEDIAN, HEADER, STATION, SINEX = "median", "header", "station", "sinex"
#: Truths that can be asked for; `auto` is the station where one is given, else the median.
TRUTHS: Final = ("auto", STATION, HEADER, MEDIAN)


@dataclass(frozen=True, slots=True)
class Truth:
    """A position of the antenna.

    Attributes
    ----------
    kind : str
        station, sinex, header or median.
    antenna_m : tuple of 3 float
        Earth-fixed [m].
    words : str
        What it is, for readers.
    """

    kind: str
    antenna_m: tuple[float, float, float]
    words: str


def header_antenna_m(obs: Observations) -> Floats | None:
    """Return the antenna by the header: marker, and height, east and north of the antenna above it [m]."""
    header = next((h for h in obs.headers if h.position_m is not None), None)
    if header is None or header.position_m is None:
        return None
    marker_m = np.array(header.position_m)
    return _antenna_m(marker_m, obs) if 1e6 < np.linalg.norm(marker_m) < 1e8 else None


def sinex_truth(path: str | PathLike[str], obs: Observations) -> Truth:
    """Return the antenna by a SINEX file, with the antenna's height above the marker from the observations' header.

    Raises
    ------
    RinexError
        If the file is no SINEX file, or does not hold the marker of the observations.
    """
    found = read_sinex_position(path, obs.marker)
    x, y, z = _antenna_m(np.array(found.position_m), obs).tolist()
    return Truth(SINEX, (x, y, z), f"{found.marker} in {found.path}, epoch {found.epoch}")


def _antenna_m(marker_m: Floats, obs: Observations) -> Floats:
    up_m, east_m, north_m = next((h.antenna_delta_m for h in obs.headers), (0.0, 0.0, 0.0))
    return np.asarray(marker_m + np.array([east_m, north_m, up_m]) @ local_axes(marker_m))


def local_axes(place_m: Floats) -> Floats:
    """Return east, north and up of a place as rows."""
    latitude_deg, longitude_deg, _ = frames.ecef_to_geodetic(place_m)
    return frames.enu_basis(np.radians(latitude_deg), np.radians(longitude_deg))
