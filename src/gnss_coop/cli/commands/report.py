"""``gnss-coop report``: a folder of pages about what stations see, and the data behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.commands.track_check import ObsThenNav
from gnss_coop.cli.session import Session, letters_of, sources

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.network import Network
    from gnss_coop.model.observations import Observations
    from gnss_coop.orbits.outlook import Outlook
    from gnss_coop.tracking.tracked import Tracking


class NavThenObs(ObsThenNav):
    """The same for ``--obs`` after NAV files."""

    spread = "--obs"


@click.command("report", cls=NavThenObs)
@opt.NAV_OR_ALMANAC
@opt.SCENARIOS
@opt.CLOCKS
@opt.mask("5,15,25")
@opt.STATIONS
@opt.MAX_PDOP
@opt.TIME
@opt.FORECAST
@opt.READING
@click.option("--obs", multiple=True, metavar="OBS...", help="Observation files to compare with the prediction.")
@opt.REPORT
def command(
    nav: tuple[str, ...], systems: str, clocks: str, mask_deg: tuple[float, ...], max_pdop: float, **shared: Any
) -> int:
    """Write a report: one page per station, one that compares all stations, and the data.

    The pages need no network, are made for print, and hold sky plots, passes, DOPs, the worst intervals, the
    ephemerides' health and what the systems gain from each other, drawn for the first --mask. Their names go
    to standard output.

    \b
    Example:
      gnss-coop report "$(gnss-coop sample)" --stations joint -o report
    """
    folder, language, overwrite = (shared.pop(name) for name in ("folder", "language", "overwrite"))
    session = Session(**shared)
    from gnss_coop.reports.station_report import station_reports
    from gnss_coop.reports.write import check_folder, write_report

    if session.option("at") is not None:
        raise click.UsageError("a report needs a span: give --start with --hours or --end instead of --at")
    check_folder(folder, overwrite=overwrite)
    letters_of(systems)
    network = session.network()
    observations = _observations(session, shared["obs"])
    data = session.source(nav)
    scenarios = session.without_missing(data, systems)
    network, trackings = _receivers(session, network, observations, data, scenarios, mask_deg[0])
    reports = station_reports(
        data, network, session.epochs(data, letters_of(scenarios)), scenarios, mask_deg=mask_deg, clocks=clocks,
        limit=max_pdop, exclude_sv=shared["exclude_sv"], max_age_s=shared["max_age_s"], trackings=trackings,
    )  # fmt: skip
    session.tell_forecast(reports[0].sky)
    session.tell_incomplete(reports[0].sky)
    pages = write_report(reports, folder, language=language, overwrite=overwrite, observations=shared["obs"])
    for page in pages:
        click.echo(page)
    return session.exit_code(nav)


def _observations(session: Session, files: tuple[str, ...]) -> list[Observations]:
    """Read observation files; those of one marker belong together."""
    from gnss_coop.formats.rinex.obs import read_obs

    accept_truncated = session.option("accept_truncated")
    by_marker: dict[str, list[tuple[Any, Observations]]] = {}
    for file in sources(files):
        read = read_obs(file, accept_truncated=accept_truncated)
        by_marker.setdefault(read.headers[0].marker.upper()[:4], []).append((file, read))
    several = [
        group[0][1] if len(group) == 1 else read_obs([file for file, _ in group], accept_truncated=accept_truncated)
        for group in by_marker.values()
    ]
    for observations in several:
        for reject in observations.rejects[:3]:
            session.note(f"rejected: {reject.file}, line {reject.line}: {reject.reason}")
    return several


def _receivers(
    session: Session,
    network: Network,
    observations: list[Observations],
    data: Ephemerides | Outlook,
    scenarios: list[str],
    mask_deg: float,
) -> tuple[Network, dict[str, Tracking]]:
    """Return the stations with those of receivers that stand elsewhere, and what was tracked."""
    if not observations:
        return network, {}
    from gnss_coop.orbits.outlook import Outlook
    from gnss_coop.reports.receivers import receivers_of

    nav = data.nav if isinstance(data, Outlook) else data
    if nav is None:
        raise click.UsageError("--obs needs navigation files of the same day, not only an almanac")
    network, trackings = receivers_of(
        network, observations, nav, systems=letters_of(scenarios), mask_deg=mask_deg,
        exclude_sv=session.option("exclude_sv"), max_age_s=session.option("max_age_s"),
    )  # fmt: skip
    for tracking in trackings.values():
        for note in tracking.notes:
            session.note(f"note: {tracking.station.name}: {note}")
    return network, trackings
