"""``gnss-coop ledger``: what two systems gain from each other, on one page and in one table."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import network_options as own
from gnss_coop.cli import options as opt
from gnss_coop.cli.network_notes import tell_long_step
from gnss_coop.cli.session import Session
from gnss_coop.cli.skies import positions_or_nominal


@click.command("ledger")
@opt.NAV_OR_ALMANAC
@opt.SYSTEMS
@own.HOSTING
@opt.CLOCKS
@opt.mask("5,15,25")
@opt.STATIONS
@opt.MAX_PDOP
@opt.TIME
@own.RANGES
@opt.NOMINAL
@opt.SP3
@opt.FORECAST
@opt.READING
@opt.folder("ledger")
def command(
    nav: tuple[str, ...], systems: str, clocks: str, mask_deg: tuple[float, ...], max_pdop: float, **shared: Any
) -> int:
    """Write a statement of mutual gain: a page and a table of what two systems gain from each other.

    Both directions, by signals and by stations hosted at the other's home: each standalone, joint and the
    difference, per site and in total. The names of the files go to standard output.

    \b
    Example:
      gnss-coop ledger "$(gnss-coop sample)" -o ledger
    """
    folder, overwrite = shared.pop("folder"), shared.pop("overwrite")
    session = Session(**shared)
    from gnss_coop.ledger.mutual_gain import hosted_stations, mutual_gain, pair_of
    from gnss_coop.ledger.page import check_ledger_folder, write_ledger
    from gnss_coop.networks.networks import Networks

    if session.option("at") is not None:
        raise click.UsageError("a ledger needs a span: give --start with --hours or --end instead of --at")
    check_ledger_folder(folder, overwrite=overwrite)
    pair, homes, network = pair_of(systems), Networks.of(shared["homes"]), session.network()
    hosted_stations(pair, homes)  # a wrong system or network is told before anything is read
    sky, _ = positions_or_nominal(session, nav, ",".join(pair))
    table = mutual_gain(
        sky, pair, stations=network, mask_deg=mask_deg, clocks=clocks, limit=max_pdop, homes=homes,
        network_mask_deg=shared["network_mask_deg"], window_h=shared["window_h"],
        range_interval_s=shared["range_interval_s"], clock_known=shared["satellite_clock"] == "known",
    )  # fmt: skip
    for path in write_ledger(table, folder, overwrite=overwrite):
        click.echo(path)
    tell_long_step(session, table.attrs["step_s"])
    return session.exit_code(nav)
