"""``gnss-coop positions``: Earth-fixed satellite positions."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, letters_of


@click.command("positions")
@opt.NAV_OR_ALMANAC
@opt.LETTERS
@opt.TIME
@opt.SP3
@opt.FORECAST
@opt.READING
@opt.INCLUDE_UNHEALTHY
@opt.OUTPUT
def command(nav: tuple[str, ...], systems: str | None, include_unhealthy: bool, **shared: Any) -> int:
    """Compute Earth-fixed satellite positions [m], with age [s] and message of the ephemeris used.

    \b
    Example:
      gnss-coop positions "$(gnss-coop sample)" --systems R \\
        --at 2024-01-10T12:00:00
    """
    session = Session(**shared)
    from gnss_coop.output.flat_tables import positions_frame

    if not session.when_is_given():
        raise click.UsageError("no epoch given: use --at T for one epoch, or --start T with --end or --hours")
    letters = letters_of(systems)
    data = session.any_source(nav)
    session.write(positions_frame(session.positions(data, letters, include_unhealthy=include_unhealthy)))
    return session.exit_code(nav)
