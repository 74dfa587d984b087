"""Options of the commands about ground networks."""

from __future__ import annotations

from typing import Final

import click

from gnss_coop.cli.options import Seconds, option, stack

NETWORKS = option(
    "--networks",
    default="russia,china,joint",
    show_default=True,
    metavar="NAME[,...]",
    help="Networks or stations to compare; one's own is written name=Irkutsk+Changchun+path.toml.",
)
NETWORK_TABLES: Final = ("summary", "satellites", "arcs", "common-view", "worth", "sites")
OBJECTIVES: Final = ("k1_pct", "k2_pct", "k4_pct", "depth", "gap_max_min", "sigma_3d_m")
WORTH = stack(
    option(
        "--players",
        type=click.Choice(("stations", "countries")),
        default="stations",
        show_default=True,
        help="Whose worth is told: each station's, or that of each country's together.",
    ),
    option(
        "--orbit-class",
        type=click.Choice(("all", "MEO", "IGSO", "GEO")),
        default="all",
        show_default=True,
        help="Satellites that count for worth and sites.",
    ),
    option(
        "--candidates",
        metavar="FILE.csv|PATH",
        help="Sites to choose from: a CSV file with name, latitude_deg, longitude_deg, or station files.",
    ),
    option(
        "--best",
        "n_best",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help="How many candidates to choose.",
    ),
    option(
        "--objective",
        type=click.Choice(OBJECTIVES),
        default="k2_pct",
        show_default=True,
        help="What the chosen sites should improve most, and what --site-map shows.",
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
        help="Hours of ranges from which orbits are determined.",
    ),
    option(
        "--range-interval",
        "range_interval_s",
        type=Seconds(),
        default=300.0,
        show_default=True,
        help="Seconds between ranges whose noise is independent.",
    ),
    option(
        "--satellite-clock",
        type=click.Choice(("estimated", "known")),
        default="estimated",
        show_default=True,
        help="Whether the satellite's clock is an unknown of each epoch.",
    ),
)
ORBITS = stack(
    option(
        "--table",
        "which",
        type=click.Choice(NETWORK_TABLES),
        default="summary",
        show_default=True,
        help="Per orbit class, per satellite, arcs and gaps, common view, worth of stations, best sites.",
    ),
    option("--repeat", is_flag=True, help="Span until the ground tracks repeat: GLONASS 8 days, BeiDou 7."),
    RANGES,
)
NETWORK_MAPS = stack(
    option(
        "--depth-map",
        type=click.Path(),
        metavar="PATH",
        help="Map of how many stations see a satellite above each point: .nc, .png, .svg.",
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
        help="Map of what one more station would add to the last network: .nc, .tif, .png, .svg.",
    ),
)
HOSTING = stack(
    option(
        "--homes",
        default="R=russia,C=china",
        show_default=True,
        metavar="S=NAME[,...]",
        help="Home network of each system; one's own is written R=Obninsk+Irkutsk+path.toml.",
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
