"""``gnss-coop diff``: where two archives of results differ."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.main import EXIT_ALL_FAILED, EXIT_SOME_FAILED
from gnss_coop.cli.session import Session


@click.command("diff")
@click.argument("a", type=click.Path(), metavar="ARCHIVE-A")
@click.argument("b", type=click.Path(), metavar="ARCHIVE-B")
@opt.OUTPUT
def command(a: str, b: str, **shared: Any) -> int:
    """Compare two archives result by result: what is missing, what differs, why, and by how much.

    The exit code is 0 where all is the same, 3 where some results differ, 4 where all do.

    \b
    Example:
      gnss-coop diff results-a results-b
    """
    session = Session(**shared)
    from gnss_coop.batch.archive.diff import diff
    from gnss_coop.output.text_and_files import as_text

    table = diff(a, b)
    n_same = table.attrs["n_same"]
    head = [f"a: {a}", f"b: {b}", f"{n_same} of {table.attrs['n_compared']} results are the same", ""]
    if not session.wants_text:
        session.note(head[2])
    body = as_text(table, color=session.color) if len(table) else ""
    session.write(table, "\n".join(head) + body)
    if table.empty:
        return 0
    return EXIT_SOME_FAILED if n_same else EXIT_ALL_FAILED
