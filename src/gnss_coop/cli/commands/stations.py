"""``gnss-coop stations``: the known stations and networks."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session


@click.command("stations")
@click.argument("names", nargs=-1, metavar="[NAME|NETWORK|PATH]...")
@opt.OUTPUT
def command(names: tuple[str, ...], **shared: Any) -> int:
    """List the known stations, or those of given files: name, coordinates, networks.

    \b
    Example:
      gnss-coop stations russia
    """
    session = Session(selection=names or ("all",), **shared)
    from gnss_coop.output.flat_tables import stations_frame

    session.write(stations_frame(session.network()))
    return 0
