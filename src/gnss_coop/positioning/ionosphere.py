"""The broadcast model of the ionosphere: parameters from headers and RINEX 4 messages, and its delays."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.errors import EphemerisGapError
from gnss_coop.kernels import positioning as kernel
from gnss_coop.positioning.signals import BEIDOU_IONOSPHERE_HZ, GPS_IONOSPHERE_HZ

if TYPE_CHECKING:
    from gnss_coop.ephemerides.ephemerides import Ephemerides, NavFrame

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Header keys of each model (alpha, beta), and the RINEX 4 message that brings it.
_SOURCES: Final = {
    "GPS": ((("GPSA", "GPSB"), ("ION ALPHA", "ION BETA"), ("QZSA", "QZSB")), "LNAV", "GJ"),
    "BeiDou": ((("BDSA", "BDSB"),), "D1D2", "C"),
}
_DAY_NS: Final = const.SECONDS_PER_DAY * const.NS_PER_S


@dataclass(frozen=True, slots=True)
class Klobuchar:
    """Eight parameters of the ionosphere, and whose they are.

    Attributes
    ----------
    origin : str
        GPS or BeiDou: each has its own formula and frequency.
    alpha, beta : tuple of 4 float
        As broadcast.
    source : str
        Where they were found, in words.
    """

    origin: str
    alpha: tuple[float, ...]
    beta: tuple[float, ...]
    source: str

    def delay_m(
        self, latitude_rad: float, longitude_rad: float, azimuth: Floats, elevation: Floats, time_ns: Integers,
        frequency_hz: Floats,
    ) -> Floats:  # fmt: skip
        """Return the delay at each frequency [m]; times are those of GPST [ns], angles [rad]."""
        beidou = self.origin == "BeiDou"
        offset_ns = const.BDT_MINUS_GPST_S * const.NS_PER_S if beidou else 0
        second = ((time_ns + offset_ns) % _DAY_NS) / const.NS_PER_S
        delay_m = np.empty(elevation.size)
        model = kernel.klobuchar_beidou if beidou else kernel.klobuchar_gps
        model(
            np.array(self.alpha), np.array(self.beta), latitude_rad, longitude_rad, azimuth, elevation, second, delay_m
        )
        own_hz = BEIDOU_IONOSPHERE_HZ if beidou else GPS_IONOSPHERE_HZ
        return np.asarray(delay_m * (own_hz / frequency_hz) ** 2)


def broadcast_models(nav: Ephemerides, time_ns: int) -> dict[str, Klobuchar]:
    """Return the models that navigation files carry, by origin.

    Parameters
    ----------
    nav : Ephemerides
        From `read_nav`.
    time_ns : int
        Of several RINEX 4 messages the nearest to this instant counts [ns of GPST].

    Raises
    ------
    EphemerisGapError
        If there is no model at all.
    """
    found = {}
    for origin, (keys, message, letters) in _SOURCES.items():
        model = _from_headers(nav, origin, keys) or _from_frames(nav.frames, origin, message, letters, time_ns)
        if model is not None:
            found[origin] = model
    if not found:
        raise EphemerisGapError(
            "the navigation files have no parameters of the ionosphere (GPSA and GPSB, BDSA and BDSB in the header, or "
            "ION messages): use two frequencies (ionosphere free), or give a file that has them"
        )
    return found


def _from_headers(nav: Ephemerides, origin: str, keys: Iterable[tuple[str, str]]) -> Klobuchar | None:
    for header in nav.headers:
        for first, second in keys:
            alpha, beta = (header.ionosphere.get(key, ()) for key in (first, second))
            if len(alpha) == len(beta) == 4 and all(map(math.isfinite, (*alpha, *beta))):
                return Klobuchar(origin, alpha, beta, f"{first} and {second} of the header")
    return None


def _from_frames(frames: Iterable[NavFrame], origin: str, message: str, letters: str, time_ns: int) -> Klobuchar | None:
    """Take the most frequent parameters of the messages nearest in time."""
    fitting = [
        f for f in frames
        if f.kind == "ION" and f.message == message and f.sv[:1] in letters
        and len(f.values) >= 8 and all(map(math.isfinite, f.values[:8]))
    ]  # fmt: skip
    if not fitting:
        return None
    nearest = min(abs(f.epoch_ns - time_ns) for f in fitting)
    counts = Counter(f.values[:8] for f in fitting if abs(f.epoch_ns - time_ns) == nearest)
    values = counts.most_common(1)[0][0]
    return Klobuchar(origin, values[:4], values[4:8], f"ION messages {message}")
