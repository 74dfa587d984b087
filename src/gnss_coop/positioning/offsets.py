"""Offsets between the times of the systems, as their messages give them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gnss_coop import constants as const

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides

#: RINEX names of the systems' times in STO labels and TIME SYSTEM CORR lines.
_NAMES: Final = {"GL": "R", "BD": "C", "GA": "E", "QZ": "J", "GP": "G"}
_TO: Final = "GP"
_LARGEST_S: Final = 1e-5


def broadcast_offsets_ns(nav: Ephemerides) -> dict[str, float]:
    """Return system time less GPS time of each system whose message gives it [ns].

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.

    Returns
    -------
    dict of str to float
        By letter; of several messages the median. GPS itself is 0 where any other is there.

    Notes
    -----
    A label such as BDGP is the first time less the second (RINEX 4.02, table A33); of the polynomial the constant
    term counts, as rates are below 1 ns a day.
    """
    values: dict[str, list[float]] = {}
    labelled = [(key, v) for header in nav.headers for key, v in header.time_corrections.items()]
    # The first number of an STO frame is its time of transmission.
    labelled += [(f.label[:4], f.values[1:]) for f in nav.frames if f.kind == "STO"]
    for label, numbers in labelled:
        first, second = label[:2], label[2:4]
        if len(label) < 4 or not numbers or not {first, second} <= set(_NAMES) or _TO not in (first, second):
            continue
        offset_s = numbers[0]
        if math.isfinite(offset_s) and abs(offset_s) < _LARGEST_S:
            letter = _NAMES[first if second == _TO else second]
            values.setdefault(letter, []).append(offset_s if second == _TO else -offset_s)
    found = {letter: float(np.median(v)) * const.NS_PER_S for letter, v in values.items()}
    return {"G": 0.0} | found if found else {}
