"""``gnss-coop visibility``: satellites above the mask, per station and epoch."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, letters_of


@click.command("visibility")
@opt.NAV
@opt.LETTERS
@opt.mask("5")
@opt.STATIONS
@opt.time(300.0)
@opt.READING
@opt.OUTPUT
def command(nav: tuple[str, ...], systems: str | None, mask_deg: tuple[float, ...], **shared: Any) -> int:
    """List satellites above the mask and the station's horizon: azimuth and elevation.

    \b
    Example:
      gnss-coop visibility sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz --systems R \\
        --stations Irkutsk --at 2024-01-10T12:00:00
    """
    if len(mask_deg) > 1:
        raise click.UsageError("visibility takes one --mask")
    session = Session(**shared)
    from gnss_coop.analysis.visibility import visibility
    from gnss_coop.output.frames import visibility_frame

    letters = letters_of(systems)
    network = session.network()
    data = session.read(nav)
    seen = visibility(session.positions(data, letters), network, mask_deg=mask_deg[0])
    session.write(visibility_frame(seen))
    return session.exit_code(nav)
