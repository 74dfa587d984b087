"""Options and arguments that commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import click
from click.core import ParameterSource

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

FORMATS: Final = ("table", "csv", "json", "parquet")


class CommaSeparated(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """A list written with commas; each item is turned by a function."""

    def __init__(self, name: str, convert: Callable[[str], Any] = str) -> None:
        self.name = name
        self._convert = convert

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Any, ...]:
        """Split and convert; a value that is no text (a default) is taken as it is."""
        if isinstance(value, (int, float)):
            value = str(value)
        if not isinstance(value, str):
            return tuple(value)
        items = [item.strip() for item in value.split(",") if item.strip()]
        if not items:
            self.fail("at least one value is needed", param, ctx)
        try:
            return tuple(self._convert(item) for item in items)
        except ValueError:
            self.fail(f"{value!r} is not a list of {self.name.lower()} with commas between them", param, ctx)


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """A positive length of time [s]."""

    name = "S"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds; refuse what is not positive and finite."""
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        if not 0 < seconds < float("inf"):
            self.fail(f"it must be positive, not {value}", param, ctx)
        return seconds


class AgeLimit(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on
    """``3600`` for all systems, or ``R:1800,C:7200``."""

    name = "S|R:S,..."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return seconds, or a mapping of letters to seconds."""
        if not isinstance(value, str):
            return value
        try:
            if ":" not in value:
                return float(value)
            return {key.strip(): float(seconds) for key, seconds in (p.split(":") for p in value.split(","))}
        except ValueError:
            self.fail(f"{value!r} is neither seconds nor letters with seconds such as R:1800,C:7200", param, ctx)


def _option(*names: str, **settings: Any) -> Decorator:
    """Make an option that the environment can set: --max-pdop by GNSS_COOP_MAX_PDOP."""
    flag = next(name for name in reversed(names) if name.startswith("--"))
    return click.option(*names, envvar="GNSS_COOP_" + flag[2:].replace("-", "_").upper(), **settings)


def _stack(*decorators: Decorator) -> Decorator:
    """Return one decorator that applies several, the first outermost."""

    def apply(function: Any) -> Any:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return apply


def given(*names: str) -> list[str]:
    """Return the flags of those options that stand on the command line."""
    context = click.get_current_context()
    return [
        option.opts[-1]
        for option in context.command.params
        if option.name in names and context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    ]


def mask(default: str) -> Decorator:
    """Return the mask option with a command's own default."""
    return _option(
        "--mask",
        "mask_deg",
        type=CommaSeparated("numbers", float),
        default=default,
        show_default=True,
        metavar="DEG[,DEG...]",
        help="Elevation masks; each is computed.",
    )


def time(step_s: float) -> Decorator:
    """Return the time options with a command's own default of the step."""
    return _stack(
        _option("--start", metavar="T", help="First epoch, ISO 8601; with Z it is UTC, without GPST."),
        _option("--end", metavar="T", help="End, not included."),
        _option("--hours", type=float, metavar="H", help="Length instead of an end."),
        _option("--at", metavar="T", help="One epoch instead of a span."),
        _option("--step", "step_s", type=Seconds(), default=step_s, show_default=True, help="Seconds between epochs."),
    )


NAV: Decorator = click.argument("nav", nargs=-1, required=True, metavar="NAV...")
#: Where an almanac can stand for the files.
NAV_OR_ALMANAC: Decorator = click.argument("nav", nargs=-1, metavar="[NAV...]")
FORECAST = _stack(
    _option(
        "--forecast",
        "forecast_days",
        type=click.FloatRange(0, 60, min_open=True),
        default=None,
        metavar="DAYS",
        help="Go on with mean elements for so many days beyond the last record, up to 60.",
    ),
    _option(
        "--almanac",
        type=click.Path(),
        metavar="FILE",
        help="TLE, OMM or YUMA file for what the navigation files do not hold, or instead of them.",
    ),
)
ACCEPT_TRUNCATED = _option("--accept-truncated", is_flag=True, help="Take what is there of a file that is cut.")
INCLUDE_UNHEALTHY = _option(
    "--include-unhealthy", is_flag=True, help="Unhealthy satellites too; the column healthy tells them."
)
SUMMARY = _stack(
    _option(
        "--format",
        "output_format",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="Form of the output; csv, json and parquet hold exact numbers.",
    ),
    _option("--quiet", is_flag=True, help="No notes on standard error."),
)
OUTPUT = _stack(
    _option("-o", "--output", type=click.Path(), metavar="PATH", help="Write here instead of standard output."),
    SUMMARY,
)
READING = _stack(
    _option(
        "--exclude-sv",
        type=CommaSeparated("satellites"),
        default=(),
        metavar="SV[,SV...]",
        help="Satellites to leave out, such as R06,C03.",
    ),
    _option(
        "--max-age",
        "max_age_s",
        type=AgeLimit(),
        default=None,
        help="Limit of the ephemeris age instead of R 1800, C 3600, S 360, others 7200 s.",
    ),
    ACCEPT_TRUNCATED,
)
GRID = _option(
    "--grid", "grid_deg", type=float, default=1.0, show_default=True, metavar="DEG", help="Step of the grid."
)
PROJECTION = _option(
    "--projection",
    type=click.Choice(("robinson", "platecarree", "north", "south")),
    default="robinson",
    show_default=True,
    help="Projection of pictures.",
)
OVERWRITE = _option("--overwrite", is_flag=True, help="Replace outputs that exist.")
PLACES = _stack(
    GRID,
    _option(
        "--region",
        type=CommaSeparated("numbers", float),
        default=(),
        metavar="S,N,W,E",
        help="Part of the world by its bounds; west may lie beyond the antimeridian, as in 50,60,170,-170.",
    ),
    _option(
        "--points",
        type=click.Path(),
        metavar="FILE.csv",
        help="Places instead of a grid: columns name, latitude_deg, longitude_deg and, if wanted, height_m.",
    ),
)
NOMINAL = _stack(
    _option("--nominal", metavar="S[,S...]", help="Nominal constellations instead of files, such as R,C."),
    _option("--epoch", metavar="T", help="First epoch of nominal constellations; 24 hours without --hours or --end."),
)
MAP = _stack(
    _option(
        "--rule",
        metavar="NAME",
        help="A published rule sets mask, step, grid and limit: iac, gps-sps, bds-os, galileo-os.",
    ),
    _option(
        "--percentiles",
        type=CommaSeparated("numbers", float),
        default="95",
        show_default=True,
        metavar="P[,P...]",
        help="Percentiles besides the median and the worst.",
    ),
    _option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="PATH",
        help="File for the map: .nc, .zarr, .tif, .png, .svg.",
    ),
    _option("--plot", "plots", multiple=True, metavar="PATH", help="Picture of the map: .png or .svg."),
    _option(
        "--variable", default="pdop_median", show_default=True, metavar="NAME", help="What pictures and GeoTIFF show."
    ),
    _option("--gain", is_flag=True, help="Pictures of what the supplement adds to each scenario."),
    PROJECTION,
    _option("--keep-time", type=click.Path(), metavar="PATH.zarr", help="Also every epoch's DOP, as Zarr."),
    OVERWRITE,
    _option(
        "--threads", type=click.IntRange(min=1), default=None, metavar="N", help="Threads; all processors by default."
    ),
)


