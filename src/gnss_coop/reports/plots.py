"""Figures of the station report as SVG. Words in them are keys in double brackets, which the page translates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.model import timescales
from gnss_coop.output.pages.figures import (
    INK,
    PAPER,
    SHADE,
    SYSTEM_STROKES,
    dop_axis,
    inline_svg,
    new_figure,
    runs_of,
    scenario_strokes,
    settings,
)
from gnss_coop.reports.sky_plot import sky

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gnss_coop.reports.station_report import StationReport

Floats = npt.NDArray[np.float64]

_ROW: Final = 0.105  # inches a satellite in charts of bars
#: Possible steps between ticks of time [h], and how many steps fit.
_HOUR_STEPS: Final = (0.25, 0.5, 1.0, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, 168.0)
_MOST_STEPS: Final = 13


def figures(report: StationReport) -> dict[str, str]:
    """Draw all figures of a station.

    Parameters
    ----------
    report : StationReport

    Returns
    -------
    dict of str
        SVG elements by name: sky, passes, in_view, dop, elevation and, where a satellite lacked a healthy
        ephemeris for some time, state. Words stand as keys: ``[[time]]``.
    """
    with settings():
        return {name: inline_svg(figure, name) for name, draw in _FIGURES.items() if (figure := draw(report))}


# --- Time ---------------------------------------------------------------------------------------------------


def _hours(report: StationReport, times: Any) -> Floats:
    """Return hours since the start of the report."""
    start = timescales.parse_time(report.start_gpst)
    return (timescales.from_datetime64(times) - start) / 3.6e12


def _edges(report: StationReport) -> Floats:
    """Return the beginnings of the epochs' steps, and the end of the last one."""
    hours = _hours(report, report.seen["time"].values)
    return np.append(hours, hours[-1] + report.step_s / 3600.0)


