"""The products that a batch can make of a day: a table, so that one more is one more row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product as combinations
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.batch.schema import COLUMNS
from gnss_coop.batch.settings import Keys, Part, Settings

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.batch.work.day import Day

_POSITIONS: Final = ("systems", "step_s", "exclude_sv", "max_age_s", "stations")


_SIGMA_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    Attributes
    ----------
    name : str
        Also that of its folder.
    compute : callable
        Makes the table, or the map, of a day's part.
    settings : tuple of str
        What of `Settings` the figures depend on, besides mask and clocks where the product is divided by them.
    columns : dict of str to str
        Columns of the table and their types in SQL, in order; empty for a map.
    order : tuple of str
        Columns that rows are sorted by; together they tell rows apart.
    divided_by : tuple of str
        Settings of which each value makes a part of its own: ``mask_deg``, ``clocks``.
    suffix : str
        Of its files.
    revision : int
        To be raised when figures change.
    """

    name: str
    compute: Callable[[Day, Part], Any]
    settings: tuple[str, ...]
    columns: Mapping[str, str]
    order: tuple[str, ...]
    divided_by: tuple[str, ...] = ("mask_deg", "clocks")
    suffix: str = ".parquet"
    revision: int = 1

    def parts(self, settings: Settings) -> list[Part]:
        """Return the parts that the settings ask for."""
        values = [getattr(settings, name) for name in self.divided_by]
        return [Part(self.name, **dict(zip(self.divided_by, v, strict=True))) for v in combinations(*values)]

    def keys(self, settings: Settings) -> Keys:
        """Return what makes the keys of its parts."""
        return Keys(self.name, self.revision, settings.plain(self.settings))

    def looked_at(self, settings: Settings, part: Part) -> dict[str, Any]:
        """Return all settings that a part depends on."""
        return {**settings.plain(self.settings), **{name: getattr(part, name) for name in self.divided_by}}


def _dilution(day: Day, part: Part) -> xr.Dataset:
    from gnss_coop.geometry.dop import dilution_of_precision

    settings = day.settings
    return dilution_of_precision(
        day.sky(settings.step_s), settings.stations, day.scenarios, mask_deg=[_mask(part)], clocks=part.clocks or ""
    )


def _compare(day: Day, part: Part) -> pd.DataFrame:
    from gnss_coop.geometry.comparison import compare

    return compare(_dilution(day, part), limit=day.settings.max_pdop)


def _dop(day: Day, part: Part) -> pd.DataFrame:
    from gnss_coop.output.flat_tables import dop_frame

    return dop_frame(_dilution(day, part)).assign(clocks=part.clocks)


def _worst(day: Day, part: Part) -> pd.DataFrame:
    import pandas as pd

    from gnss_coop.geometry.dop import dilution_of_precision
    from gnss_coop.geometry.worst_intervals import with_one_more, worst_intervals

    settings = day.settings
    alone = _dilution(day, part)
    aided = dilution_of_precision(
        day.sky(settings.step_s), settings.stations, with_one_more(day.scenarios, day.letters),
        mask_deg=[_mask(part)], clocks=part.clocks or "",
    )  # fmt: skip
    tables = [
        worst_intervals(alone.sel(station=name), aided.sel(station=name), limit=settings.max_pdop)
        for name in settings.stations.names
    ]
    return pd.concat(tables, ignore_index=True).assign(clocks=part.clocks)


def _passes(day: Day, part: Part) -> pd.DataFrame:
    from gnss_coop.geometry.passes import passes
    from gnss_coop.output.flat_tables import passes_frame

    start, end = day.span
    found = passes(day.nav, day.settings.stations, start, end, mask_deg=_mask(part), **day.selection)
    return passes_frame(found).assign(mask_deg=part.mask_deg)


def _map(day: Day, part: Part) -> xr.Dataset:
    from gnss_coop.maps.dop_map import dop_map
    from gnss_coop.model.grid import GeoGrid

    settings = day.settings
    grid = GeoGrid(settings.map_grid_deg, settings.map_region)
    return dop_map(
        day.sky(settings.map_step_s), grid, day.scenarios, mask_deg=_mask(part), clocks=part.clocks or "",
        limit=settings.max_pdop, percentiles=settings.map_percentiles, threads=1,
    )  # fmt: skip


def _network(day: Day, part: Part) -> pd.DataFrame:
    from gnss_coop.networks.table import SIGMAS, network_table
    from gnss_coop.networks.views import network_views

    settings = day.settings
    views = network_views(day.sky(settings.step_s), settings.networks, mask_deg=_mask(part))
    table = network_table(views)
    for name in SIGMAS:  # inverse matrices lose digits, and processors differ in which
        table[name] = [float(f"{value:.{_SIGMA_DIGITS}g}") for value in table[name]]
    return table.assign(mask_deg=part.mask_deg)


def _mask(part: Part) -> float:
    assert part.mask_deg is not None  # every product up to now is divided by masks
    return part.mask_deg


PRODUCTS: Final[dict[str, Product]] = {
    p.name: p
    for p in (
        Product(
            "compare", _compare, (*_POSITIONS, "max_pdop"),
            COLUMNS["compare"],
            ("station", "mask_deg", "systems", "clocks"), revision=2,
        ),
        Product(
            "passes", _passes, ("systems", "exclude_sv", "max_age_s", "stations"),
            COLUMNS["passes"],
            ("station", "mask_deg", "sv", "rise_gpst"),
            divided_by=("mask_deg",),
        ),
        Product(
            "dop", _dop, _POSITIONS,
            COLUMNS["dop"],
            ("time_gpst", "station", "systems", "mask_deg", "clocks"),
        ),
        Product(
            "worst", _worst, (*_POSITIONS, "max_pdop"),
            COLUMNS["worst"],
            ("station", "systems", "mask_deg", "clocks", "begins_gpst"),
        ),
        Product(
            "network", _network, ("systems", "step_s", "exclude_sv", "max_age_s", "networks"),
            COLUMNS["network"],
            ("system", "orbit", "network", "mask_deg"),
            divided_by=("mask_deg",), revision=2,
        ),
        Product(
            "map", _map,
            ("systems", "exclude_sv", "max_age_s", "max_pdop", "map_grid_deg", "map_region", "map_step_s",
             "map_percentiles"),
            {}, (), suffix=".nc", revision=2,
        ),
    )
}  # fmt: skip
