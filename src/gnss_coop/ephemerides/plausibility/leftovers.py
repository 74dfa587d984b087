"""What is left of series that were rejected, and records whose date stands alone.

Both pass every check of single records, and have no neighbours to be compared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gnss_coop.elements.almanac import DAY_NS, Almanac
from gnss_coop.ephemerides.messages import OrbitModel
from gnss_coop.ephemerides.plausibility.consistency import OTHER_SATELLITE_M, Holders
from gnss_coop.ephemerides.plausibility.dates import carries_week
from gnss_coop.ephemerides.records import Booleans, Integers, RecordTable, satellite_key
from gnss_coop.model import timescales
from gnss_coop.model.systems import SYSTEMS

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides

#: Share of a series of a file, and the least number, of rejected records that makes the rest of it doubtful.
_SHARE, _FEWEST = 0.8, 5
#: The same of one satellite, where a single record is left.
_FEWEST_OF_SATELLITE: Final = 2
#: A date is alone where this lies between it and the others of its file [ns], and these are so many times as many.
_ALONE_NS, _TIMES = DAY_NS, 5
#: How far an orbit is continued to see whether a record lies on it [ns]; beyond, a lonely date is not believed.
_FARTHEST_NS: Final = 60 * DAY_NS


def survivors(table: RecordTable, rejected: Booleans, records: Integers, holders: Holders) -> dict[int, str]:
    """Return the rows that nearly all others of their kind in the file were rejected beside, with the reason.

    Parameters
    ----------
    table : RecordTable
        All records.
    rejected : bool array (n,)
        Those whose orbit, angles or date cannot be.
    records : int array (n,)
        Their numbers in `holders`.
    holders : Holders
        Which files hold them: what another file says too is believed.
    """
    reasons: dict[int, str] = {}
    if not rejected.any():
        return reasons
    systems = table.file.astype(np.int64) * 1000 + table.system
    satellites = table.file.astype(np.int64) * 1_000_000 + satellite_key(table)
    for keys, few in ((systems, False), (satellites, True)):
        _, group, n = np.unique(keys, return_inverse=True, return_counts=True)
        n_bad = np.bincount(group, weights=rejected).astype(np.int64)
        doubtful = (
            (n - n_bad == 1) & (n_bad >= _FEWEST_OF_SATELLITE) if few else (n_bad >= _FEWEST) & (n_bad >= _SHARE * n)
        )
        for row in np.flatnonzero(doubtful[group] & ~rejected).tolist():
            if len(holders.matrix(records[[row]])[0]) == 1:
                name = table.take(np.array([row])).names()[0]
                what = name if few else SYSTEMS[name[0]].name
                reasons.setdefault(
                    row,
                    f"left over from a series that is rejected: {n_bad[group[row]]} of {n[group[row]]} records of "
                    f"{what} in the file cannot be right",
                )
    return reasons


def lonely_dates(nav: Ephemerides) -> dict[int, str]:
    """Return the rows whose date stands alone in their file and that are not on their satellite's orbit continued."""
    table, derived = nav.table, nav.derived
    alone = np.zeros(len(table), dtype=bool)
    for file in np.unique(table.file):
        rows = np.flatnonzero(table.file == file)
        alone[rows[_apart_from_most(derived.toe_ns[rows])]] = True
    alone &= derived.model != OrbitModel.SBAS
    reasons: dict[int, str] = {}
    fits: dict[bytes, Almanac] = {}  # records of one cluster have the same others before them
    keys = satellite_key(table)
    for key in np.unique(keys[alone]):
        others = np.flatnonzero((keys == key) & ~alone)
        for row in np.flatnonzero((keys == key) & alone).tolist():
            reason = _alone(nav, row, others, derived.toe_ns[(table.file == table.file[row]) & ~alone], fits)
            if reason:
                reasons[row] = reason
    return reasons


def _apart_from_most(toe_ns: Integers) -> Booleans:
    """Tell which instants lie in clusters, a day or more from all others, that are small against the largest."""
    result = np.zeros(len(toe_ns), dtype=bool)
    if np.ptp(toe_ns) <= _ALONE_NS:
        return result
    order = np.argsort(toe_ns, kind="stable")
    cluster = np.cumsum(np.r_[0, np.diff(toe_ns[order]) > _ALONE_NS])
    n = np.bincount(cluster)
    result[order] = n[cluster] * _TIMES <= n.max()
    return result


def _alone(nav: Ephemerides, row: int, others: Integers, of_file_ns: Integers, fits: dict[bytes, Almanac]) -> str:
    """Return why a record with a lonely date is not believed; empty where it is."""
    toe_ns = nav.derived.toe_ns
    far_ns = int(np.abs(of_file_ns - toe_ns[row]).min())
    days = f"date {timescales.format_time(toe_ns[row])[:10]} is {far_ns / DAY_NS:.1f} days from all others of the file"
    near = others[np.abs(toe_ns[others] - toe_ns[row]) <= _FARTHEST_NS]
    if not near.size:
        # Receivers keep ephemerides for months: where the week says so too, the record is of that date.
        unchecked = far_ns > _FARTHEST_NS and not carries_week(nav.table, row)
        return f"{days}, too far to be checked" if unchecked else ""
    apart_m = _from_continued_orbit(nav, row, near, fits)
    if apart_m <= OTHER_SATELLITE_M:
        return ""
    return f"{days}, and its orbit is not that of the satellite's others continued: {apart_m / 1e3:.0f} km apart"


def _from_continued_orbit(nav: Ephemerides, row: int, others: Integers, fits: dict[bytes, Almanac]) -> float:
    """Return how far a record lies from mean elements of others, of those nearest in time [m]; 0 if none fit."""
    from dataclasses import replace

    from gnss_coop.ephemerides.element_fit import mean_elements
    from gnss_coop.kernels import orbits

    toe_ns = nav.derived.toe_ns
    # Mean elements go by the last three days of what they are given.
    before = others[toe_ns[others] < toe_ns[row]]
    rows = before if before.size else others[toe_ns[others] <= toe_ns[others].min() + 3 * DAY_NS]
    if rows.tobytes() not in fits:
        part = replace(nav, table=nav.table.take(rows), derived=nav.derived.take(rows))
        fits[rows.tobytes()] = mean_elements(part)
    fitted = fits[rows.tobytes()]
    if not fitted.orbits:
        return 0.0
    own = nav.derived.take(np.array([row]))
    xyz_m = np.empty((1, 1, 3))
    orbits.positions(own.toe_ns, np.zeros((1, 1), dtype=np.int64), own.toe_ns, own.model, own.elements, xyz_m)
    return float(np.linalg.norm(fitted.orbits[0].positions_m(own.toe_ns)[0] - xyz_m[0, 0]))
