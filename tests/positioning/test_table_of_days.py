"""Two whole days against an independent plain computation of the same: dual-frequency code, sin^2 e, clocks per system.

The figures are 95 % of the 3D errors about the median of the all-systems solution, and the shares of epochs with a
fix, of a prototype that shares no code with this package: one epoch in four, other choices of records and satellites.
The same weights are taken here; 15 % is what is left between two programs.
"""

import dataclasses

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.positioning.fixes import position_fixes

Day = tuple[gc.Observations, gc.Ephemerides]

# scenario, mask, sigma (None: equal), 3D 95 % [m], share of epochs [%]
CIBINONG = [
    ("R", 10, 57.6, 89), ("C", 10, 2.76, 100), ("R+C", 10, 2.73, 100), ("G", 10, 4.2, 100),
    ("C", 25, 3.38, 100), ("R+C", 25, 3.32, 100), ("G", 25, 13.0, None), ("R", 25, 94.0, 39),
]  # fmt: skip
#: BeiDou alone above 10 deg has a fix at 92 % of the epochs here and at 85 % there: one satellite (C08) is worth that.
ESBJERG = [
    ("R", 10, 13.1, 100), ("C", 10, 48.9, None), ("R+C", 10, 10.2, 100), ("G", 10, 3.8, 100),
    ("R", 25, 82.0, 83), ("C", 25, 33.0, 34), ("R+C", 25, 38.0, 99), ("G", 25, 8.8, 100),
]  # fmt: skip
LIGHTER = {"cibinong": [(10, 2.52), (25, 3.16)], "esbjerg": [(10, 9.3), (25, 34.0)]}


def rows(day: Day, phase: int | None = None, **settings: object) -> dict[tuple[str, float], dict[str, float]]:
    obs, nav = day
    part = obs if phase is None else every_fourth(obs, phase)
    result = position_fixes(part, nav, "R,C,R+C,G", (10, 25), weights="sine", **settings)
    return {(r["scenario"], r["mask_deg"]): r for r in result.summary().to_dict("records")}


def every_fourth(obs: gc.Observations, phase: int) -> gc.Observations:
    """Return one epoch every 120 s."""
    kept = obs.time_ns // (30 * 10**9) % 4 == phase
    row = kept[obs.row_epoch]
    values = obs.values
    assert values is not None
    return dataclasses.replace(
        obs, time_ns=obs.time_ns[kept], power_failure=obs.power_failure[kept],
        row_epoch=(np.cumsum(kept) - 1)[obs.row_epoch[row]].astype(np.int32), row_sv=obs.row_sv[row],
        signals=obs.signals[row],
        values=dataclasses.replace(values, pseudorange_m=values.pseudorange_m[row], cn0_dbhz=values.cn0_dbhz[row]),
    )  # fmt: skip


@pytest.mark.parametrize(("day", "table"), [("cibinong", CIBINONG), ("esbjerg", ESBJERG)])
def test_errors_of_a_day(
    day: str, table: list[tuple[str, int, float, int | None]], request: pytest.FixtureRequest
) -> None:
    # Which epoch of four the prototype took is not known, and with few satellites it matters by a tenth.
    runs = [rows(request.getfixturevalue(day), phase, sigma_m="equal") for phase in (None, 0, 1, 2, 3)]
    for scenario, mask, p95_m, availability_pct in table:
        found_m = [run[scenario, mask]["d3_p95_m"] for run in runs]
        assert 0.85 * min(found_m) < p95_m < 1.15 * max(found_m), (scenario, mask, found_m)
        assert max(found_m) < 1.35 * min(found_m)
        if availability_pct is not None:
            # A GLONASS satellite whose records one program refuses is worth some percent of the epochs.
            assert runs[0][scenario, mask]["availability_pct"] == pytest.approx(availability_pct, abs=4)


@pytest.mark.parametrize("day", LIGHTER)
def test_glonass_with_five_times_the_variance(day: str, request: pytest.FixtureRequest) -> None:
    sigma = {"G": 1.0, "R": 5**0.5, "E": 1.0, "C": 1.0, "J": 1.0}
    found = rows(request.getfixturevalue(day), sigma_m=sigma, outlier_limit=12.0)
    for mask, p95_m in LIGHTER[day]:
        assert found["R+C", mask]["d3_p95_m"] == pytest.approx(p95_m, rel=0.15)


def test_residuals_and_offset_between_the_systems(cibinong: Day, esbjerg: Day) -> None:
    offsets_ns = {"R-C": (-52.0, -49.0)}
    for k, (obs, nav) in enumerate((cibinong, esbjerg)):
        result = position_fixes(obs, nav, "R+C", 10, weights="sine")
        residuals = result.residuals()
        squares = (residuals.rms_m**2 * residuals.n).groupby(residuals.system).sum()
        rms_m = np.sqrt(squares / residuals.n.groupby(residuals.system).sum())
        # Published of the same days: R 2.0-2.3, C 1.3-1.6, G 0.8-1.1, E 0.9 m; C at Esbjerg sees satellites low.
        assert 1.7 < rms_m["R"] < 2.7
        assert 1.1 < rms_m["C"] < 3.0
        assert 0.7 < rms_m["G"] < 1.3
        table = result.clock_offsets()
        offset_ns = table[table.pair == "R-C"].offset_ns.median()
        assert offset_ns == pytest.approx(offsets_ns["R-C"][k], abs=5.5)  # their scatter over the day


def test_at_cibinong_equal_weights_gain_nothing_by_glonass(cibinong: Day) -> None:
    obs, nav = cibinong
    result = position_fixes(obs, nav, "R,C,R+C", 10)
    gains = result.gains().set_index(["user", "weights"])
    equal = gains.loc[("C", "equal")]
    assert equal.pdop_drop_pct > 5  # the promise
    assert equal.median_drop_pct < 2  # and what came of it
    assert equal.p95_drop_pct < 5
    assert gains.loc[("C", "by system")].median_drop_pct > equal.median_drop_pct
    finding = next(
        f for f in result.findings() if f.kind == "gain" and f.values["user"] == "C" and f.values["weights"] == "equal"
    )
    assert finding.values["verdict"] == "nothing"
    from gnss_coop.positioning.words import sentence

    assert sentence(finding).startswith("Adding GLONASS with equal weights brings nothing here")
