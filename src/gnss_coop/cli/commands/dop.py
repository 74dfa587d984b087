"""``gnss-coop dop``: dilution of precision per station and epoch."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, letters_of


@click.command("dop")
@opt.NAV_OR_ALMANAC
@opt.SCENARIOS
@opt.CLOCKS
@opt.mask("5")
@opt.STATIONS
@opt.TIME
@opt.SP3
@opt.FORECAST
@opt.READING
@opt.OUTPUT
def command(nav: tuple[str, ...], systems: str, clocks: str, mask_deg: tuple[float, ...], **shared: Any) -> int:
    """Compute the dilution of precision per epoch, station, scenario and mask.

    Where no solution exists the DOPs are empty and n_used says how many satellites there are. With several
    receiver clocks TDOP is the root of the sum of their squares, so that GDOP^2 = PDOP^2 + TDOP^2.

    \b
    Example:
      gnss-coop dop "$(gnss-coop sample)" --at 2024-01-10T12:00:00Z --mask 15
    """
    session = Session(**shared)
    from gnss_coop.geometry.dop import dilution_of_precision
    from gnss_coop.output.flat_tables import dop_frame

    letters = letters_of(systems)
    network = session.network()
    data = session.any_source(nav)
    sky = session.positions(data, letters)
    dop = dilution_of_precision(sky, network, systems.split(","), mask_deg=list(mask_deg), clocks=clocks)
    session.write(session.mark_forecast(dop_frame(dop), sky))
    return session.exit_code(nav)
