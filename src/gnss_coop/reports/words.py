"""What stands on the pages of a station report: rows of tables, sentences and captions, in one language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.output.pages.figures import DOP_TOP
from gnss_coop.output.pages.languages import said
from gnss_coop.reports.plots import counts_in_view
from gnss_coop.reports.sky_plot import SKY_HOURS, learned_sectors, sky_part
from gnss_coop.reports.tables import ELEVATION_STEP_DEG

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.model.station import Station
    from gnss_coop.reports.station_report import StationReport

Words = Mapping[str, str]
Table = dict[str, Any]

_MOST_INTERVALS: Final = 12
_TEXT: Final = "text"
TIME: Final = "text time"
#: Key of the head, column of the table, decimals.
_GAIN: Final = (
    ("used_mean", "n_used_mean", 1),
    ("used_least", "n_used_least", 0),
    ("pdop_median", "pdop_median", 2),
    ("pdop_p95", "pdop_p95", 2),
    ("hdop_median", "hdop_median", 2),
    ("vdop_median", "vdop_median", 2),
    ("availability", "availability_pct", 2),
    ("pdop_drop", "pdop_drop_pct", 1),
    ("availability_gain", "availability_gain_points", 2),
)
#: What a pass or its lack of a true end is called.
_CUTS: Final = ("start", "end", "ephemeris")


def name_of(station: Station, language: str) -> str:
    """Return a station's name in a language, in English where it has none."""
    return {"ru": station.name_ru, "zh": station.name_zh}.get(language) or station.name


def names_of(systems: str, t: Words) -> str:
    """Return the names of systems written as ``R+C`` or ``R,C``."""
    for sign, between in (("+", " + "), (",", ", ")):
        if sign in systems:
            return between.join(t[letter] for letter in systems.split(sign))
    return t[systems] if systems else ""


def number(value: float, decimals: int, t: Words) -> str:
    """Return a number as text: a dash for NaN, the word for none where it is infinite (no solution)."""
    if math.isnan(value):
        return "–"
    return t["none"] if math.isinf(value) else f"{value:.{decimals}f}"


def clock(time_gpst: str) -> str:
    """Return a time for reading, without seconds where they are zero."""
    return time_gpst.replace("T", " ").removesuffix(":00")


def span_of(report: StationReport) -> str:
    """Return the span for reading."""
    return f"{clock(report.start_gpst)} – {clock(report.end_gpst)}"


def conditions(report: StationReport, t: Words) -> list[tuple[str, str]]:
    """Return what holds for all stations."""
    masks = ", ".join(f"{mask:g}°" for mask in report.mask_deg)
    mode, _, sigma_ns = report.clocks.partition(":")
    return [
        (t["span"], span_of(report)),
        (t["step"], f"{report.step_s:g} s"),
        (t["scenarios"], ", ".join(names_of(s, t) for s in report.scenarios)),
        (t["masks"], f"{masks} ({t['first_mask'].format(mask=f'{report.shown_mask_deg:g}')})"),
        (t["clocks"], t[mode].format(ns=sigma_ns)),
        (t["rule"], f"PDOP ≤ {report.limit:g}"),
        (t["orbits"], t[report.frame]),
        *_forecast(report, t),
    ]


def _forecast(report: StationReport, t: Words) -> list[tuple[str, str]]:
    """Return what is a forecast and how right it is; nothing where all positions are broadcast."""
    if not report.ahead.any():
        return []
    facts = report.forecast
    text = t["forecast_fact"].format(
        pct=f"{facts['forecast_epochs_pct']:.1f}",
        days=f"{facts['forecast_days']:.1f}",
        error=f"{facts['forecast_error_deg']:.2f}",
    )
    return [(t["forecast"], text)]


def facts(report: StationReport, t: Words, language: str) -> list[tuple[str, str]]:
    """Return what is known of a station, and the conditions."""
    s = report.station
    names = dict.fromkeys(name for name in (name_of(s, language), s.name, s.name_ru, s.name_zh) if name)
    corners = t["horizon_corners"].format(n=len(s.horizon)) if s.horizon else t["horizon_open"]
    rows = [
        (t["station"], " · ".join(names) + (f" ({s.country})" if s.country else "")),
        (t["marker"], ", ".join(text for text in (s.marker, s.domes) if text)),
        (t["coordinates"], f"{s.latitude_deg:.6f}°, {s.longitude_deg:.6f}°, {s.height_m:.2f} m"),
        (t["ecef"], ", ".join(f"{value:.3f}" for value in s.xyz_m)),
        (t["frame"], ", ".join(str(value) for value in (s.frame, s.epoch) if value)),
        (t["source"], said(s.source, t)),
        (t["horizon"], corners),
    ]
    return [(name, value) for name, value in rows if value] + conditions(report, t)


