"""position_fixes on the sample day, and on the same day with faults put in."""

import dataclasses
import math
import re
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import EphemerisGapError, RinexError, ScenarioError, StationError
from gnss_coop.positioning.fixes import position_fixes
from gnss_coop.positioning.ionosphere import broadcast_models
from gnss_coop.positioning.offsets import broadcast_offsets_ns
from gnss_coop.positioning.plots import PLOTS
from gnss_coop.positioning.result import Positioning
from gnss_coop.positioning.summary import SUMMARY_COLUMNS
from gnss_coop.positioning.text import positioning_text
from gnss_coop.positioning.truth import local_axes, sinex_truth
from gnss_coop.positioning.words import sentence

#: Cibinong by its header.
HEADER_M = np.array([-1837003.1909, 6065631.1631, -716184.0550])


@pytest.fixture(scope="module")
def result(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> Positioning:
    return position_fixes(sample_obs, sample_nav, "R,C,R+C", (10, 25))


def changed(obs: gc.Observations, pseudorange_m: np.ndarray) -> gc.Observations:
    assert obs.values is not None
    return dataclasses.replace(obs, values=dataclasses.replace(obs.values, pseudorange_m=pseudorange_m))


def with_header(obs: gc.Observations, **fields: object) -> gc.Observations:
    return dataclasses.replace(obs, headers=tuple(dataclasses.replace(h, **fields) for h in obs.headers))


def letters(obs: gc.Observations) -> np.ndarray:
    return np.array([sv[0] for sv in obs.satellites])[obs.row_sv]


def only(obs: gc.Observations, system: str, codes: list[str]) -> gc.Observations:
    """Leave a system none but some codes."""
    assert obs.values is not None
    values = obs.values.pseudorange_m.copy()
    for k, code in enumerate(obs.values.codes[system]):
        if code not in codes:
            values[letters(obs) == system, k] = np.nan
    return changed(obs, values)


# --- Tables ---------------------------------------------------------------------------------------------------------


def test_summary_has_the_agreed_columns(result: Positioning) -> None:
    table = result.summary()
    assert ",".join(table.columns) == (
        "station,scenario,mask_deg,n_epochs,availability_pct,n_used_mean,pdop_median,h95_m,v95_m,d3_median_m,d3_p95_m,"
        "expected_d3_p95_m"
    )
    assert tuple(table.columns) == SUMMARY_COLUMNS
    assert len(table) == 6
    assert set(table.n_epochs) == {48}


def test_summary_follows_from_the_fixes(result: Positioning) -> None:
    fixes = result.fixes()
    for row in result.summary().to_dict("records"):
        own = fixes[(fixes.scenario == row["scenario"]) & (fixes.mask_deg == row["mask_deg"])].dropna(subset="east_m")
        level = np.hypot(own.east_m, own.north_m)
        assert row["availability_pct"] == pytest.approx(100 * len(own) / 48)
        assert row["h95_m"] == pytest.approx(np.percentile(level, 95))
        assert row["d3_p95_m"] == pytest.approx(np.percentile(np.hypot(level, own.up_m), 95))
        assert row["pdop_median"] == pytest.approx(own.pdop.median())
        assert row["n_used_mean"] == pytest.approx(own.n_used.mean())


def test_fixes_mark_epochs_without_redundancy(result: Positioning) -> None:
    fixes = result.fixes().dropna(subset="east_m")
    assert (fixes.checked == (fixes.redundancy > 0)).all()
    unchecked = fixes[~fixes.checked]
    assert len(unchecked) > 0
    assert (unchecked.n_used == unchecked.scenario.map({"R": 4, "C": 4, "R+C": 5})).all()


def test_residuals_name_satellites_and_signals(result: Positioning) -> None:
    table = result.residuals().set_index("sv")
    assert table.loc["C19", "signals"] == "B1I/B3I (C2I C6I, D1)"
    assert table.loc["C03", "signals"] == "B1I/B3I (C2I C6I, D2)"
    assert table.loc["E02", "signals"] == "E1/E5a (C1X C5X, FNAV)"
    assert table.loc["R01", "signals"] == "L1/L2 (C1P C2P, FDMA)"
    assert (table.rms_m.dropna() < 6).all()
    by_elevation = result.residuals_by_elevation(10.0)
    assert by_elevation.n.sum() == table.n.sum()
    with pytest.raises(ScenarioError, match=r"bin_deg must be in \(0, 90\], got 0"):
        result.residuals_by_elevation(0)


def test_clock_offsets_have_all_pairs_and_say_what_is_not_broadcast(result: Positioning) -> None:
    table = result.clock_offsets()
    assert {"R-C", "R-G", "G-E"} <= set(table["pair"])
    assert table[table["pair"] == "R-C"].broadcast_ns.isna().all()  # the file has GAGP only
    assert table[table["pair"] == "G-E"].broadcast_ns.iloc[0] == pytest.approx(2.2119, abs=1e-3)


def test_text_says_what_is_true_and_what_came_of_it(result: Positioning) -> None:
    text = positioning_text(result)
    for words in (
        "truth       median of the 48 fixes with all systems", "ionosphere  removed by two frequencies", "C B1I/B3I",
        "findings:", "Adding GLONASS with equal weights", "without delta tau", "expected",
    ):  # fmt: skip
        assert words in text
    assert "\x1b[" not in text
    assert "\x1b[1m" in positioning_text(result, color=True)


def test_every_finding_has_a_sentence(result: Positioning) -> None:
    sentences = [sentence(f) for f in result.findings()]
    assert all(s[0].isupper() or s[0] in "RC" for s in sentences)
    assert all(s.endswith(".") for s in sentences)


@pytest.mark.parametrize("name", PLOTS)
def test_pictures(result: Positioning, tmp_path: Path, name: str) -> None:
    path = tmp_path / f"{name}.png"
    figure = PLOTS[name](result, path)
    assert path.stat().st_size > 10_000
    if name == "scatter":
        limits = {axis.get_xlim() + axis.get_ylim() for axis in figure.axes}
        assert len(limits) == 1  # one scale for all scenarios
        assert len(figure.axes) == 6
    with pytest.raises(gc.OutputError, match="exists already"):
        PLOTS[name](result, path)
    with pytest.raises(gc.OutputError, match="unknown kind of picture"):
        PLOTS[name](result, tmp_path / "a.bmp")


# --- Truth ----------------------------------------------------------------------------------------------------------


def test_truth_is_station_header_or_median(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    station = gc.Station(name="Cibinong", ecef_m=tuple(HEADER_M), antenna_height_m=1.0, source="its header")
    results = {
        "station": position_fixes(sample_obs, sample_nav, "C", station=station),
        "header": position_fixes(sample_obs, sample_nav, "C", truth="header"),
        "median": position_fixes(sample_obs, sample_nav, "C"),
    }
    assert {k: r.truth.kind for k, r in results.items()} == {k: k for k in results}
    up = {k: r.fixes().up_m.mean() for k, r in results.items()}
    assert up["header"] - up["station"] == pytest.approx(1.0, abs=2e-3)  # the antenna's height counts
    # Delays of the atmosphere are taken at the reference, a metre higher: millimetres.
    assert results["station"].station == "Cibinong"
    both = position_fixes(sample_obs, sample_nav, "C", station=station, truth="median")
    np.testing.assert_allclose(both.truth.antenna_m, results["median"].truth.antenna_m, atol=1e-3)


def test_antenna_of_the_header_is_above_its_marker(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    low = position_fixes(sample_obs, sample_nav, "C", truth="header").fixes()
    high = position_fixes(
        with_header(sample_obs, antenna_delta_m=(2.0, 0.3, -0.1)), sample_nav, "C", truth="header"
    ).fixes()
    difference = (low[["east_m", "north_m", "up_m"]] - high[["east_m", "north_m", "up_m"]]).to_numpy()
    np.testing.assert_allclose(difference, np.tile([0.3, -0.1, 2.0], (48, 1)), atol=5e-3)  # atmosphere 2 m higher


def test_without_any_position_the_receiver_is_found(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    known = position_fixes(sample_obs, sample_nav, "C")
    lost = position_fixes(with_header(sample_obs, position_m=None), sample_nav, "C")
    # Delays of the atmosphere are taken at the reference, some metres away: millimetres.
    assert np.linalg.norm(np.subtract(known.truth.antenna_m, lost.truth.antenna_m)) < 0.02
    assert "the header of the observations has no position" in lost.notes
    with pytest.raises(StationError, match="no position in its header: take the median, or give a station"):
        position_fixes(with_header(sample_obs, position_m=None), sample_nav, "C", truth="header")
    with pytest.raises(StationError, match="truth is to be the station, and none is given"):
        position_fixes(sample_obs, sample_nav, "C", truth="station")


@pytest.mark.parametrize(
    ("shift_m", "words"), [(57_000.0, "57.0 km"), (250.0, r"25\d m"), (6.4e6, r"6[34]\d\d\.\d km")]
)
def test_a_header_far_from_the_receiver_is_named_and_does_not_matter(
    sample_obs: gc.Observations, sample_nav: gc.Ephemerides, shift_m: float, words: str
) -> None:
    place = tuple(HEADER_M + local_axes(HEADER_M)[1] * shift_m)
    found = position_fixes(with_header(sample_obs, position_m=place), sample_nav, "C")
    (note,) = [n for n in found.notes if "from the position in its header" in n]
    assert re.search(f"the receiver is {words} from", note)
    known = position_fixes(sample_obs, sample_nav, "C")
    np.testing.assert_allclose(found.truth.antenna_m, known.truth.antenna_m, atol=0.02)


def test_a_wrong_antenna_height_is_named(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    odd = with_header(sample_obs, antenna_delta_m=(12.0, 0.0, 0.0))
    found = position_fixes(odd, sample_nav, "C", truth="header")
    (note,) = [n for n in found.notes if "antenna's height" in n]
    assert "-1" in note.split("median fix of all systems is ")[1][:4]
    assert "the header says 12 m" in note


# --- Faults in the observations -------------------------------------------------------------------------------------


def test_an_outlier_is_listed_by_satellite_and_epoch(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    assert sample_obs.values is not None
    values = sample_obs.values.pseudorange_m.copy()
    (i,) = np.flatnonzero((sample_obs.row_epoch == 7) & (sample_obs.row_sv == sample_obs.satellites.index("C06")))
    values[i] += 80.0  # both frequencies: the combination too
    found = position_fixes(changed(sample_obs, values), sample_nav, "C")
    table = found.outliers()
    listed = table[(table.sv == "C06") & (table.time_gpst == np.datetime64("2024-01-10T03:30:00"))]
    assert len(listed) == 1
    assert listed.residual_m.iloc[0] == pytest.approx(80, abs=8)
    clean = position_fixes(sample_obs, sample_nav, "C").fixes()
    assert (
        np.linalg.norm(
            found.fixes().loc[7, ["east_m", "north_m", "up_m"]] - clean.loc[7, ["east_m", "north_m", "up_m"]]
        )
        < 2
    )


def test_gross_damage_is_left_out(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    assert sample_obs.values is not None
    values = sample_obs.values.pseudorange_m.copy()
    rows = np.flatnonzero(letters(sample_obs) == "C")[::50]
    values[rows] += 2e5
    found = position_fixes(changed(sample_obs, values), sample_nav, "C")
    assert any("pseudoranges more than 1 km off those of their system and epoch" in n for n in found.notes)
    assert found.summary().d3_p95_m[0] < 5


def test_clock_jumps_of_milliseconds_leave_positions_as_they_are(
    sample_obs: gc.Observations, sample_nav: gc.Ephemerides
) -> None:
    assert sample_obs.values is not None
    # A clock that is fast by a millisecond labels the same instant later by it, and finds longer pseudoranges.
    jump_ms = np.arange(48) // 16
    late = dataclasses.replace(sample_obs, time_ns=sample_obs.time_ns + 1_000_000 * jump_ms)
    jump_m = 299_792.458 * jump_ms[sample_obs.row_epoch]
    found = position_fixes(changed(late, sample_obs.values.pseudorange_m + jump_m[:, None]), sample_nav, "C")
    assert "the receiver clock jumps by whole milliseconds 2 times; positions are free of it" in found.notes
    clean = position_fixes(sample_obs, sample_nav, "C")
    # 2 ms of reception time move satellites by metres: the emission time must come from the pseudorange.
    np.testing.assert_allclose(found.fixes().up_m, clean.fixes().up_m, atol=1e-3)


def test_one_frequency_only_is_said_so(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    single = sample_obs
    for system, codes in {"G": ["C1C"], "R": ["C1C"], "E": ["C1X"], "C": ["C2I"], "J": ["C1C"]}.items():
        single = only(single, system, codes)
    with pytest.raises(RinexError, match=r"no two frequencies of one satellite can be combined .*klobuchar"):
        position_fixes(single, sample_nav, "C")
    found = position_fixes(single, sample_nav, "C", ionosphere="klobuchar")
    assert found.ionosphere.startswith("broadcast model of GPS (GPSA and GPSB of the header) and BeiDou")
    assert found.summary().d3_p95_m[0] < 15  # the model leaves half of some tens of metres at the equator's anomaly
    plain = position_fixes(single, sample_nav, "C", ionosphere="none")
    assert plain.summary().d3_p95_m[0] > found.summary().d3_p95_m[0]


def test_a_system_with_one_frequency_is_left_out_with_a_note(
    sample_obs: gc.Observations, sample_nav: gc.Ephemerides
) -> None:
    found = position_fixes(only(sample_obs, "R", ["C1C"]), sample_nav, "R,C,R+C")
    assert found.summary().scenario.tolist() == ["C"]
    assert any(n == "skipped, no measurements: R, R+C" for n in found.notes)
    with pytest.raises(ScenarioError, match="no measurements for R: the files have those of G, E, C, J"):
        position_fixes(only(sample_obs, "R", ["C1C"]), sample_nav, "R")


def test_observations_without_pseudoranges(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    assert sample_obs.values is not None
    empty = changed(sample_obs, np.full_like(sample_obs.values.pseudorange_m, np.nan))
    with pytest.raises(RinexError, match="there are no code pseudoranges of GPS, GLONASS"):
        position_fixes(empty, sample_nav, "C")
    with pytest.raises(RinexError, match=r"read without values: use read_obs\(\.\.\., values=True\)"):
        position_fixes(dataclasses.replace(sample_obs, values=None), sample_nav, "C")


def test_ephemerides_of_another_day(sample_obs: gc.Observations) -> None:
    samples = Path(__file__).resolve().parents[2] / "sample_rinex"
    other = gc.read_nav(samples / "KMS300DNK_R_20221591000_01H_MN.rnx")
    with pytest.raises(EphemerisGapError, match=r"the observations are of 2024-01-10T00:00:00 to 2024-01-10T23:30:00"):
        position_fixes(sample_obs, other, "C")


def test_missing_glonass_channels_are_named(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    table = sample_nav.table
    fields = table.fields.copy()
    fields[table.system == ord("R"), 3 + 4 + 3] = np.nan
    nav = dataclasses.replace(sample_nav, table=dataclasses.replace(table, fields=fields))
    without = position_fixes(with_header(sample_obs, glonass_channels={}), nav, "R", ionosphere="klobuchar")
    assert any(n.startswith("GLONASS: the frequency channel of R01") for n in without.notes)
    from_messages = position_fixes(
        with_header(sample_obs, glonass_channels={}), sample_nav, "R", ionosphere="klobuchar"
    )
    assert not any("frequency channel" in n for n in from_messages.notes)
    from_header = position_fixes(sample_obs, nav, "R", ionosphere="klobuchar")
    np.testing.assert_allclose(from_messages.fixes().up_m, from_header.fixes().up_m, atol=1e-6)


# --- Arguments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sigma_m": {"R": -1.0}}, "sigma of R is -1 m: it must be above 0 and below 10000 m"),
        ({"sigma_m": {"C": 0.0}}, "sigma of C is 0 m"),
        ({"sigma_m": {"C": math.nan}}, "sigma of C is nan m"),
        ({"sigma_m": {"X": 1.0}}, "sigma of an unknown system 'X'"),
        ({"sigma_m": "best"}, "unknown sigma 'best': write estimate, equal, or metres such as R=2.2,C=1.3"),
        ({"weights": "snr"}, "unknown weights 'snr': write elevation, sine, equal"),
        ({"truth": "sinex"}, "unknown truth 'sinex'"),
        ({"ionosphere": "ionex"}, "unknown ionosphere 'ionex': write free, klobuchar, none"),
        ({"mask_deg": 95.0}, "an elevation mask outside 0 to 90 deg: 95"),
        ({"mask_deg": ()}, "no elevation mask is given"),
        ({"max_pdop": 0.0}, "max_pdop 0 and outlier_limit 4 must be positive"),
        ({"max_pdop": 0.1}, "no epoch can be solved with all systems (G+R+E+C+J) above the mask"),
        ({"calibrate_hours": 3.0}, "calibration is for the clocks common and prior"),
        ({"calibrate_hours": 30.0, "clocks": "common"}, "calibration takes 0 to 24 hours, not 30"),
    ],
)
def test_arguments_that_make_no_sense(
    sample_obs: gc.Observations, sample_nav: gc.Ephemerides, settings: dict[str, object], words: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        position_fixes(sample_obs, sample_nav, "C", **settings)
    assert words in str(caught.value)


def test_given_sigmas_are_used_and_the_rest_estimated(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    found = position_fixes(sample_obs, sample_nav, "R+C", sigma_m={"R": 2.2, "C": 1.3})
    assert (found.sigma_m["R"], found.sigma_m["C"]) == (2.2, 1.3)
    assert 0.1 < found.sigma_m["G"] < 3
    twice = position_fixes(sample_obs, sample_nav, "R+C", sigma_m={"R": 4.4, "C": 2.6}, outlier_limit=math.inf)
    once = position_fixes(sample_obs, sample_nav, "R+C", sigma_m={"R": 2.2, "C": 1.3}, outlier_limit=math.inf)
    np.testing.assert_allclose(twice.fixes().sigma_m, 2 * once.fixes().sigma_m, rtol=1e-9)
    # The median of all systems, with their estimated sigmas, is the same truth.
    np.testing.assert_allclose(twice.fixes().up_m, once.fixes().up_m, atol=1e-6)


def test_a_common_clock_needs_the_offset_between_the_systems(
    sample_obs: gc.Observations, sample_nav: gc.Ephemerides
) -> None:
    lost = position_fixes(sample_obs, sample_nav, "R+C", 25, clocks="common", outlier_limit=math.inf)
    found = position_fixes(
        sample_obs, sample_nav, "R+C", 25, clocks="common", calibrate_hours=6, outlier_limit=math.inf
    )
    assert any("taken as zero" in n and "GLONASS and BeiDou" in n for n in lost.notes)
    assert any(n.startswith("clock offsets calibrated on the first 6 h of the observations: R ") for n in found.notes)
    assert lost.summary().d3_p95_m[0] > 1.2 * found.summary().d3_p95_m[0]  # 50 ns are 15 m
    free = position_fixes(sample_obs, sample_nav, "R+C", 25, outlier_limit=math.inf)
    assert found.summary().pdop_median[0] < free.summary().pdop_median[0]


# --- What navigation files say --------------------------------------------------------------------------------------


def test_ionosphere_of_repeating_header_lines_is_taken_once(sample_nav: gc.Ephemerides) -> None:
    models = broadcast_models(sample_nav, 0)
    assert models["BeiDou"].alpha == (3.8184e-08, -6.7055e-08, -2.9802e-07, 5.9605e-07)
    assert models["GPS"].beta == (1.4541e05, -1.9661e05, 0.0, 1.9661e05)


def test_ionosphere_and_offsets_of_rinex_4(data: Path) -> None:
    nav = gc.read_nav(data / "snapshot/rinex4/BRD400DLR_S_20230710000_01D_MN.rnx.gz")
    middle_ns = (nav.span_ns[0] + nav.span_ns[1]) // 2
    models = broadcast_models(nav, middle_ns)
    assert set(models) == {"GPS", "BeiDou"}
    assert all(1e-9 < m.alpha[0] < 1e-7 and 5e4 < m.beta[0] < 3e5 for m in models.values())
    offsets_ns = broadcast_offsets_ns(nav)
    # BDGP -15.2 and GLGP -42.4 ns: published of this file.
    assert offsets_ns["C"] == pytest.approx(-15.2, abs=1.0)
    assert offsets_ns["R"] == pytest.approx(-42.4, abs=1.0)


def test_no_ionosphere_in_the_files(sample_obs: gc.Observations, sample_nav: gc.Ephemerides) -> None:
    headers = tuple(dataclasses.replace(h, ionosphere={}) for h in sample_nav.headers)
    with pytest.raises(EphemerisGapError, match="no parameters of the ionosphere"):
        position_fixes(sample_obs, dataclasses.replace(sample_nav, headers=headers), "C", ionosphere="klobuchar")


def test_truth_of_a_sinex_file(sample_obs: gc.Observations, sample_nav: gc.Ephemerides, tmp_path: Path) -> None:
    lines = [
        f"     {k} STA{axis}   CIBG  A    1 24:010:43200 m    2 {value:21.14E} 1.00000E-03"
        for k, (axis, value) in enumerate(zip("XYZ", HEADER_M, strict=True), start=1)
    ]
    path = tmp_path / "week.snx"
    path.write_text("\n".join(["%=SNX 2.02 IGS", "+SOLUTION/ESTIMATE", *lines, "-SOLUTION/ESTIMATE", "%ENDSNX"]))
    raised = with_header(sample_obs, antenna_delta_m=(1.0, 0.0, 0.0))
    found = position_fixes(raised, sample_nav, "C", truth=sinex_truth(path, raised))
    header = position_fixes(sample_obs, sample_nav, "C", truth="header")
    assert found.truth.kind == "sinex"
    assert found.truth.words.startswith("CIBG in ")
    assert header.fixes().up_m.mean() - found.fixes().up_m.mean() == pytest.approx(1.0, abs=3e-3)
