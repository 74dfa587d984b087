"""Options and arguments that commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import click
from click.core import ParameterSource

from gnss_coop.constants import DEFAULT_STEP_S

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
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        if not 0 < seconds < float("inf"):
            self.fail(f"must be positive, got {value}", param, ctx)
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


def option(*names: str, **settings: Any) -> Decorator:
    """Make an option that the environment can set: --max-pdop by GNSS_COOP_MAX_PDOP."""
    flag = next(name for name in reversed(names) if name.startswith("--"))
    return click.option(*names, envvar="GNSS_COOP_" + flag[2:].replace("-", "_").upper(), **settings)


def stack(*decorators: Decorator) -> Decorator:
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
    return option(
        "--mask",
        "mask_deg",
        type=CommaSeparated("numbers", float),
        default=default,
        show_default=True,
        metavar="DEG[,DEG...]",
        help="Elevation masks; results are computed for each.",
    )


SP3 = option(
    "--sp3",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="Precise orbits (SP3) instead of navigation files; repeat it for each file. SP3 holds no health.",
)
#: One default step for all commands: availabilities of two commands differ where their steps do.
STEP = option(
    "--step", "step_s", type=Seconds(), default=DEFAULT_STEP_S, show_default=True, help="Seconds between epochs."
)
TIME = stack(
    option("--start", metavar="T", help="First epoch, ISO 8601; UTC if it ends in Z, else GPST."),
    option("--end", metavar="T", help="End of the span, exclusive."),
    option("--hours", type=float, metavar="H", help="Length of the span, instead of --end."),
    option("--at", metavar="T", help="One epoch instead of a span."),
    STEP,
)
NAV: Decorator = click.argument("nav", nargs=-1, required=True, metavar="NAV...")
#: Where an almanac can stand for the files.
NAV_OR_ALMANAC: Decorator = click.argument("nav", nargs=-1, metavar="[NAV...]")
FORECAST = stack(
    option(
        "--forecast",
        "forecast_days",
        type=click.FloatRange(0, 60, min_open=True),
        default=None,
        metavar="DAYS",
        help="Extrapolate with mean elements up to DAYS beyond the last record (at most 60).",
    ),
    option(
        "--almanac",
        type=click.Path(),
        metavar="FILE",
        help="TLE, OMM or YUMA file, used beyond the navigation files or instead of them.",
    ),
)
ACCEPT_TRUNCATED = option("--accept-truncated", is_flag=True, help="Use the readable part of a truncated file.")
INCLUDE_UNHEALTHY = option(
    "--include-unhealthy", is_flag=True, help="Include unhealthy satellites; the column healthy marks them."
)
SUMMARY = stack(
    option(
        "--format",
        "output_format",
        type=click.Choice(FORMATS),
        default="table",
        show_default=True,
        help="Output format; csv, json and parquet hold exact numbers.",
    ),
    option("--quiet", is_flag=True, help="No notes on standard error."),
)
OVERWRITE = option("--overwrite", is_flag=True, help="Replace existing outputs.")
OUTPUT = stack(
    option(
        "-o",
        "--output",
        type=click.Path(),
        metavar="PATH",
        help="Output file instead of standard output; the suffix sets the format: .csv, .json, .parquet, .txt.",
    ),
    OVERWRITE,
    SUMMARY,
)
READING = stack(
    option(
        "--exclude-sv",
        type=CommaSeparated("satellites"),
        default=(),
        metavar="SV[,SV...]",
        help="Satellites to exclude, such as R06,C03.",
    ),
    option(
        "--max-age",
        "max_age_s",
        type=AgeLimit(),
        default=None,
        help="Maximum age of an ephemeris [default: R 1800, C 3600, S 360, others 7200 s].",
    ),
    ACCEPT_TRUNCATED,
)
GRID = option("--grid", "grid_deg", type=float, default=1.0, show_default=True, metavar="DEG", help="Grid spacing.")
PROJECTION = option(
    "--projection",
    type=click.Choice(("robinson", "platecarree", "north", "south")),
    default="robinson",
    show_default=True,
    help="Projection of pictures.",
)
REGION = option(
    "--region",
    type=CommaSeparated("numbers", float),
    default=(),
    metavar="S,N,W,E",
    help="Bounds of a region; it may cross the antimeridian, as in 50,60,170,-170.",
)
PLACES = stack(
    GRID,
    REGION,
    option(
        "--points",
        type=click.Path(),
        metavar="FILE.csv",
        help="Points instead of a grid: columns name, latitude_deg, longitude_deg and, optionally, height_m.",
    ),
)
NOMINAL = stack(
    option("--nominal", metavar="S[,S...]", help="Nominal constellations instead of files, such as R,C."),
    option("--epoch", metavar="T", help="First epoch of nominal constellations [default span: 24 h]."),
)
MAP = stack(
    option(
        "--rule",
        metavar="NAME",
        help="Published rule that sets mask, step, grid and maximum PDOP: iac, gps-sps, bds-os, galileo-os.",
    ),
    option(
        "--percentiles",
        type=CommaSeparated("numbers", float),
        default="95",
        show_default=True,
        metavar="P[,P...]",
        help="Percentiles in addition to the median and the worst.",
    ),
    option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="PATH",
        help="File for the map: .nc, .zarr, .tif, .png, .svg; or for the summary: .csv, .json, .parquet, .txt.",
    ),
    option("--plot", "plots", multiple=True, metavar="PATH", help="Picture of the map: .png or .svg."),
    option(
        "--variable",
        default="pdop_median",
        show_default=True,
        metavar="NAME",
        help="Variable that pictures and GeoTIFF show.",
    ),
    option("--gain", is_flag=True, help="Draw what the supplement adds to each scenario."),
    PROJECTION,
    option("--keep-time", type=click.Path(), metavar="PATH.zarr", help="Also write the DOP of every epoch, as Zarr."),
    OVERWRITE,
    option(
        "--threads",
        type=click.IntRange(min=1),
        default=None,
        metavar="N",
        help="Number of threads [default: all processors].",
    ),
)


def folder(what: str) -> Decorator:
    """Return the options of a command that writes a folder of pages."""
    return stack(
        option(
            "-o",
            "--output",
            "folder",
            type=click.Path(),
            required=True,
            metavar="FOLDER",
            help=f"Folder for the {what}; it appears only when complete.",
        ),
        option("--overwrite", is_flag=True, help=f"Replace an existing {what}."),
        option("--quiet", is_flag=True, help="No notes on standard error."),
    )


REPORT = stack(
    folder("report"),
    option(
        "--language",
        type=click.Choice(("en", "ru", "zh")),
        default="en",
        show_default=True,
        help="Language of the pages: English, Russian, Chinese.",
    ),
)
PASSES = option("--passes", is_flag=True, help="List rise, culmination and set of each satellite instead of epochs.")
STATIONS = option(
    "--stations",
    "selection",
    type=CommaSeparated("stations"),
    default="joint",
    show_default=True,
    metavar="NAME[,...]|NETWORK|PATH",
    help="Stations by name or marker, networks (china, russia, joint), station files or folders.",
)
SCENARIOS = option(
    "--systems",
    default="R,C,R+C",
    show_default=True,
    metavar="S[,S...]",
    help="Scenarios: system letters, joined by + where systems are used together.",
)
SYSTEMS = option("--systems", default="R,C", show_default=True, metavar="S[,S...]", help="Systems by letter.")
LETTERS = option("--systems", default=None, metavar="S[,S...]", help="Systems by letter; all by default.")
CLOCKS = option(
    "--clocks",
    default="per-system",
    show_default=True,
    metavar="per-system|common|prior:NS",
    help="Clock model: offsets between systems estimated, known, or known to NS nanoseconds (1 sigma).",
)
MAX_PDOP = option(
    "--max-pdop",
    type=float,
    default=6.0,
    show_default=True,
    metavar="X",
    help="Largest PDOP at which a position counts as available.",
)
