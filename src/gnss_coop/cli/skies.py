"""Where positions come from for commands that can plan: files, an almanac, or nominal constellations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gnss_coop.cli.session import Session, letters_of

if TYPE_CHECKING:
    import xarray as xr


def positions_or_nominal(session: Session, nav: tuple[str, ...], systems: str) -> tuple[xr.Dataset, list[str]]:
    """Return positions from files, or of nominal constellations, and the scenarios that they allow."""
    from gnss_coop.model.scenario import parse_scenarios

    if session.option("nominal") is None:
        if not nav and session.option("almanac") is None and not session.option("sp3"):
            raise click.UsageError("give navigation files, --sp3 FILE, --almanac FILE, or --nominal with --epoch")
        if session.option("epoch") is not None:
            raise click.UsageError("--epoch goes with --nominal; --start or --at say when with files")
        data = session.any_source(nav)
        scenarios = session.without_missing(data, systems)
        return session.positions(data, letters_of(scenarios)), scenarios
    if nav or any(session.option(name) for name in ("almanac", "forecast_days", "sp3")):
        raise click.UsageError("--nominal goes without navigation files, --sp3, --almanac and --forecast")
    from gnss_coop.elements.nominal import nominal_constellation

    letters = letters_of(session.option("nominal")) or ()
    scenarios = [str(s) for s in parse_scenarios(systems) if set(s.systems) <= set(letters)]
    if not scenarios:
        raise click.UsageError(f"--nominal {session.option('nominal')} holds no system of --systems {systems}")
    sky = nominal_constellation(list(letters), session.nominal_epochs())
    excluded = list(session.option("exclude_sv"))
    if absent := set(excluded) - set(sky["sv"].values.tolist()):
        raise click.UsageError(f"--nominal holds no satellite {', '.join(sorted(absent))} that --exclude-sv could take")
    used = set(letters_of(scenarios) or ())
    kept = [sv for sv in sky["sv"].values.tolist() if sv[0] in used and sv not in excluded]
    session.stamp(sky)
    return sky.sel(sv=kept), scenarios