def _time_axis(axes: Axes, report: StationReport) -> None:
    start_ns, end_ns = (timescales.parse_time(t) for t in (report.start_gpst, report.end_gpst))
    length = (end_ns - start_ns) / 3.6e12
    step = next((s for s in _HOUR_STEPS if length / s <= _MOST_STEPS), _HOUR_STEPS[-1])
    first_ns = -(-start_ns // round(step * 3.6e12)) * round(step * 3.6e12)
    ticks = np.arange((first_ns - start_ns) / 3.6e12, length + 1e-9, step)
    names = [timescales.format_time(start_ns + round(t * 3.6e12)) for t in ticks]
    axes.set(xlim=(0.0, length), xticks=ticks)
    axes.set_xticklabels([name[5:10] if step >= 24 else name[11:16] for name in names])
    axes.set_xlabel(f"[[time]] {report.start_gpst[:10]}")
    edges = _edges(report)
    for first, after in runs_of(report.ahead):
        axes.axvspan(edges[first], edges[after], color=SHADE, linewidth=0, zorder=0)
    axes.grid(True)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _rows(report: StationReport, names: Sequence[str]) -> tuple[Figure, Axes, dict[str, int]]:
    """Return a chart with one row a satellite, the first on top."""
    height = _ROW * max(len(names), 4) + 0.55
    figure = new_figure(height)
    axes = figure.add_axes((0.055, 0.42 / height, 0.915, 1 - 0.5 / height))
    _time_axis(axes, report)
    axes.set(ylim=(len(names) - 0.3, -0.7), yticks=range(len(names)))
    axes.set_yticklabels(names, size=5.5)
    axes.tick_params(axis="y", length=0)
    axes.yaxis.grid(False)
    return figure, axes, {name: row for row, name in enumerate(names)}


def passes(report: StationReport) -> Figure:
    """Draw the passes as bars, with the culmination marked, and arrows where a pass is cut."""
    table = report.passes
    names = [sv for letter in report.systems for sv in sorted(set(table["sv"].astype(str))) if sv[0] == letter]
    figure, axes, row_of = _rows(report, names)
    rows = table["sv"].map(row_of).to_numpy(np.float64)
    rise, top, set_ = (_hours(report, _times(table[f"{name}_gpst"])) for name in ("rise", "culmination", "set"))
    letters = table["sv"].str[0].to_numpy()
    for letter in report.systems:
        own = np.flatnonzero(letters == letter)
        bars = _apart(rise[own], set_[own]), _apart(rows[own], rows[own])
        axes.plot(*bars, color=SYSTEM_STROKES[letter].color, linewidth=4.6, solid_capstyle="butt")
    axes.plot(_apart(top, top), _apart(rows - 0.3, rows + 0.3), color=PAPER, linewidth=1.0, solid_capstyle="butt")
    for column, x, mark in (("begins", rise, 4), ("ends", set_, 5)):  # carets to the left and right
        cut = (table[column] != {"begins": "rise", "ends": "set"}[column]).to_numpy()
        axes.plot(x[cut], rows[cut], linestyle="", marker=mark, color=INK, markersize=3, clip_on=False)
    return figure


def _apart(first: npt.NDArray[Any], last: npt.NDArray[Any]) -> Floats:
    """Return the ends of lines as one line with breaks in it, which needs less room on the page."""
    return np.column_stack([first, last, np.full(len(first), np.nan)]).ravel()


def _times(column: Any) -> npt.NDArray[np.datetime64]:
    return np.asarray(column.to_numpy(), dtype="datetime64[ns]")


def counts_in_view(report: StationReport) -> dict[str, npt.NDArray[np.int64]]:
    """Return the number of visible satellites per epoch of each system, and of all together where there are several."""
    table = report.in_view
    counts = {s: table.loc[table["system"] == s, "n_visible"].to_numpy(np.int64) for s in report.systems}
    together = {"+".join(counts): np.sum(list(counts.values()), axis=0)}
    return counts | together


def in_view(report: StationReport) -> Figure:
    """Draw the number of visible satellites per system, and of all together."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure(2.3)
    axes = figure.add_axes((0.075, 0.19, 0.895, 0.76))
    hours = _hours(report, report.seen["time"].values)
    counts = counts_in_view(report)
    for name, stroke in scenario_strokes(list(counts)).items():
        values = counts[name]
        axes.step(hours, values, where="post", color=stroke.color, linewidth=stroke.width, linestyle=stroke.style)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("[[satellites]]")
    _time_axis(axes, report)
    return figure


def dop(report: StationReport) -> Figure:
    """Draw PDOP, HDOP and VDOP of all scenarios on one axis of time, with the limit of the PDOP."""
    figure = new_figure(5.4)
    panels = figure.subplots(3, 1, sharex=True)
    figure.subplots_adjust(left=0.075, right=0.97, top=0.985, bottom=0.08, hspace=0.12)
    data = report.dop.sel(mask_deg=report.shown_mask_deg)
    hours = _hours(report, data["time"].values)
    strokes = scenario_strokes(report.scenarios)
    for axes, name in zip(panels, ("pdop", "hdop", "vdop"), strict=True):
        values = data[name].transpose("systems", "time").values
        dop_axis(axes.yaxis, values, report.limit if name == "pdop" else 1.0)
        axes.set_ylabel(name.upper())
        for i, (scenario, line) in enumerate(zip(report.scenarios, values, strict=True)):
            stroke = strokes[scenario]
            axes.plot(hours, line, color=stroke.color, linewidth=stroke.width, linestyle=stroke.style)
            none = np.isnan(line)
            axes.plot(
                hours[none], np.full(none.sum(), 0.985 - 0.05 * i), linestyle="", marker="|", markersize=5,
                color=stroke.color, transform=axes.get_xaxis_transform(),
            )  # fmt: skip
        _time_axis(axes, report)
    for axes in panels[:-1]:
        axes.tick_params(axis="x", labelbottom=False)
        axes.set_xlabel("")
    panels[0].axhline(report.limit, color=INK, linewidth=1.0, linestyle=(0, (1, 1.5)))
    panels[0].text(hours[-1], report.limit, f"[[limit]] {report.limit:g}", ha="right", va="bottom", size=7)
    return figure


# --- Elevation and ephemerides ----------------------------------------------------------------------------


def elevation(report: StationReport) -> Figure:
    """Draw how many satellites of each system stand how high on average; those below mask and horizon pale."""
    figure = new_figure(2.3)
    axes = figure.add_axes((0.075, 0.19, 0.895, 0.76))
    letters = report.systems
    for i, letter in enumerate(letters):
        part = report.elevation[report.elevation["system"] == letter]
        low, high = part["from_deg"].to_numpy(), part["to_deg"].to_numpy()
        width = (high - low) * 0.86 / len(letters)
        left = low + (high - low) * 0.07 + i * width
        color = SYSTEM_STROKES[letter].color
        bars: dict[str, Any] = {"width": width, "align": "edge", "linewidth": 0.6, "edgecolor": color}
        axes.bar(left, part["n_above_mean"], facecolor="none", **bars)
        axes.bar(left, part["n_visible_mean"], facecolor=color, **bars)
    axes.axvline(report.shown_mask_deg, color=INK, linewidth=1.0, linestyle=(0, (1, 1.5)))
    axes.set(xlim=(0, 90), xticks=range(0, 91, 10), ylabel="[[mean_satellites]]", xlabel="[[elevation]]")
    axes.yaxis.grid(True)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def state(report: StationReport) -> Figure | None:
    """Draw when satellites had a healthy, an unhealthy or no ephemeris: only those that were not always healthy."""
    from matplotlib.collections import LineCollection

    table = report.ephemerides
    names = [str(sv) for sv in table.loc[table["healthy_pct"] < 100.0, "sv"]]
    names = [sv for letter in report.systems for sv in names if sv[0] == letter]
    if not names:
        return None
    figure, axes, row_of = _rows(report, names)
    edges = _edges(report)
    for kind, width in ((1, 1.2), (2, 4.6)):  # unhealthy, healthy
        bars, colors = [], []
        for sv, row in row_of.items():
            runs = runs_of(report.state.sel(sv=sv).values == kind)
            bars += [[(edges[a], row), (edges[b], row)] for a, b in runs]
            colors += [SYSTEM_STROKES[sv[0]].color if kind == 2 else INK] * len(runs)
        axes.add_collection(LineCollection(bars, colors=colors, linewidths=width, capstyle="butt"))
    return figure


_FIGURES: Final[dict[str, Callable[[StationReport], Figure | None]]] = {
    "sky": sky,
    "passes": passes,
    "in_view": in_view,
    "dop": dop,
    "elevation": elevation,
    "state": state,
}
