"""Where one more station would help a network most: a map of its gain."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.errors import StationError
from gnss_coop.kernels import coverage as coverage_kernel
from gnss_coop.kernels import orbit_information as orbit_kernel
from gnss_coop.maps.tiling import thread_count
from gnss_coop.model.coasts import on_land
from gnss_coop.model.frames import enu_basis, geodetic_to_ecef
from gnss_coop.model.timescales import format_time
from gnss_coop.networks.orbit_information import RANGE_INTERVAL_S, WINDOW_H
from gnss_coop.networks.table import median_sigma
from gnss_coop.networks.value import NetworkValue

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.model.grid import GeoGrid
    from gnss_coop.networks.views import NetworkViews

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Progress = Callable[[int, int], None]

#: Longest step of the epochs for a map [s]: sigma change by less than 1 % from 60 s.
MAP_STEP_S: Final = 300.0

#: Variables of the map: what they say, and their units.
GAINS: Final = {
    "k1_gain_points": ("more time in view of at least one station", "percent"),
    "k2_gain_points": ("more time in view of at least two stations", "percent"),
    "depth_gain": ("more stations in view on average", "1"),
    "gap_max_drop_min": ("shorter longest gap", "min"),
    "sigma_3d_drop_pct": ("smaller median formal 3D sigma of orbits", "percent"),
    "sigma_3d_m": ("median formal 3D sigma of orbits with the station", "m"),
}


def site_gain_map(
    views: NetworkViews,
    grid: GeoGrid | None = None,
    network: str | None = None,
    *,
    orbit: str = "all",
    height_m: float = 0.0,
    window_h: float = WINDOW_H,
    range_interval_s: float = RANGE_INTERVAL_S,
    clock_known: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Compute what one more station would add to a network, for each cell of a grid.

    Parameters
    ----------
    views : NetworkViews
        From `network_views`; of their epochs as many are used as make a step of 300 s.
    grid : GeoGrid, optional
        Sites; 5 degrees by default.
    network : str, optional
        Network of the views that gets the station; the last one by default.
    orbit : str
        MEO, IGSO, GEO or ``all``: the satellites that count.
    height_m : float
        Height of the sites above the ellipsoid [m]. Their horizon is open, down to the mask of the views.
    window_h, range_interval_s, clock_known
        As for `network_table`.
    threads : int, optional
        All processors by default.
    progress : callable, optional
        Called with how many rows of cells are done and how many there are.

    Returns
    -------
    xarray.Dataset
        With the coordinate ``land`` (lat, lon), 1 where a cell's middle is on land: there alone `best_cell` and
        `best_cells` look.
        (system, lat, lon): ``k1_gain_points``, ``k2_gain_points``, ``depth_gain``, ``gap_max_drop_min`` (how far
        the longest gap of all satellites falls), ``sigma_3d_drop_pct`` (how far the median sigma falls, NaN where
        it does not exist without the station) and ``sigma_3d_m`` with it.

    Raises
    ------
    StationError, ScenarioError
        For an unknown network or orbit.

    Notes
    -----
    A station adds information about an orbit at each epoch by its line of sight against the weighted mean of
    those of the others: one outer product, so that the network itself is summed up only once.

    Examples
    --------
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=24, step_s=900))
    >>> gain = gc.site_gain_map(gc.network_views(sky, "russia"), gc.GeoGrid(30))
    >>> place = gc.best_cell(gain["k1_gain_points"].sel(system="R"))
    >>> place["latitude_deg"] < 0  # the other side of the world is what a network in Russia lacks
    True
    """
    import xarray as xr

    from gnss_coop.model.grid import GeoGrid

    grid = GeoGrid(5.0) if grid is None else grid
    thin = views.thinned(MAP_STEP_S)
    base = _Base.of(thin, network, orbit, window_h, range_interval_s, clock_known)
    latitude, longitude = grid.latitude_deg, grid.longitude_deg
    out = np.full((len(GAINS), len(base.value.groups), *grid.shape), np.nan)

    def row(i: int) -> None:
        for j, gains in enumerate(base.row(float(latitude[i]), longitude, height_m)):
            out[:, :, i, j] = gains

    for done, _ in enumerate(_in_threads(row, grid.shape[0], thread_count(threads)), start=1):
        if progress is not None:
            progress(done, grid.shape[0])
    dims = ("system", "lat", "lon")
    network_stations = views.networks.network(base.name)
    return xr.Dataset(
        {
            name: (dims, out[k], {"long_name": long_name, "units": units})
            for k, (name, (long_name, units)) in enumerate(GAINS.items())
        },
        coords={
            "system": [letter for letter, _, _ in base.value.groups],
            "lat": ("lat", latitude, {"units": "degrees_north"}),
            "lon": ("lon", longitude, {"units": "degrees_east"}),
            "land": (
                ("lat", "lon"),
                on_land(latitude[:, None], longitude).astype(np.int8),
                {"long_name": "middle of the cell on land", "flag_values": [0, 1], "flag_meanings": "sea land"},
            ),
            "mask_deg": views.mask_deg,
            "station": list(network_stations.names),
            "station_lat": ("station", network_stations.latitude_deg, {"units": "degrees_north"}),
            "station_lon": ("station", network_stations.longitude_deg, {"units": "degrees_east"}),
        },
        attrs=_attributes(thin, base, orbit, height_m),
    )


