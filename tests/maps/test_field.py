"""DOP of every cell and epoch: the same numbers as the maps are made of, block by block, and no more in memory."""

import os
import threading
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import GridError, ScenarioError
from gnss_coop.geometry.statistics import availability_pct, worst_last_quantile
from gnss_coop.maps import field as module
from gnss_coop.maps.field import BLOCK_SIDE, dop_field, field_names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def sky():
    nav = gc.read_nav(ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    return gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=1800), systems="RC")


def assembled(blocks, grid):
    """Put the blocks of a field together: (variable, systems, mask, time, lat, lon)."""
    whole = None
    for block in blocks:
        if whole is None:
            whole = np.full((*block.values.shape[:4], *grid.shape), np.nan, np.float32)
        assert np.isnan(whole[..., block.rows, block.columns]).all()  # each cell once
        whole[..., block.rows, block.columns] = block.values
    assert not np.isnan(whole).any()  # and every cell
    return whole


@pytest.mark.parametrize(
    "grid",
    [
        gc.GeoGrid(4),  # 45 by 90: neither side divides into blocks or tiles
        gc.GeoGrid(2, (56, 90, 170, -110)),
        gc.GeoGrid(10, (0, 10, 0, 10)),
    ],
    ids=["world", "across the antimeridian to the pole", "one cell"],
)
@pytest.mark.parametrize("clocks", ["per-system", "common"])
def test_a_field_holds_what_the_map_sums_up(sky, grid, clocks):
    masks = [5.0, 40.0]
    field = assembled(dop_field(sky, grid, mask_deg=masks, clocks=clocks), grid)
    world = gc.dop_map(sky, grid, mask_deg=masks, clocks=clocks)
    assert field_names(("pdop", "hdop", "vdop")) == ["pdop", "hdop", "vdop", "n_used"]
    by_time = np.moveaxis(field, 3, -1)
    for d, name in enumerate(("pdop", "hdop", "vdop")):
        for share, word in ((0.5, "median"), (0.95, "p95"), (1.0, "worst")):
            ours = worst_last_quantile(by_time[d], share)
            np.testing.assert_allclose(ours, world[f"{name}_{word}"].values, rtol=3e-7, err_msg=f"{name}_{word}")
    np.testing.assert_allclose(availability_pct(by_time[0], 6.0), world["availability_pct"].values, rtol=1e-6)
    np.testing.assert_array_equal(by_time[-1].min(axis=-1), world["n_used_least"].values)
    np.testing.assert_allclose(by_time[-1].mean(axis=-1, dtype=float), world["n_used_mean"].values, rtol=1e-6)
    assert np.isinf(by_time[:3]).any() or grid.shape == (1, 1)


def test_threads_do_not_matter_and_pdop_is_always_there(sky):
    grid = gc.GeoGrid(4)
    few = sky.isel(time=[0, 20])
    one, four = (assembled(dop_field(few, grid, "R", dops=(), threads=n), grid) for n in (1, 4))
    np.testing.assert_array_equal(one, four)
    assert one.shape == (2, 1, 1, 2, 45, 90)  # PDOP and satellites


def test_blocks_come_row_by_row_from_the_south_west(sky):
    blocks = list(dop_field(sky.isel(time=[0]), gc.GeoGrid(4), "R", dops=()))
    starts = [(block.rows.start, block.columns.start) for block in blocks]
    assert starts == [(i, j) for i in (0, BLOCK_SIDE) for j in (0, BLOCK_SIDE, 2 * BLOCK_SIDE)]
    assert (blocks[-1].rows.stop, blocks[-1].columns.stop) == (45, 90)


def test_blocks_that_the_machine_cannot_hold_are_refused(sky, monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 10, "SC_PAGE_SIZE": 4096}.get)
    with pytest.raises(GridError, match="take fewer cells, epochs, masks"):
        next(dop_field(sky, gc.GeoGrid(step_deg=5), threads=1))


def test_blocks_are_not_computed_far_ahead_of_who_takes_them(sky, monkeypatch):
    begun = []
    compute = module._block
    monkeypatch.setattr(module, "_block", lambda *given: begun.append(1) or compute(*given))
    blocks = dop_field(sky.isel(time=[0]), gc.GeoGrid(1), "R", dops=(), threads=2)  # 72 blocks
    for taken in range(1, 20):
        next(blocks)
        assert len(begun) <= taken + 2
    blocks.close()
    threads = [t for t in threading.enumerate() if t.name.startswith("ThreadPoolExecutor")]
    for thread in threads:  # they end with the block that they are at
        thread.join(timeout=30)
    assert not [t for t in threads if t.is_alive()]
    assert len(begun) <= 19 + 2


@pytest.mark.parametrize("settings", [{"systems": "X"}, {"mask_deg": []}, {"dops": ["qdop"]}, {"threads": 0}])
def test_wrong_questions(sky, settings):
    with pytest.raises(ScenarioError):
        next(dop_field(sky, gc.GeoGrid(30), **settings))
