"""The tables of `gnss-coop network` that judge stations and sites."""

import pytest

import gnss_coop as gc

SPAN = ("--start", "2022-06-08T10:00:00", "--hours", "2", "--step", "600")


@pytest.fixture
def sites(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("name,latitude_deg,longitude_deg\nQuito,-0.2,-78.5\nPerth,-31.9,115.9\nHavana,23.1,-82.4\n")
    return path


def test_worth_is_that_of_the_library(run, hours):
    result = run("network", hours, *SPAN, "--table", "worth", "--players", "countries", "--format", "csv")
    assert result.code == 0
    nav = gc.read_nav(hours)
    sky = gc.satellite_positions(nav, gc.epochs("2022-06-08T10:00:00", hours=2, step_s=600), systems="RC")
    expected = gc.station_worth(gc.network_views(sky), players="countries")
    table = result.table
    assert table.columns.tolist() == [*expected.columns, "day", "start_gpst", "end_gpst", "source"]
    assert table["shapley"].tolist() == expected["shapley"].tolist()


def test_worth_as_text_says_what_it_is_of(run, hours):
    out = run("network", hours, *SPAN, "--table", "worth", "--networks", "china").out
    assert "china: Changchun, Urumqi, Shanghai" in out
    assert "Shapley".lower() in out


def test_sites_are_chosen_from_a_file(run, hours, sites):
    result = run(
        "network", hours, *SPAN, "--table", "sites", "--candidates", sites, "--best", 2, "--objective", "k1_pct",
        "--format", "csv",
    )  # fmt: skip
    assert result.code == 0
    assert "sites for joint: Obninsk" in result.err
    table = result.table
    assert set(table["method"]) == {"greedy", "exact"}
    assert table["n_sites"].max() == 2
    assert (table["gain"] >= 0).all()


def test_sites_that_determine_no_orbit_are_told(run, tmp_path):
    far = tmp_path / "far.csv"
    far.write_text("name,latitude_deg,longitude_deg\nCape,-52.2,-75.7\nBase,-60,-80\n")  # opposite to Irkutsk
    arguments = ("--nominal", "R", "--systems", "R", "--epoch", "2027-01-01", "--step", "900", "--networks", "Irkutsk")
    arguments += ("--table", "sites", "--candidates", far, "--objective", "sigma_3d_m", "--format", "csv")
    result = run("network", *arguments)
    assert result.table["after"].isna().all()
    assert "note: no set of 1 determines the median orbit of R: Cape is named as the first (greedy)" in result.err


def test_stations_can_be_candidates(run, hours):
    result = run(
        "network", hours, *SPAN, "--networks", "russia", "--table", "sites", "--candidates", "china", "--systems", "R",
        "--format", "csv",
    )  # fmt: skip
    assert result.code == 0
    assert result.table["sites"].item() in gc.stations("china").names


def test_a_known_clock_reaches_worth_and_sites(run, hours, sites):
    for arguments in (("--table", "worth"), ("--table", "sites", "--candidates", sites, "--objective", "sigma_3d_m")):
        tables = [
            run("network", hours, *SPAN, *arguments, "--satellite-clock", clock, "--format", "csv").table
            for clock in ("estimated", "known")
        ]
        estimated, known = (
            table[table.isin(["sigma_3d_m"]).any(axis=1)].filter(["with", "after"]).dropna() for table in tables
        )
        assert len(known) > 0
        assert (known.iloc[:, 0].min() < estimated.iloc[:, 0]).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--table", "sites"), "--candidates"),
        (("--candidates", "china"), "--table sites"),
        (("--table", "sites", "--candidates", "nowhere.csv"), "nowhere.csv"),
        (("--table", "sites", "--candidates", "china"), "belong to the network"),
        (("--table", "sites", "--candidates", "Moscow-on-Sea"), "no station or network"),
        (("--table", "sites", "--networks", "russia", "--candidates", "china", "--best", "4"), "1 to 3"),
        (("--table", "worth", "--orbit-class", "GEO", "--systems", "R"), "GEO"),
    ],
)
def test_wrong_questions_are_one_sentence(run, hours, arguments, words):
    run("network", hours, *SPAN, *arguments).refused(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,latitude_deg\nA,1\n", "longitude_deg"),
        ("name,latitude_deg,longitude_deg\nA,91,0\n", "A (91, 0"),
        ("name,latitude_deg,longitude_deg\nA,1\n", "line 2"),
        ("name,latitude_deg,longitude_deg\nA,1,1\nA,2,2\n", "called A"),
        ("", "name"),
    ],
)
def test_a_faulty_file_of_candidates_is_named(run, hours, tmp_path, text, words):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    run("network", hours, *SPAN, "--table", "sites", "--candidates", path).refused(words)
