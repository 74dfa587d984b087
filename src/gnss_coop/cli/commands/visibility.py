"""``gnss-coop visibility``: satellites above the mask, per station and epoch, or their passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, letters_of

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.cli.session import Source
    from gnss_coop.model.network import Network


@click.command("visibility")
@opt.NAV_OR_ALMANAC
@opt.LETTERS
@opt.mask("5")
@opt.STATIONS
@opt.TIME
@opt.PASSES
@opt.SP3
@opt.FORECAST
@opt.READING
@opt.OUTPUT
def command(nav: tuple[str, ...], systems: str | None, mask_deg: tuple[float, ...], passes: bool, **shared: Any) -> int:
    """List satellites above the mask and the station's horizon: azimuth and elevation.

    With --passes list when each satellite rises, culminates and sets, to one second.

    \b
    Example:
      gnss-coop visibility "$(gnss-coop sample)" --systems R \\
        --stations Irkutsk --at 2024-01-10T12:00:00
    """
    if len(mask_deg) > 1:
        raise click.UsageError("visibility takes one --mask")
    if passes and shared["at"] is not None:
        raise click.UsageError("--passes needs a span: give --start with --end or --hours instead of --at")
    session = Session(**shared)
    letters = letters_of(systems)
    network = session.network()
    data = session.any_source(nav)
    table = _passes if passes else _visible
    session.write(table(session, data, letters, network, mask_deg[0]))
    return session.exit_code(nav)


def _visible(
    session: Session, data: Source, letters: tuple[str, ...] | None, network: Network, mask_deg: float
) -> pd.DataFrame:
    from gnss_coop.geometry.visibility import visibility
    from gnss_coop.output.flat_tables import visibility_frame

    sky = session.positions(data, letters)
    return session.mark_forecast(visibility_frame(visibility(sky, network, mask_deg=mask_deg)), sky)


def _passes(
    session: Session, data: Source, letters: tuple[str, ...] | None, network: Network, mask_deg: float
) -> pd.DataFrame:
    from gnss_coop.geometry.passes import passes
    from gnss_coop.model.systems import SYSTEMS
    from gnss_coop.orbits.outlook import Outlook, positions_from
    from gnss_coop.output.flat_tables import passes_frame

    start, end = span = session.span(data, letters)
    options = {name: session.option(name) for name in ("exclude_sv", "max_age_s")}
    found = passes(data, network, start, end, systems=letters, mask_deg=mask_deg, **options)
    for letter in letters or ():
        if letter not in data.systems:
            session.note(f"warning: no usable record of {SYSTEMS[letter].name}")
    session.stamp_span(span, data)
    n_forecast = int(found["forecast"].sum())
    if n_forecast:  # the error is the largest at one of the ends
        sky = positions_from(data, span, systems=letters, **options)
        session.tell_forecast(sky, f"{n_forecast} of {len(found)} passes run, in part at least,")
    return passes_frame(found, with_forecast=isinstance(data, Outlook))
