"""Availability, PDOP and gain over time, as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.errors import OutputError
from gnss_coop.output.pages.figures import scenario_strokes
from gnss_coop.output.whole_file import replace_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Options of savefig by suffix: no date and no program version, so that the same figures give the same file.
_KINDS: Final[dict[str, dict[str, Any]]] = {
    ".png": {"format": "png", "dpi": 150, "metadata": {"Software": None}},
    ".svg": {"format": "svg", "metadata": {"Date": None}},
}
_SETTINGS: Final = {"svg.hashsalt": "gnss-coop", "font.family": "DejaVu Sans", "font.size": 9.0, "axes.linewidth": 0.6}
#: What is drawn, from above: column, label, and whether only supplemented scenarios have it.
_PANELS: Final = (
    ("availability_pct", "availability [%]", False),
    ("pdop_median", "median PDOP", False),
    ("pdop_drop_pct", "PDOP falls by [%]", True),
    ("availability_gain_points", "availability gained [points]", True),
)
_WIDTH_IN, _PANEL_IN = 9.0, 1.7


def plot_trend(table: pd.DataFrame, path: str | Path, *, overwrite: bool = False) -> Figure:
    """Draw the trend of one or several masks: a column of panels for each.

    Parameters
    ----------
    table : pandas.DataFrame
        As `trend` gives it, of one station (or ``all``) and one clock model.
    path : str or Path
        Name ending in .png or .svg.
    overwrite : bool
        Whether to replace what is there.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    OutputError
        For several stations or clocks, an unknown kind of picture, or a file that exists.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise OutputError("pictures need the package matplotlib: pip install 'gnss-coop[map]'") from None
    suffix = Path(path).suffix.lower()
    if suffix not in _KINDS:
        raise OutputError(f"{path}: unknown kind of picture; its name must end in {' or '.join(_KINDS)}")
    for column in ("station", "clocks"):
        if table[column].nunique() != 1:
            found = ", ".join(map(str, table[column].unique()))
            raise OutputError(f"a picture shows one {column}, not {found or 'none'}: choose one")
    with mpl.rc_context(_SETTINGS):
        figure = _draw(table)
        replace_file(path, lambda draft: figure.savefig(draft, **_KINDS[suffix]), overwrite=overwrite)
    return figure


def _draw(table: pd.DataFrame) -> Figure:
    from matplotlib.figure import Figure

    masks = sorted(table["mask_deg"].unique())
    figure = Figure(figsize=(_WIDTH_IN, 0.9 + _PANEL_IN * len(_PANELS)), layout="constrained")
    axes = figure.subplots(len(_PANELS), len(masks), sharex=True, sharey="row", squeeze=False)
    strokes = scenario_strokes(list(dict.fromkeys(table["systems"])))
    for column, mask in enumerate(masks):
        own = table[table["mask_deg"] == mask]
        if len(masks) > 1:
            axes[0, column].set_title(f"elevation mask {mask:g}°", fontsize=9)
        for row, (name, label, supplemented) in enumerate(_PANELS):
            _panel(axes[row, column], own, name, strokes, supplemented)
            if column == 0:
                axes[row, column].set_ylabel(label)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    station = table["station"].iloc[0]
    place = "all stations" if station == "all" else station
    days = table["period"].astype(str)
    shown = f"elevation mask{'s' if len(masks) > 1 else ''} {', '.join(f'{mask:g}' for mask in masks)}°"
    span = f"{days.min()[:10]} to {days.max()[:10]}, receiver clocks {table['clocks'].iloc[0]}"
    figure.suptitle(f"Availability, median PDOP and gains, {place}\n{shown}, {span}", fontsize=11)
    return figure


def _panel(axes: Axes, own: pd.DataFrame, name: str, strokes: dict[str, Any], supplemented: bool) -> None:
    """Draw one figure of all scenarios; infinite ones leave a gap."""
    for systems, stroke in strokes.items():
        rows = own[own["systems"] == systems]
        if supplemented and not rows["supplemented_by"].astype(bool).any():
            continue
        values = rows[name].to_numpy(dtype=float)
        drawn = np.where(np.isfinite(values), values, np.nan)
        axes.plot(
            rows["period"].to_numpy(), drawn, color=stroke.color, linestyle=stroke.style, linewidth=stroke.width,
            marker=stroke.mark, markersize=4, label=systems,
        )  # fmt: skip
    axes.grid(True, color="#d8dcdf", linewidth=0.5)
    axes.tick_params(axis="x", rotation=30, labelsize=8)
