"""``gnss-coop network``: coverage and orbit-determination strength of ground networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from gnss_coop.cli import network_options as own
from gnss_coop.cli import options as opt
from gnss_coop.cli.network_maps import map_writers
from gnss_coop.cli.network_notes import tell_limits
from gnss_coop.cli.session import Session, letters_of
from gnss_coop.cli.skies import positions_or_nominal

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.networks.networks import Networks
    from gnss_coop.networks.views import NetworkViews


@click.command("network")
@opt.NAV_OR_ALMANAC
@own.NETWORKS
@opt.SYSTEMS
@opt.mask("5")
@opt.TIME
@opt.NOMINAL
@opt.SP3
@opt.FORECAST
@opt.READING
@own.ORBITS
@own.WORTH
@own.NETWORK_MAPS
@opt.GRID
@opt.REGION
@opt.PROJECTION
@opt.OUTPUT
def command(nav: tuple[str, ...], systems: str, mask_deg: tuple[float, ...], **shared: Any) -> int:
    """Compare coverage and orbit-determination strength of ground networks.

    k1 to k4 are percent of time with at least 1 to 4 stations in view; sigma is formal, of orbits determined
    from ranges of 1 m over --window hours. --table selects the table.

    \b
    Example:
      gnss-coop network "$(gnss-coop sample)" --step 300
    """
    if len(mask_deg) > 1:
        raise click.UsageError("network takes one --mask")
    if shared["at"] is not None:
        raise click.UsageError("network needs a span: give --start with --hours or --end instead of --at")
    session = Session(**shared)
    from gnss_coop.networks.networks import Networks
    from gnss_coop.networks.views import network_views

    networks = Networks.of(shared["networks"])
    own.refuse_idle(session)
    write_maps = map_writers(session, networks, mask_deg[0])
    if shared["repeat"]:
        _span_of_repeat(session, systems)
    if (shared["candidates"] is not None) != (shared["which"] in ("sites", "candidates")):
        raise click.UsageError("--candidates FILE and --table sites or candidates must be given together")
    candidates = None if shared["candidates"] is None else _candidates(shared["candidates"])
    sky, _ = positions_or_nominal(session, nav, systems)
    views = network_views(sky, networks, mask_deg=mask_deg[0])
    for write in write_maps:
        write(views)
    if candidates is not None:
        table = _sites(session, sky, networks, candidates, mask_deg[0])
    else:
        table = _TABLES[shared["which"]](session, views)
    session.write(table, _text(session, table))
    tell_limits(session, views, table)
    return session.exit_code(nav)


def _span_of_repeat(session: Session, systems: str) -> None:
    """Make the span as long as the ground tracks take to repeat."""
    from gnss_coop.elements.nominal import repeat_hours

    if session.option("hours") is not None or session.option("end") is not None:
        raise click.UsageError("--repeat sets the length of the span: give it without --hours and --end")
    nominal = letters_of(session.option("nominal"))
    letters = [letter for letter in letters_of(systems) or () if nominal is None or letter in nominal]
    if letters:  # without any there is nothing to look at, which is said where positions are asked for
        session.override(hours=repeat_hours(",".join(letters)))


def _orbit_options(session: Session) -> dict[str, Any]:
    ranges = {name: session.option(name) for name in ("window_h", "range_interval_s")}
    return ranges | {"clock_known": session.option("satellite_clock") == "known"}


def _summary(session: Session, views: NetworkViews) -> pd.DataFrame:
    from gnss_coop.networks.table import network_table

    return network_table(views, **_orbit_options(session))


def _satellites(session: Session, views: NetworkViews) -> pd.DataFrame:
    from gnss_coop.networks.table import satellite_table

    return satellite_table(
        views, window_h=session.option("window_h"), range_interval_s=session.option("range_interval_s")
    )


def _arcs(session: Session, views: NetworkViews) -> pd.DataFrame:
    from gnss_coop.networks.coverage import network_arcs
    from gnss_coop.output.flat_tables import with_times_as_text

    return with_times_as_text(network_arcs(views))


def _common_view(session: Session, views: NetworkViews) -> pd.DataFrame:
    from gnss_coop.networks.coverage import common_view

    return common_view(views)


def _worth(session: Session, views: NetworkViews) -> pd.DataFrame:
    from gnss_coop.networks.worth import station_worth

    with session.progress("worth") as progress:
        table = station_worth(
            views, players=session.option("players"), orbit=session.option("orbit_class"), progress=progress,
            **_orbit_options(session),
        )  # fmt: skip
    if not table.attrs["exact"]:
        session.note("Shapley values of more than 12 players are sampled: see standard_error for the precision")
    return table


def _candidates(path: str) -> Any:
    """Read places from a CSV file, or choose stations as --networks does."""
    from gnss_coop.model.grid import read_points

    return read_points(path) if path.lower().endswith(".csv") else path


def _sites(session: Session, sky: xr.Dataset, networks: Networks, candidates: Any, mask_deg: float) -> pd.DataFrame:
    from gnss_coop.networks.best_sites import MAX_SETS, best_sites, candidate_table

    if session.option("which") == "candidates":
        return candidate_table(
            sky, candidates, network=networks.network(networks.names[-1]), orbit=session.option("orbit_class"),
            mask_deg=mask_deg, **_orbit_options(session),
        )  # fmt: skip
    with session.progress("sites") as progress:
        table = best_sites(
            sky, candidates, session.option("n_best"), network=networks.network(networks.names[-1]),
            objective=session.option("objective"), orbit=session.option("orbit_class"), mask_deg=mask_deg,
            progress=progress, **_orbit_options(session),
        )  # fmt: skip
    session.note(f"sites for {networks.names[-1]}: {', '.join(networks.network(networks.names[-1]).names)}")
    if table.attrs["not_searched"]:
        sizes = ", ".join(map(str, table.attrs["not_searched"]))
        session.note(f"more than {MAX_SETS} sets of {sizes} sites: found one by one (greedy), not by trying all sets")
    for row in table[table["after"].isna()].to_dict("records"):
        session.note(
            f"note: no set of {row['n_sites']} determines the median orbit of {row['system']}: {row['sites']} is named "
            f"as the first ({row['method']})"
        )
    return table


def _text(session: Session, table: pd.DataFrame) -> str | None:
    if not session.wants_text:
        return None
    from gnss_coop.networks.text import network_text

    return network_text(table, color=session.color)


#: What --table writes.
_TABLES: Final[dict[str, Callable[[Session, NetworkViews], pd.DataFrame]]] = {
    "summary": _summary,
    "satellites": _satellites,
    "arcs": _arcs,
    "common-view": _common_view,
    "worth": _worth,
}
