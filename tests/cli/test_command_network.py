"""`gnss-coop network`: the same numbers as from Python, every table, notes and refusals."""

import os

import numpy as np
import pytest

import gnss_coop as gc

SUMMARY = [
    "system", "orbit", "network", "n_satellites", "k1", "k2", "k3", "k4", "depth", "gap_max_min", "gap_mean_min",
    "arc_mean_min", "sigma_radial_m", "sigma_along_m", "sigma_cross_m", "sigma_3d_m", "completeness_pct",
]  # fmt: skip
CSV = ("--format", "csv")
STAMP = ["day", "start_gpst", "end_gpst", "source"]
NOMINAL = ("--nominal", "R,C", "--epoch", "2027-01-01", "--step", 900)


def same(table, truth):
    assert table.columns.tolist() == [*truth.columns, *STAMP]
    for name in truth:
        ours, theirs = table[name].tolist(), truth[name].tolist()
        assert [v for v in ours if v == v] == [v for v in theirs if v == v], name
        assert [v == v for v in ours] == [v == v for v in theirs], name


@pytest.fixture(scope="module")
def nominal():
    return gc.nominal_constellation("R+C", gc.epochs("2027-01-01", hours=24, step_s=900))


def test_a_real_day_is_that_of_python(run, day):
    result = run("network", day, "--step", 900, *CSV)
    assert result.code == 0
    sky = gc.satellite_positions(gc.read_nav(day), gc.epochs("2024-01-10", hours=24, step_s=900), systems="RC")
    assert result.table.columns.tolist() == [*SUMMARY, *STAMP]
    same(result.table, gc.network_table(gc.network_views(sky)))


def test_settings_reach_the_library(run, nominal):
    asked = (
        "--networks",
        "east=Irkutsk+Changchun+Shanghai,russia",
        "--mask",
        10,
        "--window",
        12,
        "--range-interval",
        30,
    )
    result = run("network", *NOMINAL, *asked, "--satellite-clock", "known", *CSV)
    assert (result.code, result.err) == (0, "")
    views = gc.network_views(nominal, ["east=Irkutsk+Changchun+Shanghai", "russia"], mask_deg=10)
    same(result.table, gc.network_table(views, window_h=12, range_interval_s=30, clock_known=True))


def test_the_other_tables_are_those_of_python(run, nominal):
    views = gc.network_views(nominal)
    for name, truth in (("satellites", gc.satellite_table(views)), ("common-view", gc.common_view(views))):
        result = run("network", *NOMINAL, "--table", name, *CSV)
        assert (result.code, result.err) == (0, "")
        same(result.table, truth)
    arcs = run("network", *NOMINAL, "--table", "arcs", *CSV).table
    truth = gc.network_arcs(views)
    assert arcs.columns.tolist() == [*truth.columns, "day", "source"]  # arcs have a start and end of their own
    assert arcs.start_gpst.tolist() == [str(t)[:19] for t in truth.start_gpst.values]
    assert arcs.duration_min.tolist() == truth.duration_min.tolist()
    assert arcs.cut.tolist() == truth.cut.tolist()


def test_parquet_holds_the_same(run, nominal):
    duckdb = pytest.importorskip("duckdb")
    assert run("network", *NOMINAL, "-o", "out.parquet", "--format", "parquet").code == 0
    back = duckdb.sql("select * from 'out.parquet'").df()
    truth = gc.network_table(gc.network_views(nominal))
    assert back.columns.tolist() == [*SUMMARY, *STAMP]
    np.testing.assert_array_equal(back.sigma_3d_m.values, truth.sigma_3d_m.values)


def test_text_says_what_it_is_of(run):
    out = run("network", *NOMINAL, "--systems", "R", "--satellite-clock", "known").out
    for words in (
        "nominal constellations: 2027-01-01T00:00:00 to 2027-01-02T00:00:00 GPST, step 900 s, mask 5 deg",
        "china: Changchun, Urumqi, Shanghai",
        "24 h of ranges, 1 m at the zenith every 300 s, satellite clock known",
    ):
        assert words in out


@pytest.mark.parametrize("which", ["summary", "satellites", "worth", "common-view", "arcs", "sites"])
def test_text_says_its_stations_and_is_no_wider_than_a_page(run, which):
    candidates = ("--candidates", "china", "--networks", "russia,Irkutsk,both=russia+Urumqi,russia2=russia")
    arguments = candidates if which == "sites" else ()
    result = run("network", *NOMINAL, "--table", which, *arguments)
    assert result.code == 0
    assert "Obninsk, Irkutsk, Petropavlovsk-Kamchatsky" in result.out
    assert max(map(len, result.out.splitlines())) <= 100


