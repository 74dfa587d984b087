"""GLONASS/BeiDou ground-station interoperability: visibility, DOP and mutual gain from RINEX files.

Examples
--------
>>> import gnss_coop as gc
>>> nav = gc.read_nav("sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
>>> sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=900))
>>> dop = gc.dilution_of_precision(sky, gc.stations(), ["R", "C", "R+C"], mask_deg=15)
>>> table = gc.compare(dop, limit=6.0)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gnss_coop._version import __version__

if TYPE_CHECKING:
    from gnss_coop.analysis.best_cells import best_cell, best_cells
    from gnss_coop.analysis.best_sites import best_sites, candidate_table
    from gnss_coop.analysis.comparison import compare, findings
    from gnss_coop.analysis.completeness import completeness_pct
    from gnss_coop.analysis.depth_map import depth_map, visibility_circle
    from gnss_coop.analysis.dop import dilution_of_precision
    from gnss_coop.analysis.dop_map import dop_map
    from gnss_coop.analysis.forecast import forecast_positions
    from gnss_coop.analysis.ledger import mutual_gain
    from gnss_coop.analysis.ledger_findings import ledger_findings
    from gnss_coop.analysis.map_summary import map_summary, rule_verdicts
    from gnss_coop.analysis.network import network_table, satellite_table
    from gnss_coop.analysis.network_coverage import common_view, network_arcs
    from gnss_coop.analysis.network_views import network_views
    from gnss_coop.analysis.outlook import Outlook, positions_with_forecast
    from gnss_coop.analysis.passes import passes
    from gnss_coop.analysis.positions import satellite_positions
    from gnss_coop.analysis.precise_orbits import PreciseOrbits, precise_orbits
    from gnss_coop.analysis.report_receivers import receivers_of
    from gnss_coop.analysis.site_gain import site_gain_map
    from gnss_coop.analysis.station_report import StationReport, station_reports
    from gnss_coop.analysis.station_worth import station_worth
    from gnss_coop.analysis.tracking import Tracking, tracked
    from gnss_coop.analysis.visibility import visibility
    from gnss_coop.batch.api import run_batch
    from gnss_coop.batch.diff import diff
    from gnss_coop.batch.query import query
    from gnss_coop.batch.trend import trend
    from gnss_coop.errors import (
        ArchiveError,
        EphemerisGapError,
        GnssCoopError,
        GridError,
        LeapSecondWarning,
        OutputError,
        RinexError,
        ScenarioError,
        StationError,
        StudyError,
        TimeError,
    )
    from gnss_coop.formats.almanacs import read_almanac
    from gnss_coop.formats.rinex_nav import read_nav
    from gnss_coop.formats.rinex_obs import read_obs
    from gnss_coop.formats.sample import sample_file
    from gnss_coop.formats.sp3 import read_sp3
    from gnss_coop.model.almanac import Almanac
    from gnss_coop.model.element_fit import mean_elements
    from gnss_coop.model.ephemerides import Ephemerides
    from gnss_coop.model.grid import GeoGrid, GeoPoints, read_points
    from gnss_coop.model.horizon import HorizonMask
    from gnss_coop.model.networks import Networks
    from gnss_coop.model.nominal import nominal_constellation
    from gnss_coop.model.observations import Observations
    from gnss_coop.model.rules import Rule, rule_named
    from gnss_coop.model.scenario import Scenario
    from gnss_coop.model.stations import Network, Station, read_station, stations
    from gnss_coop.model.timescales import epochs, format_time, parse_time
    from gnss_coop.output.ledger_page import write_ledger
    from gnss_coop.output.report import write_report

#: Where each public name lives; modules are imported when a name is first used.
_HOME = {
    "Almanac": "model.almanac",
    "ArchiveError": "errors",
    "Ephemerides": "model.ephemerides",
    "EphemerisGapError": "errors",
    "GeoGrid": "model.grid",
    "GeoPoints": "model.grid",
    "GnssCoopError": "errors",
    "GridError": "errors",
    "HorizonMask": "model.horizon",
    "LeapSecondWarning": "errors",
    "Network": "model.stations",
    "Networks": "model.networks",
    "Observations": "model.observations",
    "Outlook": "analysis.outlook",
    "OutputError": "errors",
    "RinexError": "errors",
    "PreciseOrbits": "analysis.precise_orbits",
    "Rule": "model.rules",
    "Scenario": "model.scenario",
    "ScenarioError": "errors",
    "Station": "model.stations",
    "StationError": "errors",
    "StationReport": "analysis.station_report",
    "StudyError": "errors",
    "TimeError": "errors",
    "Tracking": "analysis.tracking",
    "best_cell": "analysis.best_cells",
    "best_cells": "analysis.best_cells",
    "candidate_table": "analysis.best_sites",
    "best_sites": "analysis.best_sites",
    "common_view": "analysis.network_coverage",
    "compare": "analysis.comparison",
    "completeness_pct": "analysis.completeness",
    "depth_map": "analysis.depth_map",
    "diff": "batch.diff",
    "dilution_of_precision": "analysis.dop",
    "dop_map": "analysis.dop_map",
    "epochs": "model.timescales",
    "findings": "analysis.comparison",
    "forecast_positions": "analysis.forecast",
    "format_time": "model.timescales",
    "ledger_findings": "analysis.ledger_findings",
    "map_summary": "analysis.map_summary",
    "mean_elements": "model.element_fit",
    "mutual_gain": "analysis.ledger",
    "network_arcs": "analysis.network_coverage",
    "network_table": "analysis.network",
    "network_views": "analysis.network_views",
    "nominal_constellation": "model.nominal",
    "parse_time": "model.timescales",
    "passes": "analysis.passes",
    "positions_with_forecast": "analysis.outlook",
    "precise_orbits": "analysis.precise_orbits",
    "query": "batch.query",
    "read_almanac": "formats.almanacs",
    "read_nav": "formats.rinex_nav",
    "read_obs": "formats.rinex_obs",
    "read_points": "model.grid",
    "read_sp3": "formats.sp3",
    "read_station": "model.stations",
    "receivers_of": "analysis.report_receivers",
    "rule_named": "model.rules",
    "rule_verdicts": "analysis.map_summary",
    "run_batch": "batch.api",
    "sample_file": "formats.sample",
    "satellite_positions": "analysis.positions",
    "satellite_table": "analysis.network",
    "site_gain_map": "analysis.site_gain",
    "station_reports": "analysis.station_report",
    "station_worth": "analysis.station_worth",
    "stations": "model.stations",
    "tracked": "analysis.tracking",
    "trend": "batch.trend",
    "visibility": "analysis.visibility",
    "visibility_circle": "analysis.depth_map",
    "write_ledger": "output.ledger_page",
    "write_report": "output.report",
}

__all__ = [
    "Almanac",
    "ArchiveError",
    "Ephemerides",
    "EphemerisGapError",
    "GeoGrid",
    "GeoPoints",
    "GnssCoopError",
    "GridError",
    "HorizonMask",
    "LeapSecondWarning",
    "Network",
    "Networks",
    "Observations",
    "Outlook",
    "OutputError",
    "PreciseOrbits",
    "RinexError",
    "Rule",
    "Scenario",
    "ScenarioError",
    "Station",
    "StationError",
    "StationReport",
    "StudyError",
    "TimeError",
    "Tracking",
    "__version__",
    "best_cell",
    "best_cells",
    "best_sites",
    "candidate_table",
    "common_view",
    "compare",
    "completeness_pct",
    "depth_map",
    "diff",
    "dilution_of_precision",
    "dop_map",
    "epochs",
    "findings",
    "forecast_positions",
    "format_time",
    "ledger_findings",
    "map_summary",
    "mean_elements",
    "mutual_gain",
    "network_arcs",
    "network_table",
    "network_views",
    "nominal_constellation",
    "parse_time",
    "passes",
    "positions_with_forecast",
    "precise_orbits",
    "query",
    "read_almanac",
    "read_nav",
    "read_obs",
    "read_points",
    "read_sp3",
    "read_station",
    "receivers_of",
    "rule_named",
    "rule_verdicts",
    "run_batch",
    "sample_file",
    "satellite_positions",
    "satellite_table",
    "site_gain_map",
    "station_reports",
    "station_worth",
    "stations",
    "tracked",
    "trend",
    "visibility",
    "visibility_circle",
    "write_ledger",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'gnss_coop' has no attribute {name!r}")
    value = getattr(import_module(f"gnss_coop.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
