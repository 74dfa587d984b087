"""Time tags of GLONASS records that are written beside the grid on which alone they can be."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from gnss_coop import constants as const
from gnss_coop.ephemerides.messages import GLONASS_TB_STEP_S, MESSAGE_INDEX
from gnss_coop.ephemerides.records import RecordTable
from gnss_coop.model import timescales

# Seen in files: +1 s (converters with an old table of leap seconds), -1 s, +3 s, and tags in GPST.
_NEAR_S: Final = 5


def on_grid(table: RecordTable) -> tuple[RecordTable, dict[int, str]]:
    """Bring tags of GLONASS records some seconds beside the 15 minute grid, or in GPST, onto it.

    The reference time tb is a multiple of 15 min of UTC (GLONASS ICD, table 4.6), so that such a tag can only
    mean the nearest one.

    Parameters
    ----------
    table : RecordTable
        Records in any order.

    Returns
    -------
    table : RecordTable
        The same records, with the epochs that they mean.
    repaired : dict of int to str
        Rows whose epochs were changed, and how far off they were.
    """
    rows = np.flatnonzero(table.message == MESSAGE_INDEX["R", "FDMA"])
    step_ns, toc_ns = GLONASS_TB_STEP_S * const.NS_PER_S, table.toc_ns[rows]
    utc_ns = timescales.gpst_to_utc_ns(toc_ns)
    off_ns = (utc_ns + step_ns // 2) % step_ns - step_ns // 2
    in_gpst = (off_ns != 0) & (off_ns == toc_ns - utc_ns)
    near = (off_ns != 0) & (np.abs(off_ns) <= _NEAR_S * const.NS_PER_S)
    moved = np.flatnonzero(near | in_gpst)
    if moved.size == 0:
        return table, {}
    epochs = table.toc_ns.copy()
    epochs[rows[moved]] = timescales.utc_to_gpst_ns(utc_ns[moved] - off_ns[moved])
    repaired = {
        int(rows[i]): f"time tag is {off_ns[i] / const.NS_PER_S:+g} s off the 15 minute grid of GLONASS reference "
        f"times{' (it is GPST)' if in_gpst[i] and not near[i] else ''}: taken as on it"
        for i in moved.tolist()
    }
    return replace(table, toc_ns=epochs), repaired
