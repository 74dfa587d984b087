"""Coverage by networks against counts in plain Python, run by run."""

from itertools import groupby

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gnss_coop.kernels import coverage as network


def views_of(visible):
    seen_by = np.empty(visible.shape[1:], np.uint64)
    network.views(visible, seen_by)
    return seen_by


@st.composite
def skies(draw):
    """Who sees what, where positions are known, and which stations count; arcs and gaps of some epochs."""
    n_stations, n_times, n_satellites = draw(st.tuples(st.integers(1, 7), st.integers(1, 30), st.integers(1, 3)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    density = draw(st.sampled_from([0.05, 0.3, 0.9]))
    blocks = rng.random((n_stations, n_times, n_satellites)) < density
    visible = np.repeat(blocks, draw(st.integers(1, 3)), axis=1)
    usable = rng.random(visible.shape[1:]) < draw(st.sampled_from([0.6, 0.95, 1.0]))
    return visible & usable, usable, rng.random(n_stations) < 0.6


def counted(visible, usable, n_folds):
    """Figures of one satellite, from lists."""
    depth = [sum(column) for column in visible.T.tolist()]
    states = ["none" if not u else "arc" if n else "gap" for u, n in zip(usable.tolist(), depth, strict=True)]
    runs = [(state, len(list(members))) for state, members in groupby(states)]
    arcs, gaps = ([n for state, n in runs if state == wanted] for wanted in ("arc", "gap"))
    known = [n for n, u in zip(depth, usable.tolist(), strict=True) if u]
    return [
        len(known), sum(known),
        len(arcs), sum(arcs), max(arcs, default=0), len(gaps), sum(gaps), max(gaps, default=0),
        *(sum(n >= k for n in known) for k in range(1, n_folds + 1)),
    ]  # fmt: skip


@settings(deadline=None, max_examples=60)  # the first call compiles
@given(sky=skies(), n_folds=st.integers(0, 5))
def test_coverage_is_what_lists_count(sky, n_folds):
    visible, usable, members = sky
    subset = np.uint64(sum(1 << p for p in np.flatnonzero(members).tolist()))
    out = np.full((usable.shape[1], network.N_FIXED + n_folds), np.nan)
    network.coverage(views_of(visible), usable, subset, out)
    for s, row in enumerate(out.tolist()):
        assert row == counted(visible[members][:, :, s], usable[:, s], n_folds)


def test_the_last_of_64_stations_has_a_bit_of_its_own():
    visible = np.zeros((network.MAX_STATIONS, 2, 1), np.bool_)
    visible[63, 0] = visible[0, 1] = True
    seen_by = views_of(visible)
    assert seen_by[:, 0].tolist() == [1 << 63, 1]
    out = np.empty((1, network.N_FIXED + 1))
    network.coverage(seen_by, np.ones((2, 1), np.bool_), np.uint64(1 << 63), out)
    assert out[0, [network.N_USABLE, network.DEPTH, network.N_ARCS, network.N_GAPS]].tolist() == [2, 1, 1, 1]
    network.coverage(views_of(~np.zeros_like(visible)), np.ones((2, 1), np.bool_), np.uint64(2**64 - 1), out)
    assert out[0, network.DEPTH] == 2 * 64


@settings(deadline=None, max_examples=40)
@given(sky=skies(), seed=st.integers(0, 2**32 - 1))
@example(sky=(np.zeros((1, 4, 1), np.bool_), np.array([[1], [1], [0], [1]], np.bool_), np.array([True])), seed=0)
def test_what_a_site_adds_is_the_difference_of_two_networks(sky, seed):
    visible, usable, members = sky
    site = (np.random.default_rng(seed).random(usable.shape) < 0.4) & usable
    out = np.empty((usable.shape[1], 4))
    network.site_coverage(visible[members].sum(axis=0), usable, site, out)
    joined = np.concatenate([visible[members], site[None]])
    for s, row in enumerate(out.tolist()):
        before = np.array(counted(visible[members][:, :, s], usable[:, s], 2))
        after = np.array(counted(joined[:, :, s], usable[:, s], 2))
        gain = after - before
        assert row == [
            gain[network.N_FIXED], gain[network.N_FIXED + 1], gain[network.DEPTH], after[network.GAP_MAX]
        ]  # fmt: skip
