"""``gnss-coop info``: what navigation files hold, and what was rejected."""

from __future__ import annotations

from typing import Any

import click

from gnss_coop.cli import options as opt
from gnss_coop.cli.session import Session, sources


@click.command("info")
@opt.NAV
@click.option("--rejects", is_flag=True, help="List every rejected record: file, line, satellite, reason.")
@opt.ACCEPT_TRUNCATED
@opt.OUTPUT
def command(nav: tuple[str, ...], rejects: bool, accept_truncated: bool, **shared: Any) -> int:
    """Tell what is in each file: version, systems, messages, satellites, records, span.

    \b
    Example:
      gnss-coop info sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz
    """
    import pandas as pd

    session = Session(**shared)
    from gnss_coop.errors import RinexError
    from gnss_coop.formats.rinex_nav import read_nav
    from gnss_coop.output.frames import info_frame

    frames = []
    files = sources(nav)
    for source in files:
        try:
            data = read_nav(source, accept_truncated=accept_truncated)
        except RinexError as error:
            if len(files) == 1:
                raise
            session.failures.append(error)
            session.error(error)
            continue
        frames.append(data.rejected() if rejects else info_frame(data))
        session.note(
            f"{data.files[0]}: RINEX {data.headers[0].version:.2f}, {len(data)} usable records, "
            f"{data.n_duplicates} duplicates counted once, {len(data.rejects)} rejected, "
            f"{len(data.frames)} frames of other kinds"
        )
    if frames:
        session.write(pd.concat(frames, ignore_index=True))
    return session.exit_code(nav)
