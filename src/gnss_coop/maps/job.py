"""A map that is asked for: its settings checked, its size known, and its parts computed one after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from gnss_coop.errors import ScenarioError, TimeError
from gnss_coop.geometry.visibility import mask_radians
from gnss_coop.kernels import tiles
from gnss_coop.maps.dataset import blanked, map_frame, variable_names, with_data
from gnss_coop.maps.tiling import (
    Floats,
    MapWork,
    Progress,
    Where,
    arrange,
    kept_dops,
    parts_of,
    thread_count,
    tile_count,
)
from gnss_coop.model.grid import GeoGrid, GeoPoints
from gnss_coop.model.scenario import PER_SYSTEM, Scenario, parse_scenarios
from gnss_coop.orbits import completeness

if TYPE_CHECKING:
    import xarray as xr

#: Room for a variable of a map: takes name, dimensions and shape, gives what is filled as arrays are.
Room: TypeAlias = Callable[[str, tuple[Any, ...], tuple[int, ...]], Any]
#: Size of a part of a map: large enough that storing it is quick, small enough that several fit beside each other.
PART_BYTES: Final = 2**26
#: Parts that exist at a time: one that is stored, and one that the threads fill meanwhile.
_PARTS: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class MapJob:
    """A map that is asked for and not yet computed.

    Attributes
    ----------
    sky : xarray.Dataset
        ``positions`` (time, sv, ecef) [m].
    places : GeoGrid or GeoPoints
    scenarios : tuple of Scenario
    mask_deg : float or sequence of float
    clocks : str
    limit : float
        Largest PDOP with which a position counts as available.
    shares : float64 (quantile,)
        Percentiles as shares.
    kept : list of str
        DOPs.
    threads : int
    """

    sky: xr.Dataset
    places: GeoGrid | GeoPoints
    scenarios: tuple[Scenario, ...]
    mask_deg: float | Sequence[float]
    clocks: str
    limit: float
    shares: Floats
    kept: list[str]
    threads: int

    @classmethod
    def of(
        cls, sky: xr.Dataset, places: GeoGrid | GeoPoints, systems: str | Sequence[str], *,
        mask_deg: float | Sequence[float] = 5.0, clocks: str = PER_SYSTEM, limit: float = 6.0,
        percentiles: Sequence[float] = (50.0, 95.0, 100.0), dops: Sequence[str] = ("pdop", "hdop", "vdop"),
        threads: int | None = None,
    ) -> MapJob:  # fmt: skip
        """Check what is asked for, in the words of `dop_map`."""
        scenarios, shares, kept = check_settings(systems, mask_deg, clocks, limit, percentiles, dops)
        if sky.sizes["time"] == 0:
            raise TimeError("there are no epochs to map; ask for a longer span or a shorter step")
        return cls(sky, places, scenarios, mask_deg, clocks, limit, shares, kept, thread_count(threads))

    @property
    def n_bytes(self) -> int:
        """Size of the result."""
        places = self.places
        return self._cell_bytes * (len(places) if isinstance(places, GeoPoints) else places.shape[0] * places.shape[1])

    @property
    def working_bytes(self) -> int:
        """Memory that computing takes besides the result: parts of it, and a time series in each thread."""
        series = 4 * self.sky.sizes["time"] * tiles.LANES * self._n_layers * len(self.kept)
        return self.threads * series + _PARTS * min(self.n_bytes, PART_BYTES)

    @property
    def _n_layers(self) -> int:
        return len(self.scenarios) * np.size(self.mask_deg)

    @property
    def _cell_bytes(self) -> int:
        return 4 * self._n_layers * len(variable_names(self.kept, self.shares))

    def compute(self, progress: Progress | None = None, room: Room | None = None) -> tuple[xr.Dataset, dict[str, Any]]:
        """Compute the map part by part.

        Parameters
        ----------
        progress : callable, optional
            Called with the number of tiles done and of all tiles.
        room : callable, optional
            Gives room for each variable; in memory by default.

        Returns
        -------
        xarray.Dataset
            Coordinates and attributes.
        dict
            Of each variable its dimensions, what `room` gave for it, filled, and its attributes.
        """
        variables: dict[str, Any] = {}
        with closing(self.parts(progress)) as parts:
            for where, part in parts:
                for name, values in part.data_vars.items():
                    if name not in variables:
                        shape = (*values.shape[: -len(where)], *_shape(self.places))
                        target = room(str(name), values.dims, shape) if room else np.empty(shape, np.float32)
                        variables[str(name)] = (values.dims, target, values.attrs)
                    variables[str(name)][1][(..., *where)] = values.values
        return self._frame(tuple(slice(0, n) for n in _shape(self.places))), variables

    def parts(self, progress: Progress | None = None) -> Generator[tuple[Where, xr.Dataset]]:
        """Yield the map in parts, each with the place that it takes in the whole."""
        wanted = parts_of(self.places, PART_BYTES // self._cell_bytes)
        work = MapWork.of(self.sky, self.scenarios, mask_radians(self.mask_deg), self.kept, self.limit, self.shares)
        arranged = (arrange(self.places, where) for where in wanted)
        with closing(work.run(arranged, sum(map(tile_count, wanted)), self.threads, progress)) as computed:
            for where, (counts, quantiles) in zip(wanted, computed, strict=True):
                part = with_data(self._frame(where), self.kept, self.shares, counts, quantiles)
                held = self._held_pct(where)
                yield where, part if held is None else blanked(part, held >= completeness.COMPLETE_PCT)

    def _held_pct(self, where: Where) -> Floats | None:
        """Return how much of what is in view the files hold (scenario, mask, cell) [%]; None if complete."""
        full = completeness.filled(self.sky)
        if full is None:
            return None
        single = completeness.single_scenarios(self.scenarios)
        n_used = []
        for sky in (self.sky, full):
            work = MapWork.of(sky, single, mask_radians(self.mask_deg), kept_dops(["pdop"]), 6.0, np.array([0.5]))
            runs = work.run(iter([arrange(self.places, where)]), tile_count(where), self.threads, None)
            with closing(runs) as computed:
                n_used.append(next(computed)[0][:, :, 1])
        used, expected = n_used
        cells = arrange(self.places, where)
        latitude, longitude = np.radians(cells.latitude_deg), np.radians(cells.longitude_deg)
        across = np.cos(latitude)
        directions = np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=1)
        return completeness.held_pct(
            self.sky, self.scenarios, used, expected, directions, np.atleast_1d(mask_radians(self.mask_deg))
        )

    def _frame(self, where: Where) -> xr.Dataset:
        frame = map_frame(self.sky, self.places, where, self.scenarios, np.atleast_1d(self.mask_deg).tolist())
        frame.attrs |= {"clocks": self.clocks, "max_pdop": self.limit}
        return frame.isel(mask_deg=0) if np.ndim(self.mask_deg) == 0 else frame


def _shape(places: GeoGrid | GeoPoints) -> tuple[int, ...]:
    return (len(places),) if isinstance(places, GeoPoints) else places.shape


def check_settings(
    systems: str | Sequence[str], mask_deg: float | Sequence[float], clocks: str, limit: float,
    percentiles: Sequence[float], dops: Sequence[str] = ("pdop", "hdop", "vdop"),
) -> tuple[tuple[Scenario, ...], Floats, list[str]]:  # fmt: skip
    """Return scenarios, percentiles as shares, and DOPs; refuse what makes no sense, before anything is computed."""
    scenarios = parse_scenarios(systems, clocks)
    mask_radians(mask_deg)
    if not limit > 0.0:
        raise ScenarioError(f"the largest PDOP must be a positive number, such as 6, not {limit:g}")
    return scenarios, _shares(percentiles), kept_dops(dops)


def _shares(percentiles: Sequence[float]) -> Floats:
    bad = [p for p in percentiles if not 0.0 <= p <= 100.0]
    if bad:
        raise ScenarioError(f"percentiles lie between 0 and 100, not {', '.join(f'{p:g}' for p in bad)}")
    wanted = np.unique([50.0, *percentiles])
    return np.asarray(wanted / 100.0, dtype=np.float64)
