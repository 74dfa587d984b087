"""What the commands about networks say beside their tables: where the span or the step is too coarse for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gnss_coop.cli.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.networks.views import NetworkViews

#: Up to this step sigma keep within some percent of those of short steps.
_LONG_STEP_S: Final = 900.0


def tell_limits(session: Session, views: NetworkViews, table: pd.DataFrame) -> None:
    """Say what the figures of a table leave out, and what they are too coarse for."""
    if not session.wants_text:  # which has it in its head
        from gnss_coop.networks.text import network_remarks

        for remark in network_remarks(table.attrs):
            session.note(f"note: {remark}")
    which = session.option("which")
    if which == "common-view":
        _tell_homes(session, table)
    elif which not in ("sites", "candidates"):
        _tell_cuts(session, views)
    of_sigma = which in ("summary", "satellites", "worth", "candidates") or session.option("objective") == "sigma_3d_m"
    if of_sigma:
        tell_long_step(session, views.step_s)


def tell_long_step(session: Session, step_s: float) -> None:
    """Say where the step is too long for orbits."""
    if step_s > _LONG_STEP_S:
        session.note(
            f"note: a step of {step_s:g} s is too long for sigma, which sees few epochs an arc: "
            f"give --step {_LONG_STEP_S:g} or less"
        )


def _tell_cuts(session: Session, views: NetworkViews) -> None:
    from gnss_coop.networks.coverage import all_are_cut

    if all_are_cut(views):
        span_min = len(views.epoch_ns) * views.step_s / 60.0
        session.note(
            f"note: all arcs and gaps are cut by the ends of the span of {span_min:g} min or by missing "
            "ephemerides: none is seen whole"
        )


def _tell_homes(session: Session, table: pd.DataFrame) -> None:
    """Say whose longest wait for an upload is not told, and why."""
    homes = dict(table.loc[table["upload_gap_max_min"].isna(), ["system", "home"]].to_numpy().tolist())
    for system, home in homes.items():
        missing = f"its home network {home} is not among --networks" if home else "its home network is not known"
        session.note(f"note: no upload gap of {system}: {missing}")
