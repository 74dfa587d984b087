"""Figures of the ledger as SVG: what each place has alone, and what jointly, as two marks joined by a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.ledger.mutual_gain import ALL_HOSTED, ALL_SITES
from gnss_coop.ledger.quantities import HOSTING, SIGNALS
from gnss_coop.output.pages.figures import (
    DOP_TOP,
    INK,
    PAPER,
    RULE,
    SYSTEM_STROKES,
    dop_axis,
    inline_svg,
    new_figure,
    settings,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Row = dict[Any, Any]

_ROW_HEIGHT: Final = 0.2  # inches
_MARGIN_TOP, _MARGIN_BOTTOM, _BETWEEN = 0.3, 0.42, 0.55
_FOLDS: Final = ("k1_pct", "k2_pct", "k3_pct", "k4_pct")


def signals_figure(table: pd.DataFrame, mask_deg: float) -> str:
    """Draw availability and median PDOP at each site: a column a beneficiary.

    Parameters
    ----------
    table : pandas.DataFrame
        As `mutual_gain` gives it.
    mask_deg : float
        One of the users' masks.

    Returns
    -------
    str
        SVG element; words stand as keys: ``[[site 0]]``, ``[[all sites]]``, ``[[availability_pct]]``.
    """
    sites = [*table.attrs["sites"], ALL_SITES]
    names = [f"[[site {i}]]" for i in range(len(sites) - 1)] + [f"[[{ALL_SITES}]]"]
    chosen = table[(table["kind"] == SIGNALS) & (table["mask_deg"] == mask_deg)]
    quantities = ("availability_pct", "pdop_median")
    return _figure(table, "signals", [(key, _by(chosen, "place", sites, key), names) for key in quantities])


def stations_figure(table: pd.DataFrame) -> str:
    """Draw k-fold coverage and the orbit sigma of each orbit class: a column a beneficiary.

    Parameters
    ----------
    table : pandas.DataFrame
        As `mutual_gain` gives it.

    Returns
    -------
    str
        SVG element; words stand as keys: ``[[k1_pct]]``, ``[[sigma_3d_m]]``, ``[[MEO]]``.
    """
    total = table[(table["kind"] == HOSTING) & (table["place"] == ALL_HOSTED)]
    orbits = total["orbit"].unique().tolist()
    orbits = [*(orbit for orbit in ("MEO", "IGSO", "GEO") if orbit in orbits), "all"]
    folds = {
        own: [_row(part[part["orbit"] == "all"], "quantity", key) for key in _FOLDS]
        for own, part in total.groupby("beneficiary")
    }
    sigmas = _by(total, "orbit", orbits, "sigma_3d_m")
    rows = [
        ("share_pct", folds, [f"[[{key}]]" for key in _FOLDS]),
        ("sigma_3d_m", sigmas, [f"[[{orbit}]]" for orbit in orbits]),
    ]
    return _figure(table, "stations", rows)


_Panel = tuple[str, dict[Any, list[Row | None]], list[str]]


def _by(table: pd.DataFrame, column: str, names: Sequence[str], quantity: str) -> dict[Any, list[Row | None]]:
    """Return for each beneficiary the rows of one quantity by a column, None where there is none."""
    part = table[table["quantity"] == quantity]
    return {own: [_row(rows, column, name) for name in names] for own, rows in part.groupby("beneficiary")}


def _row(table: pd.DataFrame, column: str, value: str) -> Row | None:
    found = table[table[column] == value].to_dict("records")
    return found[0] if found else None


def _figure(table: pd.DataFrame, name: str, panels: Sequence[_Panel]) -> str:
    pair, limit = table.attrs["systems"], table.attrs["limit"]
    heights = [_ROW_HEIGHT * len(labels) for _, _, labels in panels]
    height = sum(heights) + _MARGIN_TOP + _MARGIN_BOTTOM + _BETWEEN * (len(panels) - 1)
    with settings():
        figure = new_figure(height)
        grid = figure.subplots(
            len(panels), 2, sharey="row", sharex="row", squeeze=False,
            gridspec_kw={"height_ratios": heights, "hspace": _BETWEEN * len(panels) / sum(heights), "wspace": 0.06},
        )  # fmt: skip
        figure.subplots_adjust(left=0.235, right=0.985, top=1.0 - _MARGIN_TOP / height, bottom=_MARGIN_BOTTOM / height)
        for line, (quantity, rows, labels) in zip(grid, panels, strict=True):
            for axes, own in zip(line, pair, strict=True):
                _marks(axes, rows[own], own)
                axes.set_xlabel(f"[[{quantity}]]")
                axes.grid(True)
                axes.set_axisbelow(True)
                axes.spines[["top", "right"]].set_visible(False)
            line[0].set_yticks(range(len(labels)), labels)
            line[0].set_ylim(len(labels) - 0.5, -0.5)
            _scale(line[0], quantity, [row for side in rows.values() for row in side if row], limit)
        for axes, own in zip(grid[0], pair, strict=True):
            axes.set_title(f"[[{own}]]", size=9)
        return inline_svg(figure, name)


def _marks(axes: Axes, rows: Sequence[Row | None], own: str) -> None:
    """Draw an open mark for what is there alone, a full one for what is there jointly."""
    color = SYSTEM_STROKES[own].color
    for y, row in enumerate(rows):
        if row is None:
            continue
        alone, joint = (value if np.isfinite(value) else np.nan for value in (row["standalone"], row["joint"]))
        axes.plot([alone, joint], [y, y], color=color, linewidth=1.6)
        axes.plot([alone], [y], "o", color=color, markerfacecolor=PAPER, markersize=5.5)
        axes.plot([joint], [y], "o", color=color, markersize=5.5)


def _scale(axes: Axes, quantity: str, rows: Sequence[Row], limit: float) -> None:
    values = np.array([row[key] for row in rows for key in ("standalone", "joint")], np.float64)
    if quantity.endswith("_pct"):
        axes.set_xlim(-3.0, 103.0)
    elif quantity == "pdop_median":
        dop_axis(axes.xaxis, values[values <= DOP_TOP], limit)
        for panel in axes.figure.axes:
            if panel.get_shared_x_axes().joined(panel, axes):
                panel.axvline(limit, color=INK, linewidth=1.0, linestyle=(0, (1, 1.5)))
    else:
        finite = values[np.isfinite(values)]
        axes.set_xscale("log")
        low, high = (finite.min(), finite.max()) if finite.size else (1.0, 100.0)
        axes.set_xlim(low / 1.5, high * 1.5)
        ticks = [
            tick
            for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4)
            if low / 1.5 <= tick <= high * 1.5
        ]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.set_xticks([], minor=True)
        axes.tick_params(axis="x", colors=INK, gridOn=True, grid_color=RULE)
