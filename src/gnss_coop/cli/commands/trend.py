"""``gnss-coop trend``: availability and gain over the months of an archive."""

from __future__ import annotations

from typing import Any, Final

import click

from gnss_coop.cli import batch_options as own
from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session

#: Endings of --output that ask for the picture; the table then goes to standard output.
PICTURES: Final = (".png", ".svg")


@click.command("trend")
@click.argument("archive", type=click.Path(), metavar="ARCHIVE")
@own.TREND
@opt.OUTPUT
def command(archive: str, **shared: Any) -> int:
    """Show availability and gain of an archive over days, months or years, and plot them.

    \b
    Example:
      gnss-coop trend results --per month --plot trend.png
    """
    if (path := shared["output"]) is not None and path.lower().endswith(PICTURES):
        if shared["plot"] is not None:
            raise click.UsageError("--plot and --output both name a picture: give only one of them")
        shared["plot"], shared["output"] = path, None
    session = Session(**shared)
    from gnss_coop.batch.archive.trend import trend
    from gnss_coop.maps.files import check_target
    from gnss_coop.orbits.completeness import COMPLETE_PCT
    from gnss_coop.output.flat_tables import with_dates_as_text

    if shared["plot"] is not None:
        check_target(shared["plot"], overwrite=shared["overwrite"], kinds=PICTURES)
    table = trend(archive, period=shared["period"], stations=shared["selection"])
    if n_left_out := int(table["n_days_incomplete"].max()):
        session.note(
            f"warning: up to {n_left_out} days of a period are left out: their files hold less than {COMPLETE_PCT:g} % "
            "of the satellites in view, as those of one receiver far away do"
        )
    if shared["plot"] is not None:
        _draw(session, table)
    session.write(with_dates_as_text(table))
    return 0


def _draw(session: Session, table: Any) -> None:
    from gnss_coop.batch.archive.trend_plot import plot_trend

    station, clocks = table["station"].iloc[0], table["clocks"].iloc[0]
    shown = table[(table["station"] == station) & (table["clocks"] == clocks)]
    if len(shown) < len(table):
        session.note(f"the picture shows {station}, clocks {clocks}; the table holds all")
    plot_trend(shown, session.option("plot"), overwrite=session.option("overwrite"))
    session.note(f"wrote {session.option('plot')}")
