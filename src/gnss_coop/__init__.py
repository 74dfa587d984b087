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
    from gnss_coop.batch.api import run_batch
    from gnss_coop.batch.archive.diff import diff
    from gnss_coop.batch.archive.query import query
    from gnss_coop.batch.archive.trend import trend
    from gnss_coop.elements.almanac import Almanac
    from gnss_coop.elements.nominal import nominal_constellation
    from gnss_coop.ephemerides.element_fit import mean_elements
    from gnss_coop.ephemerides.ephemerides import Ephemerides
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
    from gnss_coop.formats.rinex.nav import read_nav
    from gnss_coop.formats.rinex.obs import read_obs
    from gnss_coop.formats.sample import sample_file
    from gnss_coop.formats.sp3 import read_sp3
    from gnss_coop.geometry.comparison import compare, findings
    from gnss_coop.geometry.dop import dilution_of_precision
    from gnss_coop.geometry.passes import passes
    from gnss_coop.geometry.visibility import visibility
    from gnss_coop.ledger.findings import ledger_findings
    from gnss_coop.ledger.mutual_gain import mutual_gain
    from gnss_coop.ledger.page import write_ledger
    from gnss_coop.maps.dop_map import dop_map
    from gnss_coop.maps.rules import Rule, rule_named
    from gnss_coop.maps.summary import map_summary, rule_verdicts
    from gnss_coop.model.grid import GeoGrid, GeoPoints, read_points
    from gnss_coop.model.horizon import HorizonMask
    from gnss_coop.model.network import Network, Station, read_station, stations
    from gnss_coop.model.observations import Observations
    from gnss_coop.model.scenario import Scenario
    from gnss_coop.model.timescales import epochs, format_time, parse_time
    from gnss_coop.networks.best_cells import best_cell, best_cells
    from gnss_coop.networks.best_sites import best_sites, candidate_table
    from gnss_coop.networks.coverage import common_view, network_arcs
    from gnss_coop.networks.depth_map import depth_map, visibility_circle
    from gnss_coop.networks.networks import Networks
    from gnss_coop.networks.site_gain import site_gain_map
    from gnss_coop.networks.table import network_table, satellite_table
    from gnss_coop.networks.views import network_views
    from gnss_coop.networks.worth import station_worth
    from gnss_coop.orbits.broadcast import satellite_positions
    from gnss_coop.orbits.completeness import completeness_pct
    from gnss_coop.orbits.forecast import forecast_positions
    from gnss_coop.orbits.outlook import Outlook, positions_with_forecast
    from gnss_coop.orbits.precise import PreciseOrbits, precise_orbits
    from gnss_coop.reports.receivers import receivers_of
    from gnss_coop.reports.station_report import StationReport, station_reports
    from gnss_coop.reports.write import write_report
    from gnss_coop.tracking.tracked import Tracking, tracked

#: Where each public name lives; modules are imported when a name is first used.
_HOME = {
    "Almanac": "elements.almanac",
    "ArchiveError": "errors",
    "Ephemerides": "ephemerides.ephemerides",
    "EphemerisGapError": "errors",
    "GeoGrid": "model.grid",
    "GeoPoints": "model.grid",
    "GnssCoopError": "errors",
    "GridError": "errors",
    "HorizonMask": "model.horizon",
    "LeapSecondWarning": "errors",
    "Network": "model.network",
    "Networks": "networks.networks",
    "Observations": "model.observations",
    "Outlook": "orbits.outlook",
    "OutputError": "errors",
    "RinexError": "errors",
    "PreciseOrbits": "orbits.precise",
    "Rule": "maps.rules",
    "Scenario": "model.scenario",
    "ScenarioError": "errors",
    "Station": "model.network",
    "StationError": "errors",
    "StationReport": "reports.station_report",
    "StudyError": "errors",
    "TimeError": "errors",
    "Tracking": "tracking.tracked",
    "best_cell": "networks.best_cells",
    "best_cells": "networks.best_cells",
    "candidate_table": "networks.best_sites",
    "best_sites": "networks.best_sites",
    "common_view": "networks.coverage",
    "compare": "geometry.comparison",
    "completeness_pct": "orbits.completeness",
    "depth_map": "networks.depth_map",
    "diff": "batch.archive.diff",
    "dilution_of_precision": "geometry.dop",
    "dop_map": "maps.dop_map",
    "epochs": "model.timescales",
    "findings": "geometry.comparison",
    "forecast_positions": "orbits.forecast",
    "format_time": "model.timescales",
    "ledger_findings": "ledger.findings",
    "map_summary": "maps.summary",
    "mean_elements": "ephemerides.element_fit",
    "mutual_gain": "ledger.mutual_gain",
    "network_arcs": "networks.coverage",
    "network_table": "networks.table",
    "network_views": "networks.views",
    "nominal_constellation": "elements.nominal",
    "parse_time": "model.timescales",
    "passes": "geometry.passes",
    "positions_with_forecast": "orbits.outlook",
    "precise_orbits": "orbits.precise",
    "query": "batch.archive.query",
    "read_almanac": "formats.almanacs",
    "read_nav": "formats.rinex.nav",
    "read_obs": "formats.rinex.obs",
    "read_points": "model.grid",
    "read_sp3": "formats.sp3",
    "read_station": "model.network",
    "receivers_of": "reports.receivers",
    "rule_named": "maps.rules",
    "rule_verdicts": "maps.summary",
    "run_batch": "batch.api",
    "sample_file": "formats.sample",
    "satellite_positions": "orbits.broadcast",
    "satellite_table": "networks.table",
    "site_gain_map": "networks.site_gain",
    "station_reports": "reports.station_report",
    "station_worth": "networks.worth",
    "stations": "model.network",
    "tracked": "tracking.tracked",
    "trend": "batch.archive.trend",
    "visibility": "geometry.visibility",
    "visibility_circle": "networks.depth_map",
    "write_ledger": "ledger.page",
    "write_report": "reports.write",
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