def test_text_in_parts_holds_every_column_and_row(run, nominal):
    out = run("network", *NOMINAL, "--table", "satellites", "--networks", "joint").out
    truth = gc.satellite_table(gc.network_views(nominal, "joint"))
    parts = out.split("\n\n")[1:]
    assert all(part.count("\nR24 ") == 1 for part in parts)
    row = truth.set_index("sv").loc["R24"]
    for name in ("k6", "n_gaps", "sigma_3d_m", "sigma_cross_clock_known_m"):
        digits = {"k": 2, "n": 0, "s": 3}[name[0]]
        assert any(f"{row[name]:.{digits}f}" in part.split("\nR24 ")[1].split("\n")[0] for part in parts), name
    assert "undetermined" not in out
    assert "satellite clock estimated, and known" in " ".join(out.split())


def test_one_station_has_empty_sigma_and_the_reason(run):
    table = run("network", *NOMINAL, "--networks", "Irkutsk", *CSV).table
    assert table.filter(like="sigma").isna().all(axis=None)
    assert (table.k2 == 0).all()
    reason = "no sigma of Irkutsk (C MEO, C IGSO, C GEO, C all, R MEO, R all): one station cannot tell the orbit"
    assert reason in run("network", *NOMINAL, "--networks", "Irkutsk", *CSV).err
    assert reason in " ".join(run("network", *NOMINAL, "--networks", "Irkutsk").out.split())
    satellites = run("network", *NOMINAL, "--networks", "Irkutsk", "--table", "satellites", *CSV).table
    assert satellites.undetermined.unique().tolist() == [
        "one station cannot tell the orbit from the satellite's clock; at least two are needed"
    ]
    assert satellites.sigma_3d_clock_known_m.notna().any()


# --- Systems and spans ------------------------------------------------------------------------------------


def test_nominal_constellations_hold_the_systems_asked_for(run):
    for systems in ("R", "C"):
        table = run("network", *NOMINAL, "--systems", systems, *CSV).table
        assert set(table.system) == {systems}
    assert set(run("network", *NOMINAL, *CSV).table.system) == {"R", "C"}
    run("network", *NOMINAL, "--systems", "E", *CSV).refused("holds no system")
    run("network", *NOMINAL, "--systems", "R", "--exclude-sv", "R04,R99").refused("R99")
    left = run("network", *NOMINAL, "--systems", "R", "--exclude-sv", "R04,C05", *CSV).table
    assert set(left.n_satellites) == {23}


@pytest.mark.parametrize(("system", "days"), [("R", 8), ("C", 7), ("R,C", 8)])
def test_repeat_lasts_as_long_as_the_systems_need(run, system, days):
    when = ("--epoch", "2027-01-01", "--step", 3600, "--repeat", "--table", "arcs")
    table = run("network", "--nominal", system, *when, *CSV).table
    starts, ends = (np.array(table[name], "datetime64[s]") for name in ("start_gpst", "end_gpst"))
    # 86164.1 s: a sidereal day; the last epoch stands for a step.
    whole_s = (ends.max() - starts.min()).astype(int)
    assert days * 86164.1 <= whole_s < days * 86164.1 + 3600


def test_repeat_takes_the_length_of_the_span(run, root):
    for length in (("--hours", 5), ("--end", "2027-01-09")):
        run("network", *NOMINAL, "--repeat", *length).refused("--repeat sets the length")
    run("network", "--nominal", "J", "--epoch", "2027-01-01", "--systems", "J", "--repeat").refused(
        "not known to repeat"
    )
    day = root / "sample_rinex" / "brdc0100.24g.gz"  # GLONASS alone
    result = run("network", day, "--systems", "R", "--step", 7200, "--repeat", "--forecast", 8, *CSV)
    assert result.code == 0
    assert "forecast: " in result.err
    run("network", day, "--systems", "R", "--repeat", "--forecast", 2).refused("beyond the forecast")


def test_a_short_span_works_and_says_that_everything_is_cut(run):
    short = ("--nominal", "R", "--epoch", "2027-01-01", "--hours", 0.5, "--step", 300)
    for which in ("summary", "arcs"):
        result = run("network", *short, "--table", which, *CSV)
        assert result.code == 0
        assert "all arcs and gaps are cut by the ends of the span of 30 min" in result.err
    table = run(
        "network", "--nominal", "R", "--epoch", "2027-01-01", "--hours", "0.1", "--step", 60, "--table", "arcs", *CSV
    )
    assert set(table.table.cut) == {"span"}
    assert "cut" not in run("network", *short, "--table", "common-view", *CSV).err
    assert run("network", *short, "--quiet", *CSV).err == ""


def test_a_step_too_long_for_sigma_is_told(run):
    slow = ("--nominal", "R", "--epoch", "2027-01-01", "--step", 3600)
    assert "a step of 3600 s is too long for sigma" in run("network", *slow, *CSV).err
    assert "a step of 3600 s" in run("network", *slow, "--systems", "R", "--table", "worth", *CSV).err
    sites = ("--table", "sites", "--networks", "russia", "--candidates", "china")
    assert "a step of 3600 s" in run("network", *slow, *sites, "--objective", "sigma_3d_m", *CSV).err
    assert "a step of 3600 s" not in run("network", *slow, *sites, *CSV).err
    assert run("network", *slow, "--table", "arcs", *CSV).err == ""
    assert run("network", *slow, "--quiet", *CSV).err == ""


