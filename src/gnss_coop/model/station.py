"""A ground station, and the TOML file that describes it."""

from __future__ import annotations

import os
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from gnss_coop.errors import StationError
from gnss_coop.model.frames import ecef_to_geodetic, enu_basis, geodetic_to_ecef
from gnss_coop.model.horizon import HorizonMask, horizon_faults
from gnss_coop.model.text import name_faults

FloatArray = NDArray[np.float64]

_MAX_BYTES: Final = 1_000_000
# Distance from the Earth's centre at which an antenna can stand on the ground.
_MIN_RADIUS_M, _MAX_RADIUS_M = 6.3e6, 6.409e6
_PLAIN_WORDS: Final = {"missing": "is missing", "extra_forbidden": "is not a field of a station"}
_PATTERN_WORDS: Final = {
    "name": "must not be empty or hold a comma",
    "country": "must be two capital letters, as in ISO 3166-1",
    "networks": "must be words without commas or spaces",
    "marker": "must be 4 or 9 capital letters and digits",
    "domes": "must look like 12345M001",
}
_ONE_POSITION: Final = "ecef_m: give exactly one of ecef_m and geodetic"


class Geodetic(BaseModel):
    """Geodetic coordinates on the WGS84 ellipsoid: degrees and metres above the ellipsoid."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    longitude_deg: Annotated[float, Field(ge=-180, le=360)]
    height_m: Annotated[float, Field(ge=-1000, le=9000)]


class Station(BaseModel):
    """A ground station; every field may stand in a station file.

    Attributes
    ----------
    name : str
        Name in English; `name_ru` and `name_zh` in Russian and Chinese.
    country : str
        Two letters, ISO 3166-1.
    networks : tuple of str
        Networks that it belongs to, in lower case.
    marker, domes : str
        IGS marker (4 or 9 characters) and DOMES number.
    ecef_m : tuple of 3 float
        Marker, Earth-centred, Earth-fixed [m], with its `frame` and `epoch`; or else
    geodetic : Geodetic
        the same on the WGS84 ellipsoid.
    antenna_height_m : float
        Antenna above the marker, along the ellipsoid's normal [m].
    horizon : tuple of (azimuth_deg, elevation_deg)
        Corners of the horizon; see `HorizonMask`.
    source : str
        Where the coordinates come from.

    Raises
    ------
    StationError
        When fields are missing, unknown or out of range, or when a text holds control characters or begins as a
        formula of a spreadsheet does; all faults are listed.

    Example
    -------
    >>> place = Geodetic(latitude_deg=55.0, longitude_deg=37.0, height_m=200.0)
    >>> station = Station(name="Here", geodetic=place, antenna_height_m=1.5)
    >>> round(station.height_m, 6)
    201.5
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)

    name: Annotated[str, Field(pattern=r"^[^,]+$")]  # the comma separates names in a selection
    name_ru: str = ""
    name_zh: str = ""
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    networks: tuple[Annotated[str, Field(pattern=r"^[^,\s]+$")], ...] = ()
    marker: Annotated[str, Field(pattern=r"^([A-Z0-9]{4}([A-Z0-9]{5})?)?$")] = ""
    domes: Annotated[str, Field(pattern=r"^(\d{5}[MS]\d{3})?$")] = ""
    ecef_m: tuple[float, float, float] | None = None
    frame: str = ""
    epoch: date | None = None
    geodetic: Geodetic | None = None
    antenna_height_m: Annotated[float, Field(ge=0, le=100)] = 0.0
    horizon: tuple[tuple[float, float], ...] = ()
    source: str = ""

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise StationError("\n".join(_faults(error, fields))) from None

    @field_validator("networks")
    @classmethod
    def _lower(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        if faults := next(filter(None, map(name_faults, networks)), ""):
            raise ValueError(faults)
        return tuple(network.lower() for network in networks)

    @field_validator("name", "name_ru", "name_zh", "frame", "source")
    @classmethod
    def _text(cls, text: str) -> str:
        if faults := name_faults(text):
            raise ValueError(faults)
        return text

    @field_validator("ecef_m")
    @classmethod
    def _on_the_ground(cls, ecef_m: tuple[float, float, float] | None) -> tuple[float, float, float] | None:
        if ecef_m is not None:
            radius_m = float(np.linalg.norm(ecef_m))
            if not _MIN_RADIUS_M <= radius_m <= _MAX_RADIUS_M:
                raise ValueError(
                    f"lies {radius_m / 1000:.1f} km from the Earth's centre and not on the ground; "
                    "give x, y, z in metres"
                )
        return ecef_m

    @field_validator("horizon")
    @classmethod
    def _closed(cls, horizon: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        faults = horizon_faults(horizon)
        if faults:
            raise ValueError("; ".join(faults))
        return horizon

    @model_validator(mode="after")
    def _one_position(self) -> Station:
        if (self.ecef_m is None) == (self.geodetic is None):
            raise ValueError(_ONE_POSITION)
        return self

    @property
    def xyz_m(self) -> FloatArray:
        """Antenna, Earth-centred, Earth-fixed [m], shape (3,)."""
        if self.ecef_m is not None:
            marker_m = np.array(self.ecef_m)
        else:
            assert self.geodetic is not None  # exactly one is given
            place = self.geodetic
            marker_m = geodetic_to_ecef(place.latitude_deg, place.longitude_deg, place.height_m)
        latitude_deg, longitude_deg, _ = ecef_to_geodetic(marker_m)
        up = enu_basis(np.radians(latitude_deg), np.radians(longitude_deg))[2]
        return np.asarray(marker_m + self.antenna_height_m * up)

    @property
    def latitude_deg(self) -> float:
        """Geodetic latitude [deg]."""
        return float(ecef_to_geodetic(self.xyz_m)[0])

    @property
    def longitude_deg(self) -> float:
        """Longitude, -180 to 180 [deg]."""
        return float(ecef_to_geodetic(self.xyz_m)[1])

    @property
    def height_m(self) -> float:
        """Height of the antenna above the WGS84 ellipsoid [m]."""
        return float(ecef_to_geodetic(self.xyz_m)[2])

    @property
    def horizon_mask(self) -> HorizonMask:
        """The horizon, open in all directions where none is given."""
        return HorizonMask(self.horizon)


def _faults(error: ValidationError, fields: dict[str, Any]) -> list[str]:
    """All that is wrong with the fields of a station, each as ``field: what``."""
    faults = []
    for detail in error.errors(include_url=False):
        place = ".".join(str(part) for part in detail["loc"])
        words = _PLAIN_WORDS.get(detail["type"], detail["msg"].removeprefix("Value error, "))
        if detail["type"] == "string_pattern_mismatch":
            words = _PATTERN_WORDS[str(detail["loc"][0])]
        faults.append(f"{place}: {words}" if place else words)
    # pydantic compares fields with each other only once each is right by itself.
    if ((fields.get("ecef_m") is None) == (fields.get("geodetic") is None)) and _ONE_POSITION not in faults:
        faults.append(_ONE_POSITION)
    return faults


def read_station(path: str | os.PathLike[str]) -> Station:
    """Read one station file.

    Parameters
    ----------
    path : str or path-like
        A TOML file; its fields are those of `Station`.

    Returns
    -------
    Station
        The station.

    Raises
    ------
    StationError
        When the file cannot be read or has faults; all of them are listed, each as ``file: field: what``.

    Example
    -------
    >>> read_station("nowhere.toml")
    Traceback (most recent call last):
    gnss_coop.errors.StationError: nowhere.toml: cannot be read (No such file or directory)
    """
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)  # a device or a film is not a station file
        if len(data) > _MAX_BYTES:
            raise StationError(f"{os.fspath(path)}: holds more than {_MAX_BYTES} bytes and is not a station file")
        fields = tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise StationError(f"{os.fspath(path)}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise StationError(f"{os.fspath(path)}: is not text in UTF-8; save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise StationError(f"{os.fspath(path)}: is not valid TOML: {error}") from None
    except (RecursionError, ValueError) as error:  # arrays within arrays, dates and whole numbers without measure
        raise StationError(f"{os.fspath(path)}: cannot be read as TOML: {error}") from None
    try:
        return Station(**fields)
    except StationError as error:
        raise StationError("\n".join(f"{os.fspath(path)}: {line}" for line in str(error).splitlines())) from None
