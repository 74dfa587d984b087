"""Which pseudoranges are combined, with which clock: group delays against each other, and other versions."""

import dataclasses
import io

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.ephemerides.messages import MESSAGE_INDEX
from gnss_coop.positioning import position_fixes
from gnss_coop.positioning.signals import combinations
from gnss_coop.positioning.truth import local_axes

ALL = [c for ionosphere in ("free", "klobuchar") for s in "GRECJ" for c in combinations(s, ionosphere)]


@pytest.mark.parametrize("combination", ALL, ids=lambda c: f"{c.system} {c.name}")
def test_factors_keep_the_range_and_remove_the_ionosphere(combination) -> None:
    a, b = combination.factors
    assert a + b == pytest.approx(1.0, abs=1e-12)
    if len(combination.frequency_hz) == 2:
        f1, f2 = combination.frequency_hz
        assert a / f1**2 + b / f2**2 == pytest.approx(0.0, abs=1e-12 / f2**2)


def test_factors_are_those_of_the_documents() -> None:
    by_name = {(c.system, c.name): c for c in ALL}
    assert by_name["C", "B1I/B3I"].factors[0] == pytest.approx(2.944, abs=1e-3)  # CSNO: 2.943681
    assert by_name["G", "L1/L2"].factors[0] == pytest.approx(77**2 / (77**2 - 60**2))
    ((_, delta_tau),) = by_name["R", "L1/L2"].delays["FDMA"]
    assert delta_tau == pytest.approx(-49 / 32)


def without_message(nav: gc.Ephemerides, system: str, name: str) -> gc.Ephemerides:
    keep = nav.table.message != MESSAGE_INDEX[system, name]
    return dataclasses.replace(nav, table=nav.table.take(keep), derived=nav.derived.take(keep))


def test_galileo_clocks_of_both_messages_agree_on_one_pair(
    sample_obs: gc.Observations, sample_nav: gc.Ephemerides
) -> None:
    fnav = position_fixes(sample_obs, without_message(sample_nav, "E", "INAV"), "E", truth="header")
    inav = position_fixes(sample_obs, without_message(sample_nav, "E", "FNAV"), "E", truth="header")
    assert fnav.measured.signals["E02"] == "E1/E5a (C1X C5X, FNAV)"
    assert inav.measured.signals["E02"] == "E1/E5a (C1X C5X, INAV)"
    # The two are the same clock but for the delays: BGD have a resolution of 0.07 m, and clocks of different uploads
    # differ by some decimetres. Delays taken the wrong way round, or not at all, spread by more than a metre.
    axes = ["east_m", "north_m", "up_m"]
    apart_m = np.linalg.norm(fnav.fixes()[axes].to_numpy() - inav.fixes()[axes].to_numpy(), axis=1)
    assert np.nanmedian(apart_m) < 0.5


def test_residuals_get_worse_with_every_delay_turned_round(
    sample_obs: gc.Observations, sample_nav: gc.Ephemerides
) -> None:
    def rms_m(nav: gc.Ephemerides, system: str, ionosphere: str) -> float:
        result = position_fixes(
            sample_obs, nav, system, truth="header", ionosphere=ionosphere, outlier_limit=1e9, sigma_m={system: 1.0}
        )
        s = result.solutions[system, 10.0]
        return float(np.sqrt(np.mean(s.residual_m[s.state == 1] ** 2)))

    for system, ionosphere, columns in (
        ("C", "free", [25]), ("C", "klobuchar", [25]), ("G", "klobuchar", [25]), ("E", "klobuchar", [25, 26]),
    ):  # fmt: skip
        fields = sample_nav.table.fields.copy()
        rows = np.flatnonzero(sample_nav.table.system == ord(system))
        fields[np.ix_(rows, columns)] *= -1
        turned = dataclasses.replace(sample_nav, table=dataclasses.replace(sample_nav.table, fields=fields))
        right, wrong = rms_m(sample_nav, system, ionosphere), rms_m(turned, system, ionosphere)
        assert wrong > right * (1.5 if system == "C" else 1.0), (system, ionosphere, right, wrong)