def test_what_is_left_out_is_told_with_any_format(run, day):
    sky = gc.satellite_positions(gc.read_nav(day), gc.epochs("2024-01-10", hours=24, step_s=3600), systems="RC")
    views = gc.network_views(sky)
    share = 100.0 * (1.0 - views.usable.mean())
    words = f"left out, without a usable ephemeris: {share:.2f} % of the satellite-epochs"
    for which in ("summary", "arcs", "common-view"):
        assert f"note: {words}" in run("network", day, "--step", 3600, "--table", which, *CSV).err
        shown = run("network", day, "--step", 3600, "--table", which)
        assert words in shown.out
        assert words not in shown.err


def test_an_upload_gap_that_is_not_told_has_a_reason(run):
    result = run("network", *NOMINAL, "--table", "common-view", "--networks", "russia,joint", *CSV)
    assert result.err == "note: no upload gap of C: its home network china is not among --networks\n"
    assert result.table.set_index("system").upload_gap_max_min.isna().to_dict() == {"C": True, "R": False}


def test_files_that_fail_beside_others(run, day, tmp_path):
    (tmp_path / "bad.rnx").write_text("no navigation file\n")
    result = run("network", day, "bad.rnx", "--step", 3600, *CSV)
    assert result.code == 3
    assert "bad.rnx" in result.err
    assert len(result.table) > 0
    result = run("network", "bad.rnx", "missing.rnx")
    assert (result.code, result.out) == (4, "")


# --- Refusals ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--networks", "atlantis"), ("'atlantis'",)),
        (("--networks", "east=Irkutsk+Atlantis"), ("'Atlantis'",)),
        (("--networks", "joint,joint"), ("joint is given twice",)),
        (("--networks", "east="), ("'east='",)),
        (("--networks", ","), ("No network is given",)),
        (("--networks", "china", "--table", "common-view"), ("All stations stand in CN",)),
        (("--players", "countries"), ("--players: only with --table worth",)),
        (
            ("--orbit-class", "GEO", "--best", "2"),
            ("worth, sites, candidates or --site-map; --best: only with --table sites or --site-map",),
        ),
        (("--objective", "depth", "--table", "worth"), ("--objective: only with --table sites or --site-map",)),
        (("--table", "arcs", "--window", "6", "--range-interval", "30"), ("--window, --range-interval: only with",)),
        (("--table", "satellites", "--satellite-clock", "known"), ("--satellite-clock: only with --table summary",)),
        (("--window", "0"), ("--window",)),
        (("--window", "nan"), ("must be positive",)),
        (("--window", "-5"), ("--window",)),
        (("--range-interval", "0"), ("--range-interval",)),
        (("--range-interval", "inf"), ("--range-interval",)),
        (("--satellite-clock", "perhaps"), ("--satellite-clock",)),
        (("--table", "nothing"), ("--table",)),
        (("--mask", "5,10"), ("one --mask",)),
        (("--mask", "91"), ("91",)),
        (("--systems", "X"), ("'X'",)),
        (("--hours", "0.01"), ("at least two epochs",)),
    ],
)
def test_wrong_questions_get_one_sentence(run, arguments, words):
    run("network", "--nominal", "R", "--epoch", "2027-01-01", "--step", 3600, *arguments).refused(*words)


def test_one_epoch_is_no_span(run, day):
    run("network", day, "--at", "2024-01-10T05:00").refused("--start with --hours")
    run("network", "--nominal", "R", "--at", "2027-01-01").refused("--start with --hours")


def test_sources_that_do_not_go_together(run, day):
    run("network").refused("give navigation files")
    run("network", "--nominal", "R").refused("--epoch")
    run("network", day, "--nominal", "R", "--epoch", "2027-01-01").refused("--nominal goes without")
    run("network", "--nominal", "R", "--epoch", "2027-01-01", "--forecast", 3).refused("--nominal goes without")
    run("network", day, "--epoch", "2027-01-01").refused("--epoch goes with --nominal")


def test_an_endless_window_is_the_whole_span(run):
    endless, day = (run("network", *NOMINAL, "--window", hours, *CSV) for hours in ("inf", 24))
    assert endless.out == day.out


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="needs a POSIX system")
def test_output_that_cannot_be_written(run, tmp_path):
    run("network", *NOMINAL, "-o", tmp_path / "nowhere" / "out.csv", *CSV).refused("nowhere")
    result = run("network", *NOMINAL, "-o", "out.csv", *CSV)
    assert (result.code, result.out) == (0, "")
    assert (tmp_path / "out.csv").read_text().startswith("system,orbit,network")
