"""``gnss-coop sample``: where the installed sample files are."""

from __future__ import annotations

import click


@click.command("sample")
@click.option("--obs", is_flag=True, help="Print the path of the observation file instead.")
def command(obs: bool) -> int:
    """Print the path of a sample file: GLONASS and BeiDou ephemerides of 2024-01-10.

    It comes with the package, so that the examples of every command run anywhere.

    \b
    Example:
      gnss-coop info "$(gnss-coop sample)"
    """
    from gnss_coop.formats.sample import sample_file

    click.echo(sample_file("obs" if obs else "nav"))
    return 0
