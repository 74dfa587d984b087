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
@opt.OUTPUT
def command(sql: str, archive: str, **shared: Any) -> int:
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

    session.write(with_dates_as_text(query(archive, sys.stdin.read() if sql == "-" else sql)))
    return 0
