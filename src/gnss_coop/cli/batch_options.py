"""Options of the commands that write and ask archives of results."""

from __future__ import annotations

import click

from gnss_coop.cli.options import STEP, CommaSeparated, Seconds, option, stack
from gnss_coop.constants import DEFAULT_STEP_S

BATCH = stack(
    option(
        "-o", "--output", type=click.Path(), metavar="FOLDER", help="The archive; a run goes on in one that is there."
    ),
    option("--study", type=click.Path(), metavar="FILE.toml", help="Study file; options override it."),
    option("--init", is_flag=True, help="Write a study file with comments to --study, or to standard output."),
    option(
        "--products",
        type=CommaSeparated("products"),
        default="compare,passes",
        show_default=True,
        metavar="NAME[,NAME...]",
        help="What to make of each day: compare, passes, dop, worst, network, map.",
    ),
    option("--start", metavar="DAY", help="First day; days are those of GPST."),
    option("--end", metavar="DAY", help="End, not included."),
    STEP,
    option("--force", is_flag=True, help="Compute again what is there."),
    option("--recheck", is_flag=True, help="Read inputs and results again that look unchanged."),
)
MAPS = stack(
    option("--grid", "grid_deg", type=float, default=1.0, show_default=True, metavar="DEG", help="Step of map grids."),
    option(
        "--region",
        type=CommaSeparated("numbers", float),
        default=(),
        metavar="S,N,W,E",
        help="Part of the world that maps show.",
    ),
    option(
        "--map-step",
        "map_step_s",
        type=Seconds(),
        default=DEFAULT_STEP_S,
        show_default=True,
        help="Seconds between epochs of maps.",
    ),
    option(
        "--percentiles",
        type=CommaSeparated("numbers", float),
        default="95",
        show_default=True,
        metavar="P[,P...]",
        help="Percentiles of maps besides the median and the worst.",
    ),
)
ENGINE = stack(
    option(
        "--workers",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Processes, or threads; one per processor by default.",
    ),
    option("--threads", is_flag=True, help="Threads of one process instead of processes."),
    option("--scheduler", metavar="ADDRESS", help="Dask cluster to work on, such as tcp://node1:8786."),
    option(
        "--local-cluster",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Dask cluster of N processes of this machine.",
    ),
)
WATCH = stack(
    option(
        "--status", type=click.Path(), metavar="FOLDER", help="Tell what an archive holds and whether a run is at work."
    ),
    option("--log-json", is_flag=True, help="One JSON object a line on standard error instead of words."),
    option(
        "--metrics",
        type=click.Path(),
        metavar="FILE.prom",
        help="Figures about the run in the text format of Prometheus.",
    ),
    option("--quiet", is_flag=True, help="Only failures on standard error."),
)
ARCHIVE = option(
    "--archive",
    type=click.Path(),
    default="results",
    show_default=True,
    metavar="FOLDER",
    help="The archive that gnss-coop batch wrote.",
)
TREND = stack(
    option(
        "--per",
        "period",
        type=click.Choice(("day", "month", "year")),
        default="month",
        show_default=True,
        help="What one figure is of.",
    ),
    option(
        "--stations",
        "selection",
        type=CommaSeparated("stations"),
        default="all",
        show_default=True,
        metavar="NAME[,...]",
        help="Stations of the archive; all is all of them together.",
    ),
    option("--plot", type=click.Path(), metavar="PATH", help="Picture of the first station: .png or .svg."),
)
