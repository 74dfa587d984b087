"""Options of the commands about ground networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from gnss_coop.cli.options import Seconds, given, option, stack

if TYPE_CHECKING:
    from gnss_coop.cli.session import Session

NETWORKS = option(
    "--networks",
    default="russia,china,joint",
    show_default=True,
    metavar="NAME[,...]",
    help="Networks or stations to compare; define your own as name=Irkutsk+Changchun+path.toml.",
)
NETWORK_TABLES: Final = ("summary", "satellites", "arcs", "common-view", "worth", "sites", "candidates")
OBJECTIVES: Final = ("k1_pct", "k2_pct", "k4_pct", "depth", "gap_max_min", "sigma_3d_m")
WORTH = stack(
    option(
        "--players",
        type=click.Choice(("stations", "countries")),
        default="stations",
        show_default=True,
        help="Compute Shapley values per station or per country.",
    ),
    option(
        "--orbit-class",
        type=click.Choice(("all", "MEO", "IGSO", "GEO")),
        default="all",
        show_default=True,
        help="Orbit class that worth and sites refer to.",
    ),
    option(
        "--candidates",
        metavar="FILE.csv|PATH",
        help="Candidate sites: a CSV file with name, latitude_deg, longitude_deg, or station files.",
    ),
    option(
        "--best",
        "n_best",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help="Number of candidates to choose; with --site-map, number of places on land to list (5 by default).",
    ),
    option(
        "--objective",
        type=click.Choice(OBJECTIVES),
        default="k2_pct",
        show_default=True,
        help="Quantity that the sites should improve, and that --site-map shows.",
    ),
)
RANGES = stack(
    option(
        "--window",
        "window_h",
        type=click.FloatRange(0, min_open=True),
        default=24.0,
        show_default=True,
        metavar="H",
        help="Hours of ranges that determine the orbits.",
    ),
    option(
        "--range-interval",
        "range_interval_s",
        type=Seconds(),
        default=300.0,
        show_default=True,
        help="Seconds between ranges with independent noise.",
    ),
    option(
        "--satellite-clock",
        type=click.Choice(("estimated", "known")),
        default="estimated",
        show_default=True,
        help="Satellite clock: estimated at each epoch, or known.",
    ),
)
ORBITS = stack(
    option(
        "--table",
        "which",
        type=click.Choice(NETWORK_TABLES),
        default="summary",
        show_default=True,
        help="Table to write: per orbit class, per satellite, arcs and gaps, common view, Shapley values, sites.",
    ),
    option("--repeat", is_flag=True, help="Use the span after which ground tracks repeat: GLONASS 8 days, BeiDou 7."),
    RANGES,
)
NETWORK_MAPS = stack(
    option(
        "--depth-map",
        type=click.Path(),
        metavar="PATH",
        help="Map of the number of stations in view of a satellite above each point: .nc, .png, .svg.",
    ),
    option(
        "--orbit",
        metavar="S:CLASS",
        show_default="R:MEO",
        help="Orbit of --depth-map: R:MEO, C:MEO, C:IGSO, C:GEO, E:MEO, G:MEO.",
    ),
    option(
        "--site-map",
        type=click.Path(),
        metavar="PATH",
        help="Map of what one more station adds to the last network: .nc, .tif, .png, .svg.",
    ),
)
HOSTING = stack(
    option(
        "--homes",
        default="R=russia,C=china",
        show_default=True,
        metavar="S=NAME[,...]",
        help="Home network of each system; define your own as R=Obninsk+Irkutsk+path.toml.",
    ),
    option(
        "--network-mask",
        "network_mask_deg",
        type=float,
        default=5.0,
        show_default=True,
        metavar="DEG",
        help="Elevation mask of the ground networks.",
    ),
)

_DEPTH_MAP, _SITE_MAP = "--depth-map", "--site-map"
_OF_SIGMA: Final = ("summary", "satellites", "worth", "sites", "candidates", _SITE_MAP)
#: What each option is for, where it is not for all tables.
_PURPOSE: Final[dict[str, tuple[str, ...]]] = {
    "players": ("worth",),
    "orbit_class": ("worth", "sites", "candidates", _SITE_MAP),
    "n_best": ("sites", _SITE_MAP),
    "objective": ("sites", _SITE_MAP),
    "window_h": _OF_SIGMA,
    "range_interval_s": _OF_SIGMA,
    "satellite_clock": ("summary", "worth", "sites", "candidates", _SITE_MAP),  # satellites tells both
    "orbit": (_DEPTH_MAP,),
    "grid_deg": (_DEPTH_MAP, _SITE_MAP),
    "projection": (_DEPTH_MAP, _SITE_MAP),
    "region": (_DEPTH_MAP, _SITE_MAP),
}


def refuse_idle(session: Session) -> None:
    """Refuse options on the command line that have no effect on what is asked for.

    Raises
    ------
    click.UsageError
        With the options and what they are for.
    """
    maps = {_DEPTH_MAP: session.option("depth_map"), _SITE_MAP: session.option("site_map")}
    asked = {session.option("which"), *(name for name, path in maps.items() if path is not None)}
    idle: dict[tuple[str, ...], list[str]] = {}
    for name, purpose in _PURPOSE.items():
        if asked.isdisjoint(purpose):
            idle.setdefault(purpose, []).extend(given(name))
    sentences = [f"{', '.join(flags)}: only with {_listed(purpose)}" for purpose, flags in idle.items() if flags]
    if sentences:
        raise click.UsageError("; ".join(sentences))


def _listed(purpose: tuple[str, ...]) -> str:
    tables = [name for name in purpose if not name.startswith("--")]
    names = [f"--table {', '.join(tables)}"] * bool(tables) + [name for name in purpose if name.startswith("--")]
    return " or ".join(names)
