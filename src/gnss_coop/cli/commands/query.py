"""``gnss-coop query``: query an archive with SQL."""

from __future__ import annotations

import sys
from typing import Any

import click

from gnss_coop.cli import batch_options as own
from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session


@click.command("query")
@click.argument("sql", metavar="SQL")
@own.ARCHIVE
@opt.option(
    "--max-rows",
    type=click.IntRange(min=1),
    default=1_000_000,
    show_default=True,
    metavar="N",
    help="Rows of the answer; what is beyond them is left out, with a warning.",
)
@opt.option(
    "--timeout", "timeout_s", type=opt.Seconds(), default=300.0, show_default=True, help="Longest time for the answer."
)
@opt.OUTPUT
def command(sql: str, archive: str, max_rows: int, timeout_s: float, **shared: Any) -> int:
    """Query an archive with SQL (DuckDB, read-only): one SELECT, or - to read it from standard input.

    Tables are the products (compare, passes, ...), those of the ledger (jobs, files, ...), and the views
    daily_availability, monthly_gain, worst_intervals and missing_days. Nothing can be changed, and no other
    file can be read.

    \b
    Example:
      gnss-coop query "SELECT station, systems, availability_pct FROM daily_availability" --archive results
    """
    session = Session(**shared)
    from gnss_coop.batch.archive.query import query
    from gnss_coop.output.flat_tables import with_dates_as_text

    text = sys.stdin.read() if sql == "-" else sql
    session.write(with_dates_as_text(query(archive, text, max_rows=max_rows, timeout_s=timeout_s)))
    return 0
