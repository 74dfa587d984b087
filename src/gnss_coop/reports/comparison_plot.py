"""The figure that compares all stations of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gnss_coop.output.pages.figures import DOP_TOP, INK, dop_axis, inline_svg, new_figure, scenario_strokes, settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gnss_coop.reports.station_report import StationReport


def comparison(reports: Sequence[StationReport]) -> str:
    """Draw the median PDOP of all stations: a panel a mask, a row a station, a mark a scenario.

    Parameters
    ----------
    reports : sequence of StationReport
        Of one run.

    Returns
    -------
    str
        SVG element; the names of the stations stand as keys: ``[[station 0]]``.
    """
    with settings():
        return inline_svg(_draw(reports), "comparison")


def _draw(reports: Sequence[StationReport]) -> Figure:
    first = reports[0]
    height = 0.24 * len(reports) + 0.75
    figure = new_figure(height)
    panels = figure.subplots(1, len(first.mask_deg), sharey=True, squeeze=False)[0]
    figure.subplots_adjust(left=0.22, right=0.985, top=1 - 0.25 / height, bottom=0.42 / height, wspace=0.08)
    shape = (len(reports), len(first.mask_deg), len(first.scenarios))
    medians = np.array([report.gain["pdop_median"] for report in reports], np.float64).reshape(shape)
    medians[~(medians <= DOP_TOP)] = np.nan
    strokes = scenario_strokes(first.scenarios)
    for k, (axes, mask) in enumerate(zip(panels, first.mask_deg, strict=True)):
        dop_axis(axes.xaxis, medians, first.limit)
        axes.set_title(f"{mask:g}°", size=8)
        axes.set_xlabel("[[median_pdop]]")
        axes.axvline(first.limit, color=INK, linewidth=1.0, linestyle=(0, (1, 1.5)))
        axes.grid(True)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        for i, scenario in enumerate(first.scenarios):
            stroke = strokes[scenario]
            axes.plot(medians[:, k, i], range(len(reports)), stroke.mark, color=stroke.color, markersize=6)
    panels[0].set_yticks(range(len(reports)), [f"[[station {i}]]" for i in range(len(reports))])
    panels[0].set_ylim(len(reports) - 0.5, -0.5)
    return figure