def gain_table(report: StationReport, t: Words) -> Table:
    """Return the comparison of a station's scenarios."""
    head = [(t["systems"], _TEXT), (t["mask"], ""), *((t[key], "") for key, _, _ in _GAIN)]
    rows = [
        [
            names_of(str(row["systems"]), t),
            f"{row['mask_deg']:g}",
            *(number(float(row[name]), decimals, t) for _, name, decimals in _GAIN),
        ]
        for row in report.gain.to_dict("records")
    ]
    return {"head": head, "rows": rows}


def gain_sentences(report: StationReport, t: Words) -> list[str]:
    """Return for each scenario with a supplement what that brings, at the mask where it brings most."""
    rows = {(row["systems"], row["mask_deg"]): row for row in report.gain.to_dict("records")}
    sentences = []
    for systems in report.scenarios:
        steps = [row for row in rows.values() if row["systems"] == systems and row["supplemented_by"]]
        if not steps:
            continue
        alone = max(steps, key=lambda row: (row["availability_gain_points"], row["mask_deg"]))
        joint = rows[alone["supplemented_by"], alone["mask_deg"]]
        sentences.append(
            t["gain_sentence"].format(
                joint=names_of(joint["systems"], t),
                alone=names_of(systems, t),
                mask=f"{alone['mask_deg']:g}",
                limit=f"{report.limit:g}",
                share=f"{joint['availability_pct']:.2f} %",
                share_alone=f"{alone['availability_pct']:.2f} %",
                pdop=number(joint["pdop_median"], 2, t),
                pdop_alone=number(alone["pdop_median"], 2, t),
            )
        )
    return sentences


def worst_table(report: StationReport, t: Words) -> Table:
    """Return the worst intervals of a station."""
    keys = ("systems", "mask", "begins", "ends", "duration", "pdop_worst", "used_fewest", "helped_by", "pdop_helped")
    kinds = {"systems": _TEXT, "begins": TIME, "ends": TIME, "helped_by": _TEXT}
    beyond = report.worst[~report.worst["within_limit"]].head(_MOST_INTERVALS)
    rows = [
        [
            names_of(row["systems"], t),
            f"{row['mask_deg']:g}",
            clock(row["begins_gpst"]),
            clock(row["ends_gpst"]),
            f"{row['duration_s'] / 60:.0f}",
            number(row["pdop_worst"], 1, t),
            str(row["n_used_least"]),
            names_of(row["helped_by"], t) or "–",
            number(row["pdop_worst_helped"], 1, t),
        ]
        for row in beyond.to_dict("records")
    ]
    return {"head": [(t[key], kinds.get(key, "")) for key in keys], "rows": rows}


def worst_note(report: StationReport, t: Words) -> str:
    """Return what the table of the worst intervals holds."""
    return t["worst_note"].format(limit=f"{report.limit:g}", n=int((~report.worst["within_limit"]).sum()))


def within_note(report: StationReport, t: Words) -> str:
    """Return which scenarios and masks never went beyond the limit, and how near they came; empty for none."""
    cases = [
        t["within_case"].format(
            systems=names_of(row["systems"], t),
            mask=f"{row['mask_deg']:g}",
            pdop=number(row["pdop_worst"], 2, t),
            time=clock(row["begins_gpst"]),
        )
        for row in report.worst[report.worst["within_limit"]].to_dict("records")
    ]
    return t["within_note"].format(limit=f"{report.limit:g}", cases="; ".join(cases)) if cases else ""


def pass_table(report: StationReport, t: Words) -> Table:
    """Return all passes of a station."""
    keys = ("sv", "rise", "culmination", "set", "duration", "azimuths", "max_elevation", "cut")
    rows = []
    for row in report.passes.to_dict("records"):
        azimuths = (row[f"{name}_azimuth_deg"] for name in ("rise", "culmination", "set"))
        cuts = [t[f"cut_{row[name]}"] for name in ("begins", "ends") if row[name] in _CUTS]
        rows.append(
            [
                row["sv"],
                f"{row['rise_gpst']:%Y-%m-%d %H:%M:%S}",
                *(f"{row[f'{name}_gpst']:%H:%M:%S}" for name in ("culmination", "set")),
                f"{row['duration_s'] / 60:.0f}",
                " / ".join(f"{azimuth:.0f}" for azimuth in azimuths),
                f"{row['max_elevation_deg']:.1f}",
                ", ".join(cuts),
            ]
        )
    kinds = {"sv": _TEXT, "rise": TIME, "cut": _TEXT}
    return {"head": [(t[key], kinds.get(key, "")) for key in keys], "rows": rows}


