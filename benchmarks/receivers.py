"""Observations of a receiver: reading with values, and positions, against RTKLIB's C code.

``python benchmarks/receivers.py [OBS NAV]``; without files the extract of 48 epochs in ``sample_rinex/``, which says
little of a whole day.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path

import pyrtklib as rtk  # type: ignore[import-untyped]

import gnss_coop as gc
from common import ROOT, SAMPLE, Row, print_table, time_by_turns
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex import hatanaka as compact_rinex
from gnss_coop.positioning import position_fixes

REPEATS = 3
EXTRACT = ROOT / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"


def rows(obs_path: Path, nav_path: Path, folder: Path) -> list[Row]:
    """Return reading and positioning of one file."""
    plain_obs, plain_nav = folder / "day.obs", folder / "day.nav"
    name, data = read_bytes(str(obs_path))
    plain_obs.write_bytes(compact_rinex.expand(data, name) if compact_rinex.is_compact(data) else data)
    plain_nav.write_bytes(read_bytes(str(nav_path))[1])
    obs, nav = gc.read_obs(plain_obs, values=True), gc.read_nav(plain_nav)

    def rtklib_reads() -> None:
        assert rtk.readrnx(str(plain_obs), 1, "", rtk.obs_t(), rtk.nav_t(), rtk.sta_t()) == 1

    with_values, without, theirs = time_by_turns(
        lambda: gc.read_obs(plain_obs, values=True), lambda: gc.read_obs(plain_obs), rtklib_reads, repeats=REPEATS
    )
    ours, loop = time_by_turns(
        lambda: position_fixes(obs, nav, "R,C,R+C", (5, 15, 25)).summary(),
        _rtklib_loop(plain_obs, plain_nav),
        repeats=REPEATS,
    )
    return [
        _row(f"read_obs, {len(obs)} epochs", without.best_s, "RTKLIB readrnx", theirs.best_s),
        _row("read_obs with values", with_values.best_s, "RTKLIB readrnx", theirs.best_s),
        _row("positions, 3 scenarios x 3 masks, with sigma", ours.best_s, "RTKLIB pntpos, R+C, one mask", loop.best_s),
    ]


def _row(job: str, ours_s: float, reference: str, theirs_s: float) -> Row:
    return Row(job, f"{ours_s:.3f} s", f"{reference} {theirs_s:.3f} s", ours_s / theirs_s)


def _rtklib_loop(obs_path: Path, nav_path: Path):  # type: ignore[no-untyped-def]
    """Return a function that positions all epochs with GLONASS and BeiDou above 15 deg."""
    obs, nav = rtk.obs_t(), rtk.nav_t()
    rtk.readrnx(str(obs_path), 1, "", obs, nav, rtk.sta_t())
    rtk.readrnx(str(nav_path), 0, "", obs, nav, rtk.sta_t())
    rtk.sortobs(obs)
    rtk.uniqnav(nav)
    epochs = []
    start = 0
    while start < obs.n:
        stop = start
        while stop < obs.n and abs(rtk.timediff(obs.data[stop].time, obs.data[start].time)) < 1e-3:
            stop += 1
        epoch = rtk.Arr1Dobsd_t(stop - start)
        for k in range(stop - start):
            epoch[k] = obs.data[start + k]
        epochs.append((epoch, stop - start))
        start = stop
    options = rtk.prcopt_t()
    options.mode, options.nf, options.elmin, options.maxgdop = rtk.PMODE_SINGLE, 2, math.radians(15), 30.0
    options.navsys = rtk.SYS_GLO | rtk.SYS_CMP
    options.ionoopt, options.tropopt, options.sateph = rtk.IONOOPT_IFLC, rtk.TROPOPT_SAAS, rtk.EPHOPT_BRDC
    for i, value in enumerate((100.0, 0.003, 0.003)):
        options.err[i] = value

    def loop() -> None:
        for epoch, n in epochs:
            solution, angles = rtk.sol_t(), rtk.Arr1Ddouble(2 * n)
            states, message = rtk.Arr1Dssat_t(rtk.MAXSAT), rtk.Arr1Dchar(128)
            rtk.pntpos(epoch.ptr, n, nav, options, solution, angles, states.ptr, message)

    return loop


if __name__ == "__main__":
    paths = [Path(word) for word in sys.argv[1:]] or [EXTRACT, SAMPLE]
    with tempfile.TemporaryDirectory() as temporary:
        began = time.perf_counter()
        print_table(rows(paths[0], paths[1], Path(temporary)))
        print(f"{time.perf_counter() - began:.0f} s")