def folder(what: str) -> Decorator:
    """Return the options of a command that writes a folder of pages."""
    return _stack(
        _option(
            "-o",
            "--output",
            "folder",
            type=click.Path(),
            required=True,
            metavar="FOLDER",
            help=f"Folder for the {what}; it appears when it is complete.",
        ),
        _option("--overwrite", is_flag=True, help=f"Replace a {what} that is there."),
        _option("--quiet", is_flag=True, help="No notes on standard error."),
    )


REPORT = _stack(
    folder("report"),
    _option(
        "--language",
        type=click.Choice(("en", "ru", "zh")),
        default="en",
        show_default=True,
        help="Language of the pages: English, Russian, Chinese.",
    ),
)
ARCHIVE = _option(
    "--archive",
    type=click.Path(),
    default="results",
    show_default=True,
    metavar="FOLDER",
    help="The archive that gnss-coop batch wrote.",
)
TREND = _stack(
    _option(
        "--per",
        "period",
        type=click.Choice(("day", "month", "year")),
        default="month",
        show_default=True,
        help="What one figure is of.",
    ),
    _option(
        "--stations",
        "selection",
        type=CommaSeparated("stations"),
        default="all",
        show_default=True,
        metavar="NAME[,...]",
        help="Stations of the archive; all is all of them together.",
    ),
    _option("--plot", type=click.Path(), metavar="PATH", help="Picture of the first station: .png or .svg."),
    _option("--overwrite", is_flag=True, help="Replace outputs that exist."),
)
BATCH = _stack(
    _option(
        "-o", "--output", type=click.Path(), metavar="FOLDER", help="The archive; a run goes on in one that is there."
    ),
    _option("--study", type=click.Path(), metavar="FILE.toml", help="Study file; options override it."),
    _option("--init", is_flag=True, help="Write a study file with comments to --study, or to standard output."),
    _option(
        "--products",
        type=CommaSeparated("products"),
        default="compare,passes",
        show_default=True,
        metavar="NAME[,NAME...]",
        help="What to make of each day: compare, passes, dop, worst, map.",
    ),
    _option("--start", metavar="DAY", help="First day; days are those of GPST."),
    _option("--end", metavar="DAY", help="End, not included."),
    _option("--step", "step_s", type=Seconds(), default=300.0, show_default=True, help="Seconds between epochs."),
    _option("--force", is_flag=True, help="Compute again what is there."),
    _option("--recheck", is_flag=True, help="Read inputs and results again that look unchanged."),
)
BATCH_MAP = _stack(
    _option("--grid", "grid_deg", type=float, default=1.0, show_default=True, metavar="DEG", help="Step of map grids."),
    _option(
        "--region",
        type=CommaSeparated("numbers", float),
        default=(),
        metavar="S,N,W,E",
        help="Part of the world that maps show.",
    ),
    _option(
        "--map-step",
        "map_step_s",
        type=Seconds(),
        default=240.0,
        show_default=True,
        help="Seconds between epochs of maps.",
    ),
    _option(
        "--percentiles",
        type=CommaSeparated("numbers", float),
        default="95",
        show_default=True,
        metavar="P[,P...]",
        help="Percentiles of maps besides the median and the worst.",
    ),
)
ENGINE = _stack(
    _option(
        "--workers",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Processes, or threads; one per processor by default.",
    ),
    _option("--threads", is_flag=True, help="Threads of one process instead of processes."),
    _option("--scheduler", metavar="ADDRESS", help="Dask cluster to work on, such as tcp://node1:8786."),
    _option(
        "--local-cluster",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Dask cluster of N processes of this machine.",
    ),
)
WATCH = _stack(
    _option(
        "--status", type=click.Path(), metavar="FOLDER", help="Tell what an archive holds and whether a run is at work."
    ),
    _option("--log-json", is_flag=True, help="One JSON object a line on standard error instead of words."),
    _option(
        "--metrics",
        type=click.Path(),
        metavar="FILE.prom",
        help="Figures about the run in the text format of Prometheus.",
    ),
    _option("--quiet", is_flag=True, help="Only failures on standard error."),
)
PASSES = _option("--passes", is_flag=True, help="Rise, culmination and set of each satellite instead of epochs.")
STATIONS = _option(
    "--stations",
    "selection",
    type=CommaSeparated("stations"),
    default="joint",
    show_default=True,
    metavar="NAME[,...]|NETWORK|PATH",
    help="Stations by name or marker, networks (china, russia, joint), station files or folders.",
)
SCENARIOS = _option(
    "--systems",
    default="R,C,R+C",
    show_default=True,
    metavar="S[,S...]",
    help="Scenarios: letters joined by + where systems are used together.",
)
SYSTEMS = _option("--systems", default="R,C", show_default=True, metavar="S[,S...]", help="Systems by letter.")
LETTERS = _option("--systems", default=None, metavar="S[,S...]", help="Systems by letter; all by default.")
NETWORKS = _option(
    "--networks",
    default="russia,china,joint",
    show_default=True,
    metavar="NAME[,...]",
    help="Networks or stations to compare; one's own is written name=Irkutsk+Changchun+path.toml.",
)
NETWORK_TABLES: Final = ("summary", "satellites", "arcs", "common-view", "worth", "sites")
OBJECTIVES: Final = ("k1_pct", "k2_pct", "k4_pct", "depth", "gap_max_min", "sigma_3d_m")
WORTH = _stack(
    _option(
        "--players",
        type=click.Choice(("stations", "countries")),
        default="stations",
        show_default=True,
        help="Whose worth is told: each station's, or that of each country's together.",
    ),
    _option(
        "--orbit-class",
        type=click.Choice(("all", "MEO", "IGSO", "GEO")),
        default="all",
        show_default=True,
        help="Satellites that count for worth and sites.",
    ),
    _option(
        "--candidates",
        metavar="FILE.csv|PATH",
        help="Sites to choose from: a CSV file with name, latitude_deg, longitude_deg, or station files.",
    ),
    _option(
        "--best",
        "n_best",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        metavar="N",
        help="How many candidates to choose.",
    ),
    _option(
        "--objective",
        type=click.Choice(OBJECTIVES),
        default="k2_pct",
        show_default=True,
        help="What the chosen sites should improve most, and what --site-map shows.",
    ),
)
RANGES = _stack(
    _option(
        "--window",
        "window_h",
        type=click.FloatRange(0, min_open=True),
        default=24.0,
        show_default=True,
        metavar="H",
        help="Hours of ranges from which orbits are determined.",
    ),
    _option(
        "--range-interval",
        "range_interval_s",
        type=Seconds(),
        default=300.0,
        show_default=True,
        help="Seconds between ranges whose noise is independent.",
    ),
    _option(
        "--satellite-clock",
        type=click.Choice(("estimated", "known")),
        default="estimated",
        show_default=True,
        help="Whether the satellite's clock is an unknown of each epoch.",
    ),
)
ORBITS = _stack(
    _option(
        "--table",
        "which",
        type=click.Choice(NETWORK_TABLES),
        default="summary",
        show_default=True,
        help="Per orbit class, per satellite, arcs and gaps, common view, worth of stations, best sites.",
    ),
    _option("--repeat", is_flag=True, help="Span until the ground tracks repeat: GLONASS 8 days, BeiDou 7."),
    RANGES,
)
NETWORK_MAPS = _stack(
    _option(
        "--depth-map",
        type=click.Path(),
        metavar="PATH",
        help="Map of how many stations see a satellite above each point: .nc, .png, .svg.",
    ),
    _option(
        "--orbit",
        metavar="S:CLASS",
        show_default="R:MEO",
        help="Orbit of --depth-map: R:MEO, C:MEO, C:IGSO, C:GEO, E:MEO, G:MEO.",
    ),
    _option(
        "--site-map",
        type=click.Path(),
        metavar="PATH",
        help="Map of what one more station would add to the last network: .nc, .tif, .png, .svg.",
    ),
)
HOSTING = _stack(
    _option(
        "--homes",
        default="R=russia,C=china",
        show_default=True,
        metavar="S=NAME[,...]",
        help="Home network of each system; one's own is written R=Obninsk+Irkutsk+path.toml.",
    ),
    _option(
        "--network-mask",
        "network_mask_deg",
        type=float,
        default=5.0,
        show_default=True,
        metavar="DEG",
        help="Elevation mask of the ground networks.",
    ),
)
CLOCKS = _option(
    "--clocks",
    default="per-system",
    show_default=True,
    metavar="per-system|common|prior:NS",
    help="Receiver clock offsets between systems: estimated, known, or known to NS nanoseconds.",
)
MAX_PDOP = _option(
    "--max-pdop",
    type=float,
    default=6.0,
    show_default=True,
    metavar="X",
    help="Largest PDOP with which a position counts as available.",
)