def test_delta_tau_reaches_the_clock(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    fields = sample_nav.table.fields.copy()
    rows = sample_nav.table.system == ord("R")
    fields[rows, 16] = 10e-9  # field 2 of line 4
    nav = dataclasses.replace(sample_nav, table=dataclasses.replace(sample_nav.table, fields=fields))
    plain = position_fixes(sample_obs, sample_nav, "R+C", truth="header")
    shifted = position_fixes(sample_obs, nav, "R+C", truth="header")
    assert any("without delta tau" in n for n in plain.notes)
    assert not any("without delta tau" in n for n in shifted.notes)
    # The same for all satellites it is a clock: pseudoranges corrected by 1.531 x 10 ns grow the receiver's clock.
    change_ns = (shifted.fixes().clock_R_ns - plain.fixes().clock_R_ns).median()
    assert change_ns == pytest.approx(1.53125 * 10, abs=0.01)


def test_version_3_02_calls_b1i_c1i(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    assert sample_obs.values is not None
    codes = dict(sample_obs.values.codes)
    codes["C"] = tuple({"C2I": "C1I", "C1X": "C9X"}.get(c, c) for c in codes["C"])
    old = dataclasses.replace(sample_obs, values=dataclasses.replace(sample_obs.values, codes=codes))
    found = position_fixes(old, sample_nav, "C")
    assert found.measured.signals["C06"] == "B1I/B3I (C1I C6I, D1)"
    known = position_fixes(sample_obs, sample_nav, "C")
    np.testing.assert_array_equal(found.fixes().up_m, known.fixes().up_m)


def version_2(obs: gc.Observations) -> bytes:
    """The GPS and GLONASS pseudoranges as a version 2.11 file: C1, P1, P2."""
    assert obs.values is not None
    kept = {"C1": {"G": "C1C", "R": "C1C"}, "P1": {"R": "C1P"}, "P2": {"G": "C2W", "R": "C2P"}}
    lines = [
        f"{'     2.11           OBSERVATION DATA    M (MIXED)':60}RINEX VERSION / TYPE",
        f"{'CIBG':60}MARKER NAME",
        f"{'     3    C1    P1    P2':60}# / TYPES OF OBSERV",
        f"{'  2024     1    10     0     0    0.0000000     GPS':60}TIME OF FIRST OBS",
        f"{'':60}END OF HEADER",
    ]
    for t in range(len(obs)):
        rows = [i for i in np.flatnonzero(obs.row_epoch == t) if obs.satellites[obs.row_sv[i]][0] in "GR"]
        names = [obs.satellites[obs.row_sv[i]] for i in rows]
        heads = ["".join(names[k : k + 12]) for k in range(0, len(names), 12)]
        lines.append(f" 24  1 10 {t // 2:2d} {t % 2 * 30:2d}  0.0000000  0{len(names):3d}{heads[0]}")
        lines += [" " * 32 + head for head in heads[1:]]
        for i, name in zip(rows, names, strict=True):
            values = dict(zip(obs.values.codes[name[0]], obs.values.pseudorange_m[i].tolist(), strict=False))
            cells = [values.get(of_system.get(name[0], ""), np.nan) for of_system in kept.values()]
            lines.append("".join(" " * 16 if np.isnan(v) else f"{v:14.3f}  " for v in cells))
    return ("\n".join(lines) + "\n").encode()


def test_version_2_gives_the_same_positions(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    old = gc.read_obs(io.BytesIO(version_2(sample_obs)), values=True)
    sigma = {"G": 1.0, "R": 2.0}
    more = sigma | {"E": 1.0, "C": 1.0, "J": 1.0}
    signals = position_fixes(sample_obs, sample_nav, "G").measured.signals
    # Satellites of which version 3 has more of other codes (C2X of G04) are left out of both.
    others = [
        sv for sv, words in signals.items() if sv[0] in "GR" and "C1C C2W" not in words and "C1P C2P" not in words
    ]
    assert len(others) < 5
    found = position_fixes(old, sample_nav, "G,G+R", sigma_m=sigma, exclude_sv=others)
    known = position_fixes(sample_obs, sample_nav, "G,G+R", sigma_m=more, exclude_sv=others)
    assert found.measured.signals["R01"] == "L1/L2 (P1 P2, FDMA)"
    assert found.measured.signals["G02"] == "L1/L2 (C1 P2, LNAV)"
    # Without a position in its header the reference, where the atmosphere is taken, is metres away: centimetres.
    for name in ("G", "G+R"):
        a, b = (r.solutions[name, 10.0].offset_m for r in (found, known))
        shift = found.seen.reference_m - known.seen.reference_m
        np.testing.assert_allclose(a + local_axes(known.seen.reference_m) @ shift, b, atol=0.1)
