"""The pages of the station report: templates, filled in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop._version import __version__
from gnss_coop.output.pages.folders import INDEX
from gnss_coop.output.pages.languages import words
from gnss_coop.output.pages.templates import templates, with_words
from gnss_coop.reports import words as report_words
from gnss_coop.reports.tracking_section import tracking_part

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.reports.station_report import StationReport

#: Stands in the head of each page: by it a folder is known as a report, which alone may be replaced.
GENERATOR: Final = "gnss-coop report"
_FIGURES: Final = ("sky", "passes", "in_view", "dop", "elevation", "state")
#: The comparison of scenarios and the worst intervals have sections of their own among those of the figures.
_CONTENTS: Final = ("conditions", "gain", "sky", "passes", "in_view", "dop", "worst", "elevation", "state")
_LEGEND_OF_SYSTEMS: Final = ("sky", "passes", "elevation", "state")


def write_pages(reports: Sequence[StationReport], sources: pd.DataFrame, folder: Path, language: str) -> list[str]:
    """Write all pages; return their names, the index first."""
    environment, css = templates()
    t = words(language)
    shared = {
        "t": t,
        "language": language,
        "css": css,
        "generator": GENERATOR,
        "version": __version__,
        "span": report_words.span_of(reports[0]),
        "sources": report_words.source_table(sources, t),
    }
    pages = page_names(reports)
    for page, report in zip(pages, reports, strict=True):
        text = environment.get_template("station.html.j2").render(**shared, **_station(report, language))
        (folder / page).write_text(text, "utf-8", newline="")
    index = environment.get_template("index.html.j2").render(**shared, **_index(reports, pages, language))
    (folder / INDEX).write_text(index, "utf-8", newline="")
    return [INDEX, *pages]


def page_names(reports: Sequence[StationReport]) -> list[str]:
    """Return a file name a station: its name in plain letters, else its marker, else a number; none twice."""
    names: list[str] = []
    for i, report in enumerate(reports):
        station = report.station
        candidates = (re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") for text in (station.name, station.marker))
        taken = {*names, INDEX}
        known = [f"{text}.html" for text in candidates if text and station.name.isascii()]
        names.append(next((name for name in known if name not in taken), f"station-{i + 1}.html"))
    return names


def _station(report: StationReport, language: str) -> dict[str, Any]:
    """Return what the template of a station's page fills in."""
    t = words(language)
    name = report_words.name_of(report.station, language)
    tracking = tracking_part(report, t, name)
    if tracking:
        tracking |= {
            "svg": with_words(tracking["svg"], t, tracking["alt"]),
            "legend": _legend(report.systems, t),
            "heading": report_words.heading(report, "tracking", t),
        }
    contents = (*_CONTENTS, "tracking") if tracking else _CONTENTS
    return {
        "name": name,
        "tracking": tracking,
        "contents": [(name, t.get(f"fig_{name}") or t[name]) for name in contents],
        "facts": report_words.facts(report, t, language),
        "gain": report_words.gain_table(report, t),
        "gain_sentences": report_words.gain_sentences(report, t),
        "figures": _figures(report, language),
        "passes": report_words.pass_table(report, t),
        "ephemerides": report_words.ephemeris_table(report, t),
        "worst": report_words.worst_table(report, t),
        "worst_note": report_words.worst_note(report, t),
        "within": report_words.within_note(report, t),
    }


def _figures(report: StationReport, language: str) -> list[dict[str, Any]]:
    from gnss_coop.reports.plots import figures

    t = words(language)
    drawn = figures(report)
    legends = {name: report.systems if name in _LEGEND_OF_SYSTEMS else report.scenarios for name in drawn}
    if len(report.systems) > 1:
        legends["in_view"] = (*report.systems, "+".join(report.systems))
    parts: list[dict[str, Any]] = []
    for name in _FIGURES:
        if name not in drawn:
            parts.append({"id": name, "title": t[f"fig_{name}"], "svg": "", "note": t["all_healthy"]})
            continue
        text = report_words.figure_words(report, name, t, language)
        svg = with_words(drawn[name], t, text["alt"])
        parts.append(
            {**text, "id": name, "svg": svg, "legend": _legend(legends[name], t, solid=name in _LEGEND_OF_SYSTEMS)}
        )
    return parts


def _legend(names: Sequence[str], t: report_words.Words, *, solid: bool = False) -> list[Any]:
    """Return a line and a name for each system or scenario, as they are drawn."""
    from markupsafe import Markup

    from gnss_coop.output.pages.figures import scenario_strokes

    sample = Markup(
        '<svg viewBox="0 0 34 8" aria-hidden="true"><line x1="0" y1="4" x2="34" y2="4" style="stroke: {}; '
        'stroke-width: {}; stroke-dasharray: {}"/></svg>{}'
    )
    return [
        sample.format(
            Markup(stroke.css_color),
            5.0 if solid else 1.5 * stroke.width,
            "none" if solid or not stroke.dashes else " ".join(f"{1.5 * d:g}" for d in stroke.dashes),
            report_words.names_of(name, t),
        )
        for name, stroke in scenario_strokes(names).items()
    ]


def _index(reports: Sequence[StationReport], pages: Sequence[str], language: str) -> dict[str, Any]:
    """Return what the template of the index fills in."""
    from markupsafe import Markup

    from gnss_coop.output.pages.figures import DOP_TOP, scenario_strokes
    from gnss_coop.reports.comparison_plot import comparison

    t = words(language)
    names = [report_words.name_of(report.station, language) for report in reports]
    keys = t | {f"station {i}": name for i, name in enumerate(names)}
    sign = Markup('<span style="color: {}" aria-hidden="true">{}</span> {}')
    legend = [
        sign.format(Markup(stroke.css_color), stroke.sign, report_words.names_of(scenario, t))
        for scenario, stroke in scenario_strokes(reports[0].scenarios).items()
    ]
    return {
        "pages": list(zip(pages, names, strict=True)),
        "facts": report_words.conditions(reports[0], t),
        "figure": {
            "svg": with_words(comparison(reports), keys, t["alt_comparison"]),
            "heading": report_words.heading(reports[0], "comparison", t),
            "note": t["note_comparison"].format(top=f"{DOP_TOP:g}"),
            "legend": legend,
        },
        "comparisons": report_words.comparison_tables(reports, t, language),
    }
