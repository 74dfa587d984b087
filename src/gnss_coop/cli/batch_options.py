"""Options of the commands that write and ask archives of results."""

from __future__ import annotations

import click

from gnss_coop.cli.options import STEP, CommaSeparated, Seconds, option, stack
from gnss_coop.constants import DEFAULT_STEP_S

BATCH = stack(
    option(
        "-o", "--output", type=click.Path(), metavar="FOLDER", help="Archive folder; an existing archive is resumed."
    ),
    option("--study", type=click.Path(), metavar="FILE.toml", help="Study file; command-line options override it."),
    option("--init", is_flag=True, help="Write a commented study file to --study, or to standard output."),
    option(
        "--products",
        type=CommaSeparated("products"),
        default="compare,passes",
        show_default=True,
        metavar="NAME[,NAME...]",
        help="Products for each day: compare, passes, dop, worst, network, map.",
    ),
    option("--start", metavar="DAY", help="First day (GPST)."),
    option("--end", metavar="DAY", help="Day after the last one."),
    STEP,
    option("--force", is_flag=True, help="Recompute existing results."),
    option("--recheck", is_flag=True, help="Read and hash inputs and results again even if they look unchanged."),
)
MAPS = stack(
    option("--grid", "grid_deg", type=float, default=1.0, show_default=True, metavar="DEG", help="Grid spacing."),
    option(
        "--region",
        type=CommaSeparated("numbers", float),
        default=(),
        metavar="S,N,W,E",
        help="Region that maps show.",
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
        help="Percentiles of maps in addition to the median and the worst.",
    ),
)
ENGINE = stack(
    option(
        "--workers",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Number of processes or threads [default: one per processor].",
    ),
    option("--threads", is_flag=True, help="Use threads of one process instead of processes."),
    option("--scheduler", metavar="ADDRESS", help="Address of a running Dask cluster, such as tcp://node1:8786."),
    option(
        "--local-cluster",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Start a Dask cluster of N processes on this machine.",
    ),
)
WATCH = stack(
    option(
        "--status", type=click.Path(), metavar="FOLDER", help="Show what an archive holds and whether a run is active."
    ),
    option("--log-json", is_flag=True, help="Log one JSON object per line on standard error."),
    option(
        "--metrics",
        type=click.Path(),
        metavar="FILE.prom",
        help="Write run metrics in the Prometheus text format.",
    ),
    option("--quiet", is_flag=True, help="Write only failures to standard error."),
)
ARCHIVE = option(
    "--archive",
    type=click.Path(),
    default="results",
    show_default=True,
    metavar="FOLDER",
    help="Archive written by gnss-coop batch.",
)
TREND = stack(
    option(
        "--per",
        "period",
        type=click.Choice(("day", "month", "year")),
        default="month",
        show_default=True,
        help="Period of each row.",
    ),
    option(
        "--stations",
        "selection",
        type=CommaSeparated("stations"),
        default="all",
        show_default=True,
        metavar="NAME[,...]",
        help="Stations of the archive; `all` combines all of them.",
    ),
    option("--plot", type=click.Path(), metavar="PATH", help="Picture of the first station: .png or .svg."),
)
