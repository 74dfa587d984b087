"""Least squares against dense linear algebra, and what is expected against draws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnss_coop.errors import ScenarioError
from gnss_coop.kernels import positioning as kernel
from gnss_coop.model.scenario import Scenario
from gnss_coop.positioning.measurements import Measurements
from gnss_coop.positioning.solution import Prefit, Solution, estimate_sigmas, row_variances_m2, solve

SYSTEMS = ("R", "C")


def sky(
    counts: list[tuple[int, int]],
    seed: int,
    sigma_m: tuple[float, float] = (2.0, 1.0),
    clocks_m: tuple[float, float] = (50.0, 20.0),
) -> tuple[Measurements, Prefit]:
    """Random skies with known errors: `counts` satellites of each system per epoch."""
    rng = np.random.default_rng(seed)
    epoch, system = [], []
    for t, numbers in enumerate(counts):
        for k, n in enumerate(numbers):
            epoch += [t] * n
            system += [k] * n
    n = len(epoch)
    elevation = np.arcsin(rng.uniform(np.sin(np.radians(10)), 1, n))
    azimuth = rng.uniform(-np.pi, np.pi, n)
    unit = np.stack(
        [np.cos(elevation) * np.sin(azimuth), np.cos(elevation) * np.cos(azimuth), np.sin(elevation)], axis=1
    )
    index = np.array(system, dtype=np.int64)
    noise = rng.normal(size=n) * np.array(sigma_m)[index] / np.sin(elevation)
    measured = Measurements(
        np.arange(len(counts)) * 30_000_000_000, tuple(f"R{k:02d}" for k in range(1, 30)), SYSTEMS,
        np.array(epoch, dtype=np.int64), np.zeros(n, np.int64), index, np.zeros((n, 3)), np.zeros(n),
        np.full(n, np.inf), {},
    )  # fmt: skip
    return measured, Prefit(np.zeros(3), np.array(clocks_m)[index] + noise, unit, azimuth, elevation, 0)


def dense(
    measured: Measurements, seen: Prefit, variance_m2: np.ndarray, tau_m2: float
) -> tuple[np.ndarray, np.ndarray]:
    """State and covariance of one epoch by the textbook: all unknowns at once, ties of clocks as observations."""
    present = np.unique(measured.system)
    own = (measured.system[:, None] == present).astype(float)
    clocks = np.ones((len(measured.system), 1)) if tau_m2 == 0 else own
    design = np.hstack([-seen.unit, clocks])
    right, weight = seen.y_m, 1 / variance_m2
    if 0 < tau_m2 < math.inf and clocks.shape[1] == 2:
        # The difference of two clocks has twice the variance of each about their mean.
        design = np.vstack([design, [0, 0, 0, 1, -1]])
        right, weight = np.append(right, 0.0), np.append(weight, 1 / (2 * tau_m2))
    covariance = np.linalg.inv(design.T @ (design * weight[:, None]))
    return covariance @ (design.T @ (weight * right)), covariance


@pytest.mark.parametrize("clocks", ["per-system", "common", "prior:5", "prior:100"])
@pytest.mark.parametrize("counts", [(6, 9), (5, 1), (4, 4)])
def test_an_epoch_is_that_of_dense_least_squares(clocks: str, counts: tuple[int, int]) -> None:
    measured, seen = sky([counts], seed=sum(counts))
    scenario = Scenario.parse("R+C", clocks)
    variance_m2 = row_variances_m2(measured, seen, {"R": 2.0, "C": 1.0}, "sine")
    found = solve(measured, seen, variance_m2, scenario, 0.0, outlier_limit=math.inf)
    state, covariance = dense(measured, seen, variance_m2, scenario.offset_variance_m2)
    # Condition numbers up to 1e6 leave ten digits.
    np.testing.assert_allclose(found.offset_m[0], state[:3], rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.covariance_m2[0], covariance[:3, :3][np.triu_indices(3)], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.clock_m[0], state[3:] if clocks != "common" else state[[3, 3]], rtol=1e-7)
    _, plain = dense(measured, seen, np.ones(len(seen.y_m)), scenario.offset_variance_m2)
    squares = np.diag(plain)[:3]
    np.testing.assert_allclose(found.dop[0] ** 2, [squares.sum(), squares[:2].sum(), squares[2]], rtol=1e-7)
    unknowns = 4 if clocks == "common" else 5
    ties = 1 if clocks.startswith("prior") else 0
    assert (found.n_used[0], found.redundancy[0]) == (sum(counts), sum(counts) + ties - unknowns)
    clock_m = state[3] if clocks == "common" else state[3:][measured.system]
    np.testing.assert_allclose(found.residual_m, seen.y_m + seen.unit @ state[:3] - clock_m, atol=1e-7)


def test_a_prior_runs_from_common_to_per_system() -> None:
    measured, seen = sky([(6, 6)] * 20, seed=3, clocks_m=(10.0, 10.0))
    variance_m2 = row_variances_m2(measured, seen, {"R": 1.0, "C": 1.0}, "equal")
    by_clocks = [
        solve(measured, seen, variance_m2, Scenario.parse("R+C", c), 0.0, outlier_limit=math.inf)
        for c in ("common", "prior:0", "prior:1e-9", "prior:0.01", "prior:5", "prior:1e9", "per-system")
    ]
    dops = [s.dop[:, 0] for s in by_clocks]
    np.testing.assert_array_equal(dops[1], dops[0])
    np.testing.assert_array_equal(dops[2], dops[0])
    np.testing.assert_allclose(dops[3], dops[0], rtol=1e-4)
    np.testing.assert_allclose(dops[5], dops[6], rtol=1e-6)
    assert (dops[4] >= dops[0] - 1e-12).all()
    assert (dops[4] <= dops[6] + 1e-12).all()


def test_what_is_known_of_a_clock_is_given_back() -> None:
    measured, seen = sky([(6, 6)] * 5, seed=4, sigma_m=(1e-6, 1e-6))
    variance_m2 = np.ones(len(seen.y_m))
    found = solve(measured, seen, variance_m2, Scenario(SYSTEMS, "common"), 0.0, known_m={"R": 30.0, "C": 0.0})
    np.testing.assert_allclose(found.clock_m, np.tile([50.0, 20.0], (5, 1)), atol=1e-3)
    np.testing.assert_allclose(found.offset_m, 0, atol=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(7, 12), st.floats(30, 1000))
def test_one_gross_error_is_found_and_named(seed: int, n: int, error_m: float) -> None:
    measured, seen = sky([(n, n)], seed, sigma_m=(1.0, 1.0))
    victim = seed % (2 * n)
    clean = solve(measured, seen, np.sin(seen.elevation) ** -2.0, Scenario(SYSTEMS), 0.0, outlier_limit=math.inf)
    if clean.checked[victim] < 0.3:
        return  # hardly any other observation checks it
    seen.y_m[victim] += error_m / np.sin(seen.elevation[victim])
    found = solve(measured, seen, np.sin(seen.elevation) ** -2.0, Scenario(SYSTEMS), 0.0)
    assert found.state[victim] == kernel.OUTLIER
    assert found.residual_m[victim] > 10


def test_without_redundancy_nothing_is_thrown_out_and_the_epoch_says_so() -> None:
    measured, seen = sky([(4, 0), (5, 0), (3, 2), (3, 0), (2, 2)], seed=5)
    seen.y_m[0] += 1000
    found = solve(measured, seen, np.ones(len(seen.y_m)), Scenario(SYSTEMS), 0.0)
    assert found.redundancy.tolist() == [0, 1, 0, -1, -1]
    assert found.fixed.tolist() == [True, True, True, False, False]
    assert not (found.state == kernel.OUTLIER).any()
    assert (found.state[measured.epoch > 2] == kernel.UNUSED).all()


def test_epochs_beyond_the_largest_pdop_have_no_fix() -> None:
    measured, seen = sky([(5, 5)] * 40, seed=6)
    everything = solve(measured, seen, np.ones(len(seen.y_m)), Scenario(SYSTEMS), 0.0)
    limit = float(np.median(everything.dop[:, 0]))
    some = solve(measured, seen, np.ones(len(seen.y_m)), Scenario(SYSTEMS), 0.0, max_pdop=limit)
    np.testing.assert_array_equal(some.fixed, everything.dop[:, 0] <= limit)


def test_sigma_by_system_comes_back_from_residuals() -> None:
    # 600 epochs of 8 + 8: some 3,000 redundant observations of each system, a sigma to 1.3 % (1 of its own deviations).
    measured, seen = sky([(8, 8)] * 600, seed=7, sigma_m=(2.2, 0.9))
    found = estimate_sigmas(measured, seen, 10.0, "sine")
    assert found["R"] == pytest.approx(2.2, rel=0.05)
    assert found["C"] == pytest.approx(0.9, rel=0.05)
    pooled = estimate_sigmas(measured, seen, 10.0, "sine", pooled=True)
    assert pooled["R"] == pooled["C"] == pytest.approx(math.sqrt((2.2**2 + 0.9**2) / 2), rel=0.1)


def test_sigma_needs_redundant_observations() -> None:
    measured, seen = sky([(4, 0)] * 3, seed=8)
    with pytest.raises(ScenarioError, match=r"too few redundant observations; give it, such as R=2\.2,C=1\.3"):
        estimate_sigmas(measured, seen, 0.0, "sine")


@pytest.mark.parametrize(("first", "last"), [(0, 2), (0, 1), (2, 2)])
@pytest.mark.parametrize(("share", "tolerance"), [(0.5, 0.03), (0.95, 0.01), (0.99, 0.015)])
def test_expected_percentiles_are_those_of_draws(first: int, last: int, share: float, tolerance: float) -> None:
    # Tolerances: the approximation of the distribution, and 1e6 draws (0.2 %).
    rng = np.random.default_rng(9)
    roots = rng.normal(size=(50, 3, 3)) * np.array([1.0, 0.7, 2.0])[:, None] * rng.uniform(0.5, 4, (50, 1, 1))
    covariances = roots @ np.swapaxes(roots, 1, 2)
    draws = np.einsum("tij,tnj->tni", roots, rng.normal(size=(50, 20_000, 3)))[:, :, first : last + 1]
    upper = np.array([c[np.triu_indices(3)] for c in covariances])
    upper = np.vstack([upper, np.full(6, np.nan)])  # an epoch without a fix does not count
    expected = np.percentile(np.linalg.norm(draws, axis=2), 100 * share)
    assert kernel.expected_percentile(upper, first, last, share) == pytest.approx(expected, rel=tolerance)


def test_nothing_is_expected_without_a_fix() -> None:
    assert math.isnan(kernel.expected_percentile(np.full((3, 6), np.nan), 0, 2, 0.95))


def test_the_solution_does_not_depend_on_other_scenarios_rows() -> None:
    measured, seen = sky([(6, 9)] * 4, seed=10)
    alone: Solution = solve(measured, seen, np.ones(len(seen.y_m)), Scenario(("C",)), 0.0)
    seen.y_m[measured.system == 0] += 1e5
    again = solve(measured, seen, np.ones(len(seen.y_m)), Scenario(("C",)), 0.0)
    np.testing.assert_array_equal(alone.offset_m, again.offset_m)
    assert np.isnan(alone.clock_m[:, 0]).all()
