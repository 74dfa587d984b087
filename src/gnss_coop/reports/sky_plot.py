"""Sky plots of the station report."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from gnss_coop.model import timescales
from gnss_coop.output.pages.figures import FIGURE_WIDTH, INK, RULE, SHADE, SYSTEM_STROKES, new_figure, runs_of
from gnss_coop.tracking.horizon import HORIZON

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gnss_coop.reports.station_report import StationReport

Floats = npt.NDArray[np.float64]

#: Distance between the names of satellites [deg of the sky] at which they do not touch.
_NAME_ROOM_DEG: Final = 11.0
#: Tracks of a longer time would lie on each other.
SKY_HOURS: Final = 24.0
#: A track is drawn from points at least so far apart [s].
_TRACK_STEP_S: Final = 300.0
_HOUR_NS: Final = 3600 * 10**9


def sky(report: StationReport) -> Figure:
    """Draw the tracks of each system above the mask and horizon, with a mark at each full hour of the first day."""
    n = len(report.systems)
    columns = min(n, 2)
    rows = math.ceil(n / columns)
    side = FIGURE_WIDTH / columns
    figure = new_figure(rows * side)
    for i, letter in enumerate(report.systems):
        place = ((i % columns) / columns, 1 - (i // columns + 1) / rows, 1 / columns, 1 / rows)
        axes = figure.add_axes(place)
        axes.set(xlim=(-104, 104), ylim=(-104, 104), aspect="equal")
        axes.set_axis_off()
        _draw_dome(axes, report)
        _draw_tracks(axes, report, letter)
        axes.text(-102, 96, f"[[{letter}]]", size=10, weight="bold")
    return figure


def sky_part(report: StationReport) -> xr.Dataset:
    """Return what the plots show of a report: its first day."""
    n_epochs = math.ceil(SKY_HOURS * 3600.0 / report.step_s)
    return report.seen.transpose("time", ...).isel(time=slice(n_epochs))


def _on_dome(azimuth_deg: Any, elevation_deg: Any) -> tuple[Floats, Floats]:
    """Return x to the east and y to the north [deg from the zenith]."""
    azimuth, distance = np.radians(azimuth_deg), 90.0 - np.asarray(elevation_deg)
    return distance * np.sin(azimuth), distance * np.cos(azimuth)


def _draw_dome(axes: Axes, report: StationReport) -> None:
    turn = np.linspace(0.0, 360.0, 361)
    hidden = np.maximum(report.station.horizon_mask.elevation_deg(turn), report.shown_mask_deg).clip(0.0, 90.0)
    rim = np.array(_on_dome(turn, 0.0))
    edge = np.array(_on_dome(turn, hidden))
    axes.fill(*np.hstack([rim, edge[:, ::-1]]), color=SHADE, linewidth=0)
    axes.plot(*edge, color=INK, linewidth=1.1)
    _draw_learned_horizon(axes, report)
    for elevation in (0.0, 30.0, 60.0):
        axes.plot(*_on_dome(turn, elevation), color=RULE, linewidth=0.6)
        if elevation:
            axes.text(1, 90 - elevation, f"{elevation:g}°", size=6, color=INK, va="bottom", alpha=0.7)
    for azimuth in range(0, 360, 30):
        axes.plot(*_on_dome([azimuth, azimuth], [0.0, 90.0]), color=RULE, linewidth=0.4)
        x, y = _on_dome(azimuth, -6.5)
        axes.text(float(x), float(y), f"{azimuth}°", size=6.5, ha="center", va="center")


def _draw_learned_horizon(axes: Axes, report: StationReport) -> None:
    """Draw the lowest elevations that a receiver tracked, a dotted arc for each direction with evidence."""
    for row in learned_sectors(report).to_dict("records"):
        turn = np.linspace(row["azimuth_from_deg"], row["azimuth_to_deg"], 6)
        axes.plot(*_on_dome(turn, max(row["elevation_deg"], 0.0)), color=INK, linewidth=1.6, linestyle=(0, (1, 1)))


def learned_sectors(report: StationReport) -> pd.DataFrame:
    """Return the directions in which a receiver showed the horizon; none where there was no receiver."""
    import pandas as pd

    if report.tracking is None:
        return pd.DataFrame()
    sectors = report.tracking.horizon
    return sectors[sectors["evidence"] == HORIZON]


def _draw_tracks(axes: Axes, report: StationReport, letter: str) -> None:
    from matplotlib.collections import LineCollection

    seen = sky_part(report)
    clock_ns = timescales.from_datetime64(seen["time"].values)
    on_hour = clock_ns % _HOUR_NS == 0
    hour = clock_ns // _HOUR_NS % 24
    every = max(1, int(_TRACK_STEP_S // report.step_s))
    stroke = SYSTEM_STROKES[letter]
    lines, marks = [], []
    names: list[tuple[float, float]] = []
    for i, sv in enumerate(seen["sv"].values.astype(str)):
        if sv[0] != letter:
            continue
        x, y = _on_dome(seen["azimuth"].values[:, i], seen["elevation"].values[:, i])
        runs = runs_of(seen["visible"].values[:, i])
        drawn = [np.union1d(np.arange(a, b, every), b - 1) for a, b in runs if b - a > 1]
        lines += [np.column_stack([x[points], y[points]]) for points in drawn]
        for a, b in runs:
            marks += [(x[t], y[t]) for t in range(a, b) if on_hour[t]]
            for t in range(a, b):
                if on_hour[t] and hour[t] % 6 == 0:
                    axes.annotate(str(hour[t]), (x[t], y[t]), (2, -1), textcoords="offset points", size=4.5, alpha=0.8)
        if runs:
            a, b = max(runs, key=lambda run: run[1] - run[0])
            place = _free_place(np.column_stack([x[a:b], y[a:b]]), names)
            names.append(place)
            axes.annotate(sv[1:], place, (0, 2), textcoords="offset points", size=6, weight="bold", ha="center")
    axes.add_collection(LineCollection(lines, colors=stroke.color, linewidths=0.9, alpha=0.85))
    if marks:
        axes.plot(*np.array(marks).T, ".", color=stroke.color, markersize=3.2, markeredgewidth=0)


def _free_place(track: Floats, taken: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the first point of a track that is far enough from other names, else the one farthest from them."""
    candidates = track[:: max(1, len(track) // 20)]
    if not taken:
        return float(candidates[0, 0]), float(candidates[0, 1])
    room = np.hypot(*(candidates[:, None] - np.array(taken)).T).min(axis=0)
    free = np.flatnonzero(room >= _NAME_ROOM_DEG)
    best = candidates[free[0] if free.size else int(room.argmax())]
    return float(best[0]), float(best[1])
