"""``gnss-coop map``: world and regional maps of DOP, availability and gain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session
from gnss_coop.cli.skies import positions_or_nominal
from gnss_coop.errors import EphemerisGapError
from gnss_coop.output.targets import TABLE_KINDS, is_table

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.maps.job import MapJob
    from gnss_coop.maps.rules import Rule
    from gnss_coop.model.grid import GeoGrid, GeoPoints


#: What --keep-time keeps of every epoch, besides the satellites used.
_KEPT_DOPS: Final = ("pdop", "hdop", "vdop")


@click.command("map")
@click.argument("nav", nargs=-1, metavar="[NAV...]")
@opt.SCENARIOS
@opt.CLOCKS
@opt.mask("5")
@opt.MAX_PDOP
@opt.PLACES
@opt.TIME
@opt.NOMINAL
@opt.SP3
@opt.FORECAST
@opt.READING
@opt.MAP
@opt.SUMMARY
def command(
    nav: tuple[str, ...], systems: str, clocks: str, mask_deg: tuple[float, ...], max_pdop: float, **shared: Any
) -> int:
    """Map medians and percentiles of DOP, availability and gain over a day, for the world, a region or places.

    A summary goes to standard output: medians over the area, mean availability weighted by area, and the
    worst place. -o and --plot may be given several times; the ending says what is written: .nc, .zarr,
    .tif, .png, .svg, or for the summary .csv, .json, .parquet, .txt.

    \b
    Example:
      gnss-coop map "$(gnss-coop sample)" --grid 5 --mask 15
    """
    session = Session(output=None, **shared)
    tables = [path for path in shared["outputs"] if is_table(path)]
    shared["outputs"] = tuple(path for path in shared["outputs"] if path not in tables)
    session.write_to(tables)
    from gnss_coop.maps.dataset import variable_names
    from gnss_coop.maps.job import MapJob, check_settings
    from gnss_coop.maps.summary import map_summary

    rule = _rule(session)
    masks = [rule.mask_deg] if rule else list(mask_deg)
    limit = rule.max_pdop if rule else max_pdop
    percentiles = (50.0, *shared["percentiles"], 100.0)
    places = _places(session, shared, rule)
    asked, shares, kept = check_settings(systems, masks, clocks, limit, percentiles)
    _check_outputs(shared, places, [str(s) for s in asked], variable_names(kept, shares))
    sky, scenarios = positions_or_nominal(session, nav, systems)
    settings: dict[str, Any] = {"mask_deg": masks if len(masks) > 1 else masks[0], "clocks": clocks}
    if shared["keep_time"]:
        _check_room(session, sky, places, len(scenarios) * len(masks), shared["keep_time"])
    job = MapJob.of(sky, places, scenarios, limit=limit, percentiles=percentiles, threads=shared["threads"], **settings)
    with _computed(session, job, shared) as world:
        if rule:
            world.attrs["rule"] = rule.name
        world.attrs |= session.forecast_attributes(sky)
        summary = map_summary(world)
        if not summary["shown_pct"].any():
            raise EphemerisGapError(
                "these files hold too few of the satellites in view at any place of this map, as those of a receiver "
                "elsewhere do: take a merged file, or --forecast 1"
            )
        _write(session, world, shared)
    if shared["keep_time"]:
        _keep_time(session, sky, places, scenarios, settings, shared)
    if rule:
        _tell_rule(session, world, places, summary, rule)
    if "forecast" in sky:
        summary["forecast_pct"] = world.attrs["forecast_epochs_pct"]
    session.write(summary)
    return session.exit_code(nav)


def _rule(session: Session) -> Rule | None:
    from gnss_coop.maps.rules import rule_named

    if session.option("rule") is None:
        return None
    rule = rule_named(session.option("rule"))
    _tell_ignored(session, f"--rule {rule.name}", ("mask_deg", "max_pdop", "grid_deg", "step_s"))
    session.override(step_s=rule.step_s)
    return rule


def _tell_ignored(session: Session, reason: str, names: Sequence[str]) -> None:
    """Say which options given on the command line count for nothing."""
    given = opt.given(*names)
    if given:
        session.note(f"warning: {', '.join(given)} ignored: {reason} decides")


def _check_outputs(
    shared: dict[str, Any], places: GeoGrid | GeoPoints, scenarios: list[str], variables: Sequence[str]
) -> None:
    """Refuse outputs that could not be written before anything is read."""
    from gnss_coop.geometry.comparison import supplement_of
    from gnss_coop.maps.files import KINDS, PICTURES, check_target
    from gnss_coop.model.grid import GeoPoints

    paths = [*shared["outputs"], *shared["plots"]]
    if twice := [path for path in dict.fromkeys(paths) if paths.count(path) > 1]:
        raise click.UsageError(f"{twice[0]} is named twice: give each output a different name")
    shows = [path for path in paths if not path.lower().endswith((".nc", ".zarr"))]
    if shows and shared["variable"] not in variables:
        raise click.UsageError(f"the map has no {shared['variable']!r}; --variable is one of {', '.join(variables)}")
    if shows and shared["gain"] and not any(supplement_of(label, scenarios) for label in scenarios):
        raise click.UsageError("--gain compares scenarios with those that supplement them: map R, C and R+C together")
    if isinstance(places, GeoPoints) and any(path.lower().endswith(".tif") for path in shows):
        raise click.UsageError("a GeoTIFF takes a grid: with --points write .nc, .zarr, .png or .svg")
    overwrite = shared["overwrite"]
    for path in shared["outputs"]:
        check_target(path, overwrite=overwrite, kinds=KINDS, besides=tuple(TABLE_KINDS))
    for path in shared["plots"]:
        check_target(path, overwrite=overwrite, kinds=PICTURES)
    if shared["keep_time"]:
        check_target(shared["keep_time"], overwrite=overwrite, kinds=(".zarr",))


def _places(session: Session, shared: dict[str, Any], rule: Rule | None) -> GeoGrid | GeoPoints:
    from gnss_coop.model.grid import GeoGrid, read_points

    if shared["points"] is not None:
        if shared["region"] or shared["keep_time"]:
            raise click.UsageError("--points goes without --region and --keep-time")
        if rule is None:
            _tell_ignored(session, "--points", ("grid_deg",))
        return read_points(shared["points"])
    step_deg = rule.grid_deg if rule else shared["grid_deg"]
    return GeoGrid(step_deg, shared["region"]) if shared["region"] else GeoGrid(step_deg)


@contextmanager
def _computed(session: Session, job: MapJob, shared: dict[str, Any]) -> Iterator[xr.Dataset]:
    """Compute the map with a bar, and have it until all is written; what does not fit lies beside the first output."""
    import tempfile
    from contextlib import ExitStack
    from pathlib import Path

    from gnss_coop.maps.scratch import computed_map

    paths = [*shared["outputs"], *shared["plots"]]
    folder = Path(paths[0]).parent if paths else Path(tempfile.gettempdir())
    with ExitStack() as stack:
        with session.progress("map") as progress:
            world = stack.enter_context(computed_map(job, folder, progress))
        yield world


def _write(session: Session, world: xr.Dataset, shared: dict[str, Any]) -> None:
    from gnss_coop.maps.files import write_map

    paths = (*shared["outputs"], *shared["plots"])
    first_mask = float(world["mask_deg"].values.flat[0])
    if world["mask_deg"].size > 1 and not all(path.lower().endswith((".nc", ".zarr")) for path in paths):
        session.note(f"pictures and GeoTIFF show the first mask, {first_mask:g} deg; netCDF and Zarr hold all")
    for path in paths:
        write_map(
            world, path, overwrite=shared["overwrite"], mask_deg=first_mask, variable=shared["variable"],
            projection=shared["projection"], gain=shared["gain"],
        )  # fmt: skip
        session.note(f"wrote {path}")


def _check_room(session: Session, sky: xr.Dataset, grid: Any, n_layers: int, path: str) -> None:
    """Say how much `--keep-time` will write, and refuse what disk or memory cannot hold, at once."""
    from gnss_coop.maps.field import check_field_memory, field_names
    from gnss_coop.maps.files import check_room

    n_names, n_times = len(field_names(_KEPT_DOPS)), sky.sizes["time"]
    n_bytes = 4 * n_names * n_layers * n_times * grid.shape[0] * grid.shape[1]
    check_room(path, n_bytes)
    check_field_memory(grid, n_layers, n_names, n_times, session.option("threads"))
    session.note(f"{path} will hold up to {n_bytes / 1e6:,.1f} MB")


def _keep_time(
    session: Session, sky: xr.Dataset, grid: Any, scenarios: list[str], settings: dict[str, Any], shared: dict[str, Any]
) -> None:
    from gnss_coop.maps.field import dop_field, field_names
    from gnss_coop.maps.zarr_store import write_field

    masks = settings["mask_deg"] if isinstance(settings["mask_deg"], list) else [settings["mask_deg"]]
    blocks = dop_field(
        sky, grid, scenarios, dops=_KEPT_DOPS, threads=shared["threads"], mask_deg=masks, clocks=settings["clocks"]
    )
    write_field(
        blocks, field_names(_KEPT_DOPS), grid, {"systems": scenarios, "mask_deg": masks, "time": sky["time"].values},
        {"clocks": settings["clocks"], "time_scale": "GPST"}, shared["keep_time"], overwrite=shared["overwrite"],
    )  # fmt: skip
    session.note(f"wrote {shared['keep_time']}")


def _tell_rule(
    session: Session, world: xr.Dataset, places: GeoGrid | GeoPoints, summary: pd.DataFrame, rule: Rule
) -> None:
    """Say what the rule asks for and whether it is met: as text, and as columns of the summary."""
    from gnss_coop.maps.summary import is_met, rule_verdicts
    from gnss_coop.model.grid import GeoGrid

    span_days = world.attrs["n_epochs"] * world.attrs["step_s"] / 86_400
    globe = isinstance(places, GeoGrid) and places == GeoGrid(places.step_deg)
    for line in rule_verdicts(summary, rule, span_days, globe=globe):
        click.echo(line, err=not session.wants_text)
    summary["rule"] = rule.name
    summary["met"] = [is_met(dict(row), rule) if globe else None for _, row in summary.iterrows()]
