"""The study file: what a batch is asked for, checked as a whole."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from gnss_coop.batch.request import Request
from gnss_coop.batch.settings import Settings, in_one_order
from gnss_coop.batch.work.products import PRODUCTS
from gnss_coop.constants import DEFAULT_STEP_S
from gnss_coop.errors import GnssCoopError, StudyError
from gnss_coop.geometry.visibility import mask_radians
from gnss_coop.maps.job import check_settings
from gnss_coop.model.grid import GeoGrid
from gnss_coop.model.network import Network, stations
from gnss_coop.model.scenario import Scenario
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.networks.networks import DEFAULT_NETWORKS, Networks

T = TypeVar("T")
_PLAIN_WORDS: Final = {"missing": "is missing", "extra_forbidden": "is not a key of a study"}
_WORLD: Final = (-90.0, 90.0, -180.0, 180.0)
#: Steps below this would make tables that nothing can use [s].
_LEAST_STEP_S: Final = 1.0


def _listed(value: Any) -> Any:
    """Take a text with commas for a list, as on the command line, and a single number for a list of one."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return [value] if isinstance(value, int | float) else value


def _whole_day(value: Any) -> Any:
    """Take a day as TOML or text has it."""
    if isinstance(value, datetime):
        raise ValueError("must be a day, such as 2024-01-10, without a time of day")
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(value).isoformat() if value else ""
    except (TypeError, ValueError):
        raise ValueError(f"must be a day, such as 2024-01-10, not {value!r}") from None


Words = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Numbers = Annotated[tuple[float, ...], BeforeValidator(_listed)]
Day = Annotated[str, BeforeValidator(_whole_day)]
Step = Annotated[float, Field(ge=_LEAST_STEP_S, le=86_400)]


def _dashed(name: str) -> str:
    return name.replace("_", "-")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, alias_generator=_dashed)


class MapStudy(_Table):
    """Table ``[map]``: grid and region, step in time [s], percentiles."""

    grid: float = 1.0
    region: Annotated[tuple[float, float, float, float], BeforeValidator(_listed)] = _WORLD
    step: Step = DEFAULT_STEP_S
    percentiles: Numbers = (95.0,)

    @field_validator("percentiles")
    @classmethod
    def _are_shares(cls, percentiles: tuple[float, ...]) -> tuple[float, ...]:
        return _checked(percentiles, lambda: check_settings(["R"], 5.0, "per-system", 6.0, percentiles))