def _attributes(views: NetworkViews, base: _Base, orbit: str, height_m: float) -> dict[str, Any]:
    """Return what a file made of the map says of it."""
    orbits = base.value.orbits
    window_h = orbits.n_epochs * views.step_s / 3600.0
    first, last = (format_time(int(views.epoch_ns[i])) for i in (0, -1))
    return {
        **views.attrs,
        "title": "Gain of one more station",
        "network": base.name,
        "orbit": orbit,
        "height_m": float(height_m),
        "time_start": first,
        "time_end": last,
        "time_scale": "GPST",
        "n_epochs": len(views.epoch_ns),
        "step_s": views.step_s,
        "window_h": window_h,
        "range_interval_s": views.step_s / orbits.ranges_per_epoch,
        "satellite_clock": "known" if base.value.clock_known else "estimated",
    }


def _in_threads(work: Callable[[int], None], n: int, threads: int) -> Iterator[None]:
    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(work, range(n))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # an interrupt must not wait for what is compiling


@dataclass(frozen=True, slots=True, eq=False)
class _Base:
    """A network, summed up so that one more station is cheap."""

    name: str
    value: NetworkValue
    depth: npt.NDArray[np.int64]
    centre: Floats
    information: Floats
    figures: list[dict[str, float]]
    sine_mask: float

    @classmethod
    def of(
        cls,
        views: NetworkViews,
        network: str | None,
        orbit: str,
        window_h: float,
        range_interval_s: float,
        clock_known: bool,
    ) -> _Base:
        names = views.networks.names
        name = names[-1] if network is None else network
        if name not in names:
            raise StationError(f"There is no network {name!r} among {', '.join(names)}.")
        members = views.networks.members[names.index(name)]
        value = NetworkValue.of(
            views, orbit=orbit, window_h=window_h, range_interval_s=range_interval_s, clock_known=clock_known
        )
        orbits = value.orbits
        centre = np.empty((*orbits.lines.shape[:2], 4))
        orbit_kernel.centres(orbits.lines, members, centre)
        information = np.empty((len(views.sv), 6, 6))
        orbit_kernel.information(orbits.phi, orbits.lines, members, clock_known, information)
        depth = views.visible[members].sum(axis=0, dtype=np.int64)
        figures = [dict(zip(("gap", "sigma"), row[[4, 5]].tolist(), strict=True)) for row in value.figures(members)]
        return cls(name, value, depth, centre, information, figures, math.sin(math.radians(views.mask_deg)))

    def row(self, latitude_deg: float, longitude_deg: Floats, height_m: float) -> Iterator[Floats]:
        """Yield the gains (gain, group) of a row of sites."""
        views = self.value.views
        wrapped = (longitude_deg + 180.0) % 360.0 - 180.0
        sites_m = geodetic_to_ecef(np.full(wrapped.shape, latitude_deg), wrapped, np.full(wrapped.shape, height_m))
        ups = enu_basis(np.full(wrapped.shape, math.radians(latitude_deg)), np.radians(wrapped))[:, 2]
        visible = np.empty(views.usable.shape, np.bool_)
        sums = np.empty((len(views.sv), 4))
        for site_m, up in zip(sites_m, ups, strict=True):
            coverage_kernel.site_views(views.positions_m, site_m, up, self.sine_mask, visible)
            coverage_kernel.site_coverage(self.depth, views.usable, visible, sums)
            yield self._gains(sums, self._sigma_3d_m(site_m, up, visible))

    def _sigma_3d_m(self, site_m: Floats, up: Floats, visible: Bools) -> Floats:
        orbits = self.value.orbits
        n = orbits.n_epochs
        lines = np.empty((n, len(self.information), 1, 4))
        positions = self.value.views.positions_m[:n]
        orbit_kernel.lines_of_sight(positions, site_m[None], up[None], visible[None, :n], orbits.basis, lines)
        joined = np.empty_like(self.information)
        if self.value.clock_known:  # then ranges of one station are information by themselves
            orbit_kernel.information(orbits.phi, lines, np.ones(1, np.bool_), True, joined)
            joined += self.information
        else:
            orbit_kernel.with_one_more(orbits.phi, self.centre, self.information, lines, joined)
        return orbits.sigma_of(joined * orbits.ranges_per_epoch)[:, 3:]

    def _gains(self, sums: Floats, sigma_3d_m: Floats) -> Floats:
        views = self.value.views
        gains: list[Any] = []
        for (_, _, chosen), base in zip(self.value.groups, self.figures, strict=True):
            total, n_usable = sums[chosen].sum(axis=0), views.usable[:, chosen].sum()
            [sigma_m] = median_sigma(sigma_3d_m[chosen])
            gains.append(
                [
                    100.0 * total[0] / n_usable,
                    100.0 * total[1] / n_usable,
                    total[2] / n_usable,
                    base["gap"] - sums[chosen, 3].max() * views.step_s / 60.0,
                    100.0 * (1.0 - sigma_m / base["sigma"]),
                    sigma_m,
                ]
            )
        return np.array(gains).T
