"""What was left out of a positioning, and what is odd about its files, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from gnss_coop import constants as const
from gnss_coop.positioning import truth as where
from gnss_coop.positioning.measurements import Measurements
from gnss_coop.positioning.solution import Prefit, Solution
from gnss_coop.positioning.truth import Truth

if TYPE_CHECKING:
    from gnss_coop.model.observations import Observations

Floats = npt.NDArray[np.float64]

_FAR_M: Final = 20.0
_HEIGHT_OFF_M, _HEIGHT_OFF_SINGLE_M = 3.0, 15.0  # the ionosphere moves heights by several metres
_JUMP_M: Final = const.LIGHT_SPEED_MPS * 1e-3


def notes_of(
    obs: Observations, measured: Measurements, seen: Prefit, everything: Solution, position: Truth
) -> list[str]:
    """Say what was left out and what is odd about the files."""
    notes = list(measured.notes)
    notes += [f"left out: {n} {reason}" for reason, n in measured.counts.items()]
    if seen.n_gross:
        notes.append(f"left out: {seen.n_gross} pseudoranges more than 1 km off those of their system and epoch")
    single = bool(np.isfinite(measured.frequency_hz).any())
    notes += _place_notes(obs, seen, everything, position, _HEIGHT_OFF_SINGLE_M if single else _HEIGHT_OFF_M)
    clock_m = np.nanmedian(everything.clock_m[everything.fixed], axis=1)
    steps_ms = np.diff(clock_m) / _JUMP_M
    jumps = np.abs(steps_ms) > 0.5
    whole = jumps & (np.abs(steps_ms - np.rint(steps_ms)) < 0.05)
    if whole.any():
        notes.append(
            f"the receiver clock jumps by whole milliseconds {int(whole.sum())} times; positions are free of it"
        )
    if (jumps & ~whole).any():
        notes.append(f"the receiver clock jumps by more than half a millisecond {int((jumps & ~whole).sum())} times")
    if any(e.kind == "antenna starts moving" for e in obs.events):
        notes.append("the antenna moves: errors hold it against one place all the same")
    return notes


def _place_notes(obs: Observations, seen: Prefit, everything: Solution, position: Truth, limit_m: float) -> list[str]:
    notes = []
    middle = np.nanmedian(everything.offset_m, axis=0)
    found_m = seen.reference_m + middle @ where.local_axes(seen.reference_m)
    header_m = where.header_antenna_m(obs)
    if header_m is None:
        notes.append("the header of the observations has no position")
    elif position.kind != where.HEADER and _far(found_m - header_m):
        notes.append(f"the receiver is {_size(found_m - header_m)} from the position in its header")
    if position.kind == where.MEDIAN:
        return notes
    apart = where.local_axes(found_m) @ (found_m - np.array(position.antenna_m))
    level_m, up_m = float(np.hypot(apart[0], apart[1])), float(apart[2])
    if _far(apart) and level_m > abs(up_m) / 2:
        notes.append(f"the receiver is {_size(apart)} from the truth: {position.words}")
    elif abs(up_m) > limit_m and level_m < abs(up_m) / 2:
        height_m = next((h.antenna_delta_m[0] for h in obs.headers), 0.0)
        notes.append(
            f"the median fix of all systems is {up_m:+.1f} m above the truth, and {level_m:.1f} m beside it: check "
            f"the antenna's height (the header says {height_m:g} m)"
        )
    return notes


def _far(apart_m: Floats) -> bool:
    return bool(np.linalg.norm(apart_m) > _FAR_M)


def _size(apart_m: Floats) -> str:
    length_m = float(np.linalg.norm(apart_m))
    return f"{length_m / 1e3:.1f} km" if length_m > 1e4 else f"{length_m:.0f} m"
