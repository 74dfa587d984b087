"""The section of the station report that sets what was predicted against what a receiver tracked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gnss_coop.model import timescales
from gnss_coop.output.pages.figures import INK, SYSTEM_STROKES, inline_svg, new_figure, settings
from gnss_coop.output.pages.languages import said
from gnss_coop.reports.words import TIME, Table, Words, clock, number

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.reports.station_report import StationReport
    from gnss_coop.tracking.tracked import Tracking

_MOST_ROWS: Final = 12
_COUNTS: Final = ("expected", "tracked", "missed", "below_mask", "unhealthy", "no_ephemeris", "below_horizon")
#: Tables of the section: caption, attribute of the tracking, columns with their heads.
_TABLES: Final = (
    (
        "never_tracked",
        "never_tracked",
        {"sv": "sv", "epochs_above_mask": "epochs", "highest_deg": "max_elevation", "reason": "reason"},
    ),
    (
        "gaps",
        "gaps",
        {"sv": "sv", "start_gpst": "begins", "end_gpst": "ends", "duration_s": "duration_s", "kind": "kind"},
    ),
    (
        "exceptions",
        "exceptions",
        {"sv": "sv", "n_epochs": "epochs", "first_gpst": "begins", "last_gpst": "ends", "explanation": "reason"},
    ),
)
_TEXT_COLUMNS: Final = ("sv", "reason", "kind", "explanation")
#: Tables of the folder of data, and where they come from.
_DATA: Final = {
    "tracking_satellites": "satellites",
    "tracking_bins": "bins",
    "never_tracked": "never_tracked",
    "tracking_gaps": "gaps",
    "tracking_exceptions": "exceptions",
    "learned_horizon": "horizon",
}


def tracking_part(report: StationReport, t: Words, name: str) -> dict[str, Any]:
    """Return what the template fills into the section; empty where there are no observations."""
    tracking = report.tracking
    if tracking is None:
        return {}
    alt = t["alt_tracking"].format(station=name)
    return {
        "facts": _facts(tracking, t),
        "systems": _by_system(tracking, t),
        "svg": _figure(report),
        "alt": alt,
        "note": t["note_tracking"].format(mask=f"{tracking.mask_deg:g}"),
        "tables": [
            (f"{t[caption]} ({len(frame)})", _table(frame, heads, t))
            for caption, attribute, heads in _TABLES
            if len(frame := getattr(tracking, attribute))
        ],
        "more": t["tracking_more"].format(n=_MOST_ROWS),
    }


def _facts(tracking: Tracking, t: Words) -> list[tuple[str, str]]:
    first, last = (clock(timescales.format_time(ns)) for ns in tracking.span_ns)
    return [
        (t["tracking_span"], f"{first} – {last}, {tracking.interval_s:g} s"),
        (t["tracking_epochs"], f"{tracking.n_epochs} / {tracking.n_epochs_due}"),
        (t["predicted"], f"{tracking.predicted_pct:.2f} %"),
        (t["predicted_known"], f"{tracking.above_horizon_pct:.2f} %"),
        *((t["remark"], said(note, t)) for note in tracking.notes),
    ]


def _by_system(tracking: Tracking, t: Words) -> Table:
    frame = tracking.by_system()
    rows = [
        [
            t[row["system"]],
            f"{row['seen']} / {row['satellites']}",
            *(str(row[name]) for name in _COUNTS),
            number(row["complete_pct"], 1, t),
        ]
        for row in frame.to_dict("records")
    ]
    keys = ("system", "tracked_of", *(f"n_{name}" for name in _COUNTS), "complete")
    return {"head": [(t[key], "text" if key == "system" else "") for key in keys], "rows": rows}


def _table(frame: pd.DataFrame, heads: Mapping[str, str], t: Words) -> Table:
    if "duration_s" in frame:
        frame = frame.sort_values("duration_s", ascending=False, kind="stable")
    head = [(t[key], _kind(column)) for column, key in heads.items()]
    rows = [[_cell(row[column], t) for column in heads] for row in frame.head(_MOST_ROWS).to_dict("records")]
    return {"head": head, "rows": rows}


def _kind(column: str) -> str:
    """Return the class of a column's cells."""
    if column.endswith("_gpst"):
        return TIME
    return "text" if column in _TEXT_COLUMNS else ""


def _cell(value: Any, t: Words) -> str:
    if isinstance(value, float):
        return number(value, 1, t)
    return said(clock(value), t) if isinstance(value, str) else str(value)


def _figure(report: StationReport) -> str:
    """Draw which share of the expected epochs was tracked, by elevation, a line a system."""
    tracking = report.tracking
    assert tracking is not None  # checked by the caller
    middle_deg = tracking.bins[["elevation_from_deg", "elevation_to_deg"]].mean(axis=1)
    bins = tracking.bins.assign(system=tracking.bins["sv"].str[0], middle_deg=middle_deg)
    bins = bins[bins["expected"] > 0]
    with settings():
        figure = new_figure(2.3)
        axes = figure.add_axes((0.075, 0.19, 0.895, 0.76))
        for letter in report.systems:
            own = bins[bins["system"] == letter].groupby("middle_deg")[["expected", "missed"]].sum()
            middle = own.index.to_numpy(np.float64)
            share = 100.0 * (1.0 - own["missed"].to_numpy() / own["expected"].to_numpy())
            stroke = SYSTEM_STROKES[letter]
            style: dict[str, Any] = {"linestyle": stroke.style, "linewidth": stroke.width, "markersize": 4}
            axes.plot(middle, share, color=stroke.color, marker=stroke.mark, **style)
        axes.axvline(tracking.mask_deg, color=INK, linewidth=1.0, linestyle=(0, (1, 1.5)))
        axes.set(xlim=(0, 90), ylim=(-3, 103), xticks=range(0, 91, 10), yticks=range(0, 101, 20))
        axes.set(xlabel="[[elevation]]", ylabel="[[share_tracked]]")
        axes.grid(True)
        axes.spines[["top", "right"]].set_visible(False)
        return inline_svg(figure, "tracking")


def tracking_tables(reports: Sequence[StationReport]) -> dict[str, pd.DataFrame]:
    """Return the tables of the folder ``data`` about receivers, each over all stations that have one."""
    import pandas as pd

    known = [(report.station.name, report.tracking) for report in reports if report.tracking is not None]
    if not known:
        return {}
    tables = {}
    for name, attribute in _DATA.items():
        frames = [getattr(tracking, attribute).copy() for _, tracking in known]
        for frame, (station, _) in zip(frames, known, strict=True):
            frame.insert(0, "station", station)
        tables[name] = pd.concat(frames, ignore_index=True)
    return tables
