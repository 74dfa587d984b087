"""Positions of a day: all satellites every 30 s, against RTKLIB called satellite by satellite."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyrtklib  # type: ignore[import-untyped]

import gnss_coop as gc
from common import Row, time_by_turns
from reading import read_with_rtklib

DAY = "2024-01-10"
STEP_S = 30
REPEATS = 5
#: Every n-th epoch goes to RTKLIB, whose loop in Python would take minutes over all of them.
SAMPLE_EVERY = 240
#: Largest median distance to RTKLIB [m]: both evaluate mostly the same records; a larger one says that the
#: comparison of times is void.
AGREEMENT_M = 0.01
#: 450 s from GLONASS reference times, the mean over a day: the integration is as long as it is on average.
INSTANT = f"{DAY}T12:07:48"


def _gtime(text: str) -> pyrtklib.gtime_t:
    calendar = pyrtklib.Arr1Ddouble(6)
    for i, value in enumerate(datetime.fromisoformat(text[:19]).timetuple()[:6]):
        calendar[i] = value
    return pyrtklib.epoch2time(calendar)


class _Rtklib:
    """RTKLIB with the day in memory and its output arrays at hand."""

    def __init__(self, path: Path) -> None:
        self.nav = read_with_rtklib(path)
        pyrtklib.uniqnav(self.nav)
        self.state, self.clock, self.variance = (pyrtklib.Arr1Ddouble(n) for n in (6, 2, 1))
        self.health = pyrtklib.Arr1Dint(1)

    def satpos(self, when: pyrtklib.gtime_t, number: int) -> bool:
        """Choose the record, compute position and velocity (two evaluations); false without a record."""
        found = pyrtklib.satpos(
            when,
            when,
            number,
            pyrtklib.EPHOPT_BRDC,
            self.nav,
            self.state,
            self.clock,
            self.variance,
            self.health,
        )
        return bool(found == 1)

    def position_m(self, when: pyrtklib.gtime_t, number: int) -> npt.NDArray[np.float64]:
        """Return the position [m], NaN without a record."""
        found = self.satpos(when, number)
        return np.array([self.state[i] if found else np.nan for i in range(3)])

    def nearest(self, when: pyrtklib.gtime_t) -> list[tuple[Callable[..., None], Any]]:
        """Return per satellite the record nearest in time, and the function that evaluates it."""
        chosen: dict[int, tuple[float, Callable[..., None], Any]] = {}
        for table, count, evaluate in (
            (self.nav.eph, self.nav.n, pyrtklib.eph2pos),
            (self.nav.geph, self.nav.ng, pyrtklib.geph2pos),
        ):
            for record in (table[i] for i in range(count)):
                age_s = abs(pyrtklib.timediff(record.toe, when))
                if age_s < chosen.get(record.sat, (np.inf,))[0]:
                    chosen[record.sat] = (age_s, evaluate, record)
        return [(evaluate, record) for _, evaluate, record in chosen.values()]


def rows(path: Path) -> list[Row]:
    """Time per position of a whole day, and of RTKLIB's calls from Python."""
    nav = gc.read_nav(path)
    epochs = gc.epochs(DAY, hours=24, step_s=STEP_S)
    positions_m = gc.satellite_positions(nav, epochs)["positions"].values
    rtklib = _Rtklib(path)
    instant = _gtime(INSTANT)
    in_hand = rtklib.nearest(instant)
    numbers = [pyrtklib.satid2no(sv) for sv in nav.satellites]
    when = [_gtime(str(t)) for t in epochs[::SAMPLE_EVERY]]
    theirs_m = np.array([[rtklib.position_m(t, number) for number in numbers] for t in when])
    _check_agreement(positions_m[::SAMPLE_EVERY], theirs_m)

    def satpos() -> None:
        for t in when:
            for number in numbers:
                rtklib.satpos(t, number)

    def eph2pos() -> None:
        for evaluate, record in in_hand:
            evaluate(instant, record, rtklib.state, rtklib.clock, rtklib.variance)

    def call() -> None:
        for _ in in_hand:
            pyrtklib.timediff(instant, instant)

    ours, by_satpos, by_record, by_nothing = time_by_turns(
        lambda: gc.satellite_positions(nav, epochs),
        satpos,
        eph2pos,
        call,
        repeats=REPEATS,
        clock=time.perf_counter,
    )
    own_ns = 1e9 * ours.median_s / np.isfinite(positions_m[..., 0]).sum()
    measured = f"{own_ns:.0f} ns a position"
    references = (
        ("pyrtklib.satpos, a call each", by_satpos, np.isfinite(theirs_m[..., 0]).sum()),
        ("eph2pos/geph2pos, a call each, record in hand", by_record, len(in_hand)),
        ("a call of pyrtklib that does next to nothing", by_nothing, len(in_hand)),
    )
    job = f"satellite_positions, {len(numbers)} satellites, a day at {STEP_S} s in {ours.median_s:.2f} s"
    return [
        Row(job, measured, f"{name} {(peer_ns := 1e9 * timing.median_s / n):.0f} ns", own_ns / peer_ns)
        for name, timing, n in references
    ]


def _check_agreement(ours_m: npt.NDArray[np.float64], theirs_m: npt.NDArray[np.float64]) -> None:
    distance_m = float(np.nanmedian(np.linalg.norm(ours_m - theirs_m, axis=-1)))
    if not distance_m <= AGREEMENT_M:
        raise RuntimeError(f"positions differ from RTKLIB's by {distance_m:.3f} m in the median: mend that first")
