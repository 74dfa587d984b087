"""Signals of single point positioning: which pseudoranges are combined, and the group delays of each combination.

A satellite's clock refers to certain signals; users of others correct it by the delays that its message broadcasts.
Sources: IS-GPS-200 20.3.3.3.3.2, Galileo OS SIS ICD 5.1.5, BDS-SIS-ICD-B1I 5.2.4.10 (clock of D1/D2: B3I),
BDS-SIS-ICD-B1C 7.6, GLONASS ICD table 4.5 (clock: L1; delta tau: delay of L2 after L1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gnss_coop.ephemerides.messages import field

FREE, KLOBUCHAR, NONE = "free", "klobuchar", "none"
#: What can be done about the ionosphere.
IONOSPHERES: Final = (FREE, KLOBUCHAR, NONE)

# Carrier frequencies [Hz].
_L1, _L2, _L5 = 1575.42e6, 1227.60e6, 1176.45e6
_B1I, _B2I, _B3I, _E5B = 1561.098e6, 1207.14e6, 1268.52e6, 1207.14e6
#: GLONASS carriers of channel 0 and their steps (GLONASS ICD 3.3.1.1).
R_L1, R_L1_STEP, R_L2 = 1602.0e6, 0.5625e6, 1246.0e6
#: Frequency that each Klobuchar model speaks of.
GPS_IONOSPHERE_HZ, BEIDOU_IONOSPHERE_HZ = _L1, _B1I

Terms = tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Combination:
    """One pseudorange or two that remove the ionosphere, and the messages whose clock can serve them.

    Attributes
    ----------
    system : str
        RINEX letter.
    name : str
        Names of the signals, such as ``B1I/B3I``.
    first, second : tuple of str
        Codes in order of preference; no second ones for a single frequency.
    frequency_hz : tuple of float
        One or two.
    delays : dict of str to tuple of (int, float)
        Messages in order of preference; what is to be taken from the satellite's clock: indices of a record's fields
        [s], and their factors.
    """

    system: str
    name: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    frequency_hz: tuple[float, ...]
    delays: dict[str, Terms]

    @property
    def factors(self) -> tuple[float, float]:
        """What first and second pseudorange are multiplied by; they add up to 1."""
        if len(self.frequency_hz) == 1:
            return 1.0, 0.0
        return _free(*self.frequency_hz)


def _free(f1: float, f2: float) -> tuple[float, float]:
    """Return the factors of the combination without ionosphere (of first order)."""
    return f1 * f1 / (f1 * f1 - f2 * f2), -f2 * f2 / (f1 * f1 - f2 * f2)


_TGD: Final = field(6, 2)  # of LNAV and CNAV; of D1 and D2 it is TGD1 (B1I), the next one TGD2 (B2I)
_TGD2: Final = field(6, 3)
_ISC_L1CA: Final = field(7, 0)
_BGD_E5A, _BGD_E5B = field(6, 2), field(6, 3)
_DELTA_TAU: Final = field(4, 1)
_ISC_B1CD, _ISC_B2AD, _TGD_B1CP, _TGD_B2AP = field(7, 0), field(7, 1), field(7, 2), field(7, 3)

_GPS_1: Final = ("C1W", "C1P", "C1Y", "C1C", "C1X", "C1L", "C1S", "P1", "C1")
_GPS_2: Final = ("C2W", "C2P", "C2Y", "C2D", "C2L", "C2X", "C2S", "C2C", "P2", "C2")
_R_1, _R_2 = ("C1P", "C1C", "P1", "C1"), ("C2P", "C2C", "P2", "C2")
_E_1: Final = ("C1C", "C1X", "C1B", "C1Z", "C1")
_E_5A, _E_5B = ("C5Q", "C5X", "C5I", "C5"), ("C7Q", "C7X", "C7I", "C7")
#: Version 3.02 calls B1I C1I.
_C_B1I: Final = ("C2I", "C2X", "C2Q", "C1I", "C1Q", "C2")
_C_B2I, _C_B3I = ("C7I", "C7X", "C7Q", "C7"), ("C6I", "C6X", "C6Q", "C6")
_C_B1C, _C_B2A = ("C1P", "C1X"), ("C5P", "C5X")
_J_1, _J_2 = ("C1C", "C1X", "C1Z", "C1L", "C1S", "C1"), ("C2L", "C2X", "C2S", "C2")


def _twice(f1: float, f2: float, first: int, second: int) -> Terms:
    """Return the delays of two signals in their combination."""
    a, b = _free(f1, f2)
    return ((first, a), (second, b))


#: Combinations without ionosphere, by system in order of preference.
_PAIRS: Final = (
    Combination("G", "L1/L2", _GPS_1, _GPS_2, (_L1, _L2), {"LNAV": (), "CNAV": (), "CNV2": ()}),
    # The second signal lags by delta tau: P1 - P2 takes it in, the combination by 49/32 of it.
    Combination("R", "L1/L2", _R_1, _R_2, (9.0, 7.0), {"FDMA": ((_DELTA_TAU, _free(9.0, 7.0)[1]),)}),
    Combination(
        "E", "E1/E5a", _E_1, _E_5A, (_L1, _L5),
        # The clock of I/NAV is that of E1/E5b: the two differ by the difference of the delays.
        {"FNAV": (), "INAV": ((_BGD_E5A, -1.0), (_BGD_E5B, 1.0))},
    ),
    Combination("E", "E1/E5b", _E_1, _E_5B, (_L1, _E5B), {"INAV": ()}),
    Combination(
        "C", "B1I/B3I", _C_B1I, _C_B3I, (_B1I, _B3I),
        {m: ((_TGD, _free(_B1I, _B3I)[0]),) for m in ("D1", "D2")},
    ),
    Combination(
        "C", "B1I/B2I", _C_B1I, _C_B2I, (_B1I, _B2I), {m: _twice(_B1I, _B2I, _TGD, _TGD2) for m in ("D1", "D2")}
    ),
    Combination(
        "C", "B1C/B2a", _C_B1C, _C_B2A, (_L1, _L5),
        {m: _twice(_L1, _L5, _TGD_B1CP, _TGD_B2AP) for m in ("CNV1", "CNV2")},
    ),
    Combination("J", "L1/L2", _J_1, _J_2, (_L1, _L2), {"LNAV": (), "CNAV": (), "CNV2": ()}),
)  # fmt: skip

#: Single frequencies, by system in order of preference.
_SINGLES: Final = (
    Combination(
        "G", "L1", ("C1C", *_GPS_1), (), (_L1,),
        {"LNAV": ((_TGD, 1.0),), "CNAV": ((_TGD, 1.0), (_ISC_L1CA, -1.0))},
    ),
    Combination("R", "L1", ("C1C", *_R_1), (), (R_L1,), {"FDMA": ()}),
    Combination("E", "E1", _E_1, (), (_L1,), {"INAV": ((_BGD_E5B, 1.0),), "FNAV": ((_BGD_E5A, 1.0),)}),
    Combination("C", "B1I", _C_B1I, (), (_B1I,), dict.fromkeys(("D1", "D2"), ((_TGD, 1.0),))),
    Combination("C", "B3I", _C_B3I, (), (_B3I,), dict.fromkeys(("D1", "D2"), ())),
    Combination("C", "B2I", _C_B2I, (), (_B2I,), dict.fromkeys(("D1", "D2"), ((_TGD2, 1.0),))),
    Combination("C", "B1C", _C_B1C, (), (_L1,), dict.fromkeys(("CNV1", "CNV2"), ((_TGD_B1CP, 1.0),))),
    Combination("J", "L1", _J_1, (), (_L1,), {"LNAV": ((_TGD, 1.0),)}),
)  # fmt: skip

#: Systems whose pseudoranges can be used.
SYSTEMS_USED: Final = ("G", "R", "E", "C", "J")


def combinations(system: str, ionosphere: str) -> tuple[Combination, ...]:
    """Return the combinations of a system in order of preference.

    Parameters
    ----------
    system : str
        RINEX letter.
    ionosphere : {"free", "klobuchar", "none"}

    Examples
    --------
    >>> [c.name for c in combinations("C", "free")]
    ['B1I/B3I', 'B1I/B2I', 'B1C/B2a']
    >>> round(combinations("C", "free")[0].factors[0], 3)
    2.944
    """
    table = _PAIRS if ionosphere == FREE else _SINGLES
    return tuple(c for c in table if c.system == system)
