"""What an archive holds: the name of its ledger, and the columns of its tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: The SQLite file of an archive.
LEDGER: Final = "ledger.sqlite"


def _types(text: str) -> dict[str, str]:
    """Return names and types of columns written as ``name TYPE, name TYPE``."""
    return dict(column.split() for column in text.split(","))


#: Columns of each product that is a table, with their types in SQL, in order.
COLUMNS: Final[Mapping[str, Mapping[str, str]]] = {
    "compare": _types(
        "station VARCHAR, mask_deg DOUBLE, systems VARCHAR, clocks VARCHAR, n_clocks BIGINT, n_epochs BIGINT, "
        "n_used_mean DOUBLE, n_used_least BIGINT, pdop_median DOUBLE, pdop_p95 DOUBLE, hdop_median DOUBLE, "
        "vdop_median DOUBLE, gdop_median DOUBLE, availability_pct DOUBLE, supplemented_by VARCHAR, "
        "pdop_drop_pct DOUBLE, hdop_drop_pct DOUBLE, vdop_drop_pct DOUBLE, availability_gain_points DOUBLE, "
        "completeness_pct DOUBLE"
    ),
    "passes": _types(
        "mask_deg DOUBLE, station VARCHAR, sv VARCHAR, begins VARCHAR, rise_gpst TIMESTAMP, "
        "rise_azimuth_deg DOUBLE, culmination_gpst TIMESTAMP, culmination_azimuth_deg DOUBLE, "
        "max_elevation_deg DOUBLE, ends VARCHAR, set_gpst TIMESTAMP, set_azimuth_deg DOUBLE, "
        "duration_s DOUBLE"
    ),
    "dop": _types(
        "clocks VARCHAR, time_gpst TIMESTAMP, station VARCHAR, systems VARCHAR, mask_deg DOUBLE, "
        "n_used BIGINT, gdop DOUBLE, pdop DOUBLE, hdop DOUBLE, vdop DOUBLE, tdop DOUBLE"
    ),
    "worst": _types(
        "clocks VARCHAR, station VARCHAR, systems VARCHAR, mask_deg DOUBLE, begins_gpst TIMESTAMP, "
        "ends_gpst TIMESTAMP, duration_s DOUBLE, pdop_worst DOUBLE, n_used_least BIGINT, "
        "within_limit BOOLEAN, helped_by VARCHAR, pdop_worst_helped DOUBLE"
    ),
    "network": _types(
        "mask_deg DOUBLE, system VARCHAR, orbit VARCHAR, network VARCHAR, n_satellites BIGINT, k1 DOUBLE, "
        "k2 DOUBLE, k3 DOUBLE, k4 DOUBLE, depth DOUBLE, gap_max_min DOUBLE, gap_mean_min DOUBLE, "
        "arc_mean_min DOUBLE, sigma_radial_m DOUBLE, sigma_along_m DOUBLE, sigma_cross_m DOUBLE, "
        "sigma_3d_m DOUBLE, completeness_pct DOUBLE"
    ),
}
