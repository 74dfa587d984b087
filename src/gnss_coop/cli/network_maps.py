"""Maps that ``gnss-coop network`` writes beside its table: depth above each point, and the gain of a next site."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session

if TYPE_CHECKING:
    import xarray as xr

    from gnss_coop.model.grid import GeoGrid
    from gnss_coop.networks.networks import Networks
    from gnss_coop.networks.views import NetworkViews

Writer = Callable[["NetworkViews"], None]

#: What a map of sites shows for each --objective.
_GAINS: Final = {
    "k1_pct": "k1_gain_points",
    "k2_pct": "k2_gain_points",
    "depth": "depth_gain",
    "gap_max_min": "gap_max_drop_min",
    "sigma_3d_m": "sigma_3d_drop_pct",
}
#: Grid of a map of sites where none is asked for [deg]: a gain changes slowly from place to place.
_SITE_GRID_DEG: Final = 3.0
#: Places that are listed where --best does not say how many.
_SITES_LISTED: Final = 5


def map_writers(session: Session, networks: Networks, mask_deg: float) -> list[Writer]:
    """Refuse maps that could not be made, before anything is read, and return what makes them."""
    asked = [
        make(session, networks, mask_deg)
        for name, make in (("depth_map", _depth_map), ("site_map", _site_map))
        if session.option(name) is not None
    ]
    paths = [path for path in map(session.option, ("depth_map", "site_map", "output")) if path is not None]
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise click.UsageError("--depth-map, --site-map and --output name one file: give each a name of its own")
    return asked


def _grid(session: Session, step_deg: float) -> GeoGrid:
    from gnss_coop.model.grid import GeoGrid

    region = session.option("region")
    return GeoGrid(step_deg, region) if region else GeoGrid(step_deg)


def _depth_map(session: Session, networks: Networks, mask_deg: float) -> Writer:
    from gnss_coop.elements.orbit_shapes import OrbitShape
    from gnss_coop.maps.files import check_target
    from gnss_coop.networks.depth_plot import KINDS, write_depth

    path = session.option("depth_map")
    check_target(path, overwrite=session.option("overwrite"), kinds=KINDS)
    shape = OrbitShape.parse(session.option("orbit") or "R:MEO")
    grid = _grid(session, session.option("grid_deg"))

    def write(views: NetworkViews) -> None:
        from gnss_coop.networks.depth_map import depth_map

        world = depth_map(networks, grid, system=shape.system, orbit=shape.orbit, mask_deg=mask_deg)
        write_depth(world, path, projection=session.option("projection"), overwrite=session.option("overwrite"))
        session.note(f"wrote {path}")

    return write


def _tell_best(session: Session, gain: xr.Dataset, variable: str) -> None:
    """List the best places on land."""
    from gnss_coop.networks.best_cells import APART_KM, best_cells
    from gnss_coop.networks.site_map import gain_words, place_words

    n = session.option("n_best") if opt.given("n_best") else _SITES_LISTED
    for layer in gain[variable]:
        places = best_cells(layer, n)
        listed = "; ".join(
            f"{place_words(row['latitude_deg'], row['longitude_deg'])} {gain_words(variable, row['value'])}"
            for row in places.to_dict("records")
        )
        session.note(
            f"best sites on land for {layer['system'].item()}, {APART_KM:.0f} km apart at least: {listed}"
            if listed
            else f"no cell of the map is on land for {layer['system'].item()}: take a finer --grid or another --region"
        )


def _site_map(session: Session, networks: Networks, mask_deg: float) -> Writer:
    from gnss_coop.maps.files import check_target
    from gnss_coop.networks.site_map import KINDS, write_site_gain

    path, objective = session.option("site_map"), session.option("objective")
    check_target(path, overwrite=session.option("overwrite"), kinds=KINDS)
    if objective not in _GAINS:
        raise click.UsageError(f"--site-map shows no {objective}; --objective is one of {', '.join(_GAINS)}")
    step_deg = session.option("grid_deg") if opt.given("grid_deg") else _SITE_GRID_DEG
    grid = _grid(session, step_deg)

    def write(views: NetworkViews) -> None:
        from gnss_coop.networks.site_gain import site_gain_map

        with session.progress("sites") as progress:
            gain = site_gain_map(
                views, grid, orbit=session.option("orbit_class"), window_h=session.option("window_h"),
                range_interval_s=session.option("range_interval_s"),
                clock_known=session.option("satellite_clock") == "known", progress=progress,
            )  # fmt: skip
        write_site_gain(
            gain, path, variable=_GAINS[objective], projection=session.option("projection"),
            overwrite=session.option("overwrite"),
        )  # fmt: skip
        session.note(f"wrote {path}: what one more station adds to {gain.attrs['network']}")
        _tell_best(session, gain, _GAINS[objective])

    return write