class Study(_Table):
    """What a study file may hold.

    Attributes
    ----------
    inputs : tuple of str
        Files, folders, globs, lists (``@FILE``).
    output : str
        The archive.
    products : tuple of str
    systems, clocks, stations, networks, exclude_sv : tuple of str
    mask : tuple of float
        Elevation masks [deg].
    max_pdop, step : float
        Limit of availability; seconds between epochs.
    max_age : float or dict, optional
        Limit of the age of ephemerides [s], for all systems or by letter.
    accept_truncated : bool
    start, end : str
        First day, and the day after the last; empty for no bound.
    map : MapStudy
    """

    inputs: Words = ()
    output: str = ""
    products: Words = ("compare", "passes")
    systems: Words = ("R", "C", "R+C")
    clocks: Words = ("per-system",)
    mask: Numbers = (5.0, 15.0, 25.0)
    stations: Words = ("joint",)
    networks: Words = DEFAULT_NETWORKS
    max_pdop: Annotated[float, Field(gt=0)] = 6.0
    step: Step = DEFAULT_STEP_S
    exclude_sv: Words = ()
    max_age: float | dict[str, float] | None = None
    accept_truncated: bool = False
    start: Day = ""
    end: Day = ""
    map: MapStudy = MapStudy()

    @field_validator("products", "systems", "clocks", "mask", "stations", "networks")
    @classmethod
    def _not_empty(cls, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if not values:
            raise ValueError("must not be empty")
        return values

    @field_validator("products")
    @classmethod
    def _are_products(cls, products: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in products if name not in PRODUCTS]:
            raise ValueError(f"knows no {', '.join(unknown)}; there are {', '.join(PRODUCTS)}")
        return products

    @field_validator("systems")
    @classmethod
    def _are_scenarios(cls, systems: tuple[str, ...]) -> tuple[str, ...]:
        return _checked(systems, lambda: in_one_order(systems))

    @field_validator("clocks")
    @classmethod
    def _are_clocks(cls, clocks: tuple[str, ...]) -> tuple[str, ...]:
        return _checked(clocks, lambda: [Scenario.parse("R", text) for text in clocks])

    @field_validator("mask")
    @classmethod
    def _are_masks(cls, mask: tuple[float, ...]) -> tuple[float, ...]:
        return _checked(mask, lambda: mask_radians(mask))

    @field_validator("stations")
    @classmethod
    def _are_stations(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _checked(names, lambda: stations(list(names)))

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return _checked(names, lambda: Networks.of(names))

    @field_validator("exclude_sv")
    @classmethod
    def _are_satellites(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if len(name) != 3 or name[0] not in SYSTEMS or not name[1:].isdigit():
                raise ValueError(f"{name!r} is not a satellite name such as R06 or C20")
        return names

    @field_validator("max_age")
    @classmethod
    def _are_ages(cls, max_age: float | dict[str, float] | None) -> float | dict[str, float] | None:
        limits = max_age if isinstance(max_age, dict) else {"": max_age or 0.0}
        if unknown := [letter for letter in limits if letter and letter not in SYSTEMS]:
            raise ValueError(f"knows no system {', '.join(unknown)}; there are {', '.join(SYSTEMS)}")
        if not all(0 <= limit <= 30 * 86_400 for limit in limits.values()):
            raise ValueError("must be from 0 s to 30 days")
        return max_age

    @field_validator("map")
    @classmethod
    def _is_grid(cls, found: MapStudy) -> MapStudy:
        return _checked(found, lambda: GeoGrid(found.grid, found.region))

    @property
    def network(self) -> Network:
        """The stations."""
        return stations(list(self.stations))

    @property
    def settings(self) -> Settings:
        """What figures depend on."""
        age = tuple(self.max_age.items()) if isinstance(self.max_age, dict) else self.max_age
        return Settings(
            self.systems, self.clocks, self.mask, self.network, self.max_pdop, self.step, self.exclude_sv, age,
            self.map.grid, self.map.region, self.map.step, (50.0, *self.map.percentiles, 100.0),
            Networks.of(self.networks),
        )  # fmt: skip

    def request(self, *, force: bool = False, recheck: bool = False, metrics: str | None = None) -> Request:
        """Return what a run is asked for.

        Raises
        ------
        StudyError
            If there are no inputs or no output, or the last day lies before the first.
        """
        faults = [] if self.inputs else ["inputs: is missing: name files, folders or globs"]
        faults += [] if self.output else ["output: is missing: name a folder for the results"]
        faults += ["end: must lie after start"] if self.start and self.end and self.end <= self.start else []
        if faults:
            raise StudyError("\n".join(faults))
        return Request(
            self.inputs, Path(self.output), tuple(dict.fromkeys(self.products)), self.settings, self.start, self.end,
            self.accept_truncated, force, recheck, self.model_dump(mode="json", by_alias=True),
            None if metrics is None else Path(metrics),
        )  # fmt: skip


def _checked(value: T, check: Callable[[], object]) -> T:
    """Return the value if the check passes; tell its error the way in which pydantic gathers errors."""
    try:
        check()
    except GnssCoopError as error:
        raise ValueError(str(error)) from None
    return value


def read_study(path: str | os.PathLike[str] | None, overrides: Mapping[str, Any]) -> Study:
    """Read a study file, and check it together with what overrides it.

    Parameters
    ----------
    path : path or None
        TOML file; relative paths in it start at its folder. None: there are only overrides and defaults.
    overrides : mapping
        Keys of the file with values that count instead; ``map`` is a mapping of its own.

    Returns
    -------
    Study

    Raises
    ------
    StudyError
        If the file cannot be read or something is wrong; all faults are listed, one a line.

    Examples
    --------
    >>> read_study(None, {"mask": "5,25", "systems": "C+R,R"}).settings.systems
    ('R', 'R+C')
    """
    values = {} if path is None else _from_file(Path(path))
    of_map = {**values.get("map", {}), **overrides.get("map", {})} if isinstance(values.get("map", {}), dict) else None
    values = {**values, **overrides} | ({"map": of_map} if of_map else {})
    try:
        return Study(**values)
    except ValidationError as error:
        raise StudyError("\n".join(_faults(error, "" if path is None else f"{os.fspath(path)}: "))) from None


def _from_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise StudyError(f"{path}: is not valid TOML: {error}") from None
    folder = path.parent
    for name, beside in (("inputs", _beside), ("stations", _stations_beside), ("networks", _network_beside)):
        if isinstance(values.get(name), str | list):
            values[name] = [beside(folder, word) for word in _listed(values[name])]
    if isinstance(values.get("output"), str) and values["output"]:
        values["output"] = str(folder / values["output"])
    return values


def _beside(folder: Path, word: Any) -> Any:
    """Return a path that starts at the folder of the study; what is no path stays."""
    if not isinstance(word, str) or word == "-":
        return word
    return f"@{folder / word[1:]}" if word.startswith("@") else str(folder / word)


def _stations_beside(folder: Path, word: Any) -> Any:
    is_path = isinstance(word, str) and (word.endswith(".toml") or "/" in word or os.sep in word)
    return _beside(folder, word) if is_path else word


def _network_beside(folder: Path, word: Any) -> Any:
    """Do the same for the members of a network, ``name=Irkutsk+mine.toml``."""
    name, equals, members = word.partition("=") if isinstance(word, str) else (word, "", "")
    if not equals:
        return _stations_beside(folder, word)
    return f"{name}={'+'.join(_stations_beside(folder, member.strip()) for member in members.split('+'))}"


def _faults(error: ValidationError, where: str) -> list[str]:
    faults = []
    for detail in error.errors(include_url=False):
        place = ".".join(str(part) for part in detail["loc"])
        words = _PLAIN_WORDS.get(detail["type"], detail["msg"].removeprefix("Value error, "))
        faults.append(f"{where}{place}: {words}")
    return faults
