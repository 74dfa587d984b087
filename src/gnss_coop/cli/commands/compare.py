"""``gnss-coop compare``: standalone against supplemented, per station and mask."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, letters_of


@click.command("compare")
@opt.NAV_OR_ALMANAC
@opt.SP3
@opt.SCENARIOS
@opt.CLOCKS
@opt.mask("5,15,25")
@opt.STATIONS
@opt.MAX_PDOP
@opt.TIME
@opt.READING
@opt.OUTPUT
def command(
    nav: tuple[str, ...], systems: str, clocks: str, mask_deg: tuple[float, ...], max_pdop: float, **shared: Any
) -> int:
    """Compare systems alone and together: satellites, DOP, availability and gain.

    Availability is the share of epochs with PDOP <= --max-pdop. Gains compare a scenario with the smallest
    one that holds it: how far the median PDOP falls [%] and the availability rises [percentage points].
    "none" means that the median or percentile falls among epochs without a solution.

    \b
    Example:
      gnss-coop compare "$(gnss-coop sample)" --mask 5,25 --stations china
    """
    session = Session(**shared)
    from gnss_coop.geometry.comparison import compare, findings
    from gnss_coop.geometry.dop import dilution_of_precision

    letters_of(systems)  # a wrong letter or station is told before anything is read
    network = session.network()
    data = session.any_source(nav)
    scenarios = session.without_missing(data, systems)
    sky = session.positions(data, letters_of(scenarios))
    dop = dilution_of_precision(sky, network, scenarios, mask_deg=list(mask_deg), clocks=clocks)
    table = compare(dop, limit=max_pdop)
    text = None
    if session.wants_text:
        from gnss_coop.geometry.comparison_text import comparison_text

        text = comparison_text(table, findings(table), files=sky.attrs["files"], color=session.color)
    session.write(table, text)
    return session.exit_code(nav)