def ephemeris_table(report: StationReport, t: Words) -> Table:
    """Return health and age of the ephemerides per system."""
    head = [(t[key], "") for key in ("n_satellites", "covered", "healthy", "age_median", "age_max")]
    rows = []
    for letter in report.systems:
        part = report.ephemerides[report.ephemerides["system"] == letter]
        means = (part[name].mean() for name in ("covered_pct", "healthy_pct"))
        ages = (part["age_median_s"].median() / 60, part["age_max_s"].max() / 60)
        rows.append([t[letter], str(len(part)), *(number(v, 1, t) for v in means), *(number(v, 0, t) for v in ages)])
    return {"head": [(t["system"], _TEXT), *head], "rows": rows}


def source_table(sources: pd.DataFrame, t: Words) -> Table:
    """Return the data files with their checksums."""
    rows = [[row["file"], str(row["n_bytes"]), row["sha256"]] for row in sources.to_dict("records")]
    return {"head": [(t["file"], _TEXT), (t["bytes"], ""), (t["sha256"], "text hash")], "rows": rows}


# --- Captions and alternative texts ---------------------------------------------------------------------------


def _median_pdops(report: StationReport, t: Words) -> str:
    first = report.gain[report.gain["mask_deg"] == report.shown_mask_deg]
    return "; ".join(
        t["dop_median"].format(systems=names_of(row["systems"], t), pdop=number(row["pdop_median"], 2, t))
        for row in first.to_dict("records")
    )


def _ranges(report: StationReport, t: Words) -> str:
    return "; ".join(
        t["in_view_range"].format(system=names_of(name, t), low=values.min(), high=values.max())
        for name, values in counts_in_view(report).items()
    )


def _lacking(report: StationReport) -> int:
    return int((report.ephemerides["healthy_pct"] < 100.0).sum())


_COUNTS: Final[dict[str, Callable[[StationReport], int]]] = {
    "sky": lambda report: int(sky_part(report)["visible"].any("time").sum()),
    "passes": lambda report: len(report.passes),
    "state": _lacking,
}
_SUMMARIES: Final[dict[str, Callable[[StationReport, Words], str]]] = {"in_view": _ranges, "dop": _median_pdops}


def _sky_remarks(report: StationReport, t: Words) -> list[str]:
    """Return what the sky plots leave out of a long report, and what they show of a receiver."""
    part = [t["sky_first_hours"].format(hours=f"{SKY_HOURS:g}")] if sky_part(report).sizes != report.seen.sizes else []
    return part + ([t["sky_learned"]] if len(learned_sectors(report)) else [])


def heading(report: StationReport, figure: str, t: Words) -> str:
    """Return what stands above a figure: what it shows, the mask where it has one, and the span."""
    masks = {"state": None, "comparison": None, "tracking": report.tracking.mask_deg if report.tracking else None}
    mask = masks.get(figure, report.shown_mask_deg)
    words = {"what": t[f"what_{figure}"], "span": span_of(report)}
    return t["heading_of_all" if mask is None else "heading"].format(**words, mask="" if mask is None else f"{mask:g}")


def figure_words(report: StationReport, figure: str, t: Words, language: str) -> dict[str, str]:
    """Return title, caption and alternative text of a figure."""
    values = {
        "station": name_of(report.station, language),
        "systems": names_of(",".join(report.systems), t),
        "mask": f"{report.shown_mask_deg:g}",
        "top": f"{DOP_TOP:g}",
        "step": f"{ELEVATION_STEP_DEG:g}",
        "n": str(_COUNTS[figure](report)) if figure in _COUNTS else "",
        "summary": _SUMMARIES[figure](report, t) if figure in _SUMMARIES else "",
    }
    further = _sky_remarks(report, t) if figure == "sky" else []
    return {
        "title": t[f"fig_{figure}"],
        "heading": heading(report, figure, t),
        "note": " ".join([t[f"note_{figure}"].format(**values), *further]),
        "alt": t[f"alt_{figure}"].format(**values),
    }


def comparison_tables(reports: Sequence[StationReport], t: Words, language: str) -> list[tuple[str, Table]]:
    """Return a table a mask: one row a station, with availability and median PDOP of each scenario."""
    scenarios = reports[0].scenarios
    columns = (("availability", "availability_pct", 2), ("pdop_median", "pdop_median", 2))
    head = [(f"{names_of(s, t)}: {t[key]}", "") for key, _, _ in columns for s in scenarios]
    tables = []
    for mask in reports[0].mask_deg:
        rows = []
        for report in reports:
            cells = {row["systems"]: row for row in report.gain.to_dict("records") if row["mask_deg"] == mask}
            numbers = [number(cells[s][name], d, t) for _, name, d in columns for s in scenarios]
            rows.append([name_of(report.station, language), *numbers])
        tables.append((f"{t['mask']}: {mask:g}", {"head": [(t["station"], _TEXT), *head], "rows": rows}))
    return tables
