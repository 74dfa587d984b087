"""The ledger of mutual gain: each number against the functions below it or a count by hand, and its sentences."""

import math
import re

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gnss_coop as gc
from gnss_coop.ledger.findings import totals, widest_mask

NAN, INF = math.nan, math.inf
LARGER_IS_BETTER = {"n_used_mean", "availability_pct", "k1_pct", "k2_pct", "k3_pct", "k4_pct", "depth"}
FREE_OF_JUDGEMENT = {"gap_mean_min"}
SIGNALS = {"n_used_mean", "pdop_median", "pdop_p95", "hdop_median", "vdop_median", "availability_pct"}


@pytest.fixture(scope="module")
def nav(request):
    return gc.read_nav(str(request.config.rootpath / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"))


@pytest.fixture(scope="module")
def sky(nav):
    return gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=900), systems="RC")


@pytest.fixture(scope="module")
def table(sky):
    return gc.mutual_gain(sky, mask_deg=[5, 25])


def rows(table, **values):
    chosen = table
    for name, value in values.items():
        chosen = chosen[chosen[name] == value]
    return chosen


def one(table, **values):
    chosen = rows(table, **values)
    assert len(chosen) == 1, values
    return chosen.iloc[0]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


# --- Numbers --------------------------------------------------------------------------------------------------


def test_each_side_has_the_same_figures(table):
    signals, stations = rows(table, kind="signals"), rows(table, kind="stations")
    assert len(rows(signals, beneficiary="R")) == len(rows(signals, beneficiary="C")) == 7 * 2 * 6
    for own, other in (("R", "C"), ("C", "R")):
        for kind, part in (("signals", signals), ("stations", stations)):
            assert set(rows(part, beneficiary=own)["direction"]) == {f"{own}-from-{other}-{kind}"}
            assert set(rows(part, beneficiary=own)["provider"]) == {other}
        assert set(rows(signals, beneficiary=own)["quantity"]) == SIGNALS
    assert not table.duplicated(["direction", "place", "orbit", "mask_deg", "quantity"]).any()
    assert rows(stations, beneficiary="R")["place"].unique().tolist() == [
        "all hosted",
        "Changchun",
        "Urumqi",
        "Shanghai",
    ]
    hosted_in_russia = ["all hosted", "Obninsk", "Irkutsk", "Petropavlovsk-Kamchatsky"]
    assert rows(stations, beneficiary="C")["place"].unique().tolist() == hosted_in_russia


def test_signals_are_those_of_compare(sky, table):
    dop = gc.dilution_of_precision(sky, "joint", ["R", "C", "R+C"], mask_deg=[5, 25])
    direct = gc.compare(dop, limit=6.0).set_index(["station", "mask_deg", "systems"])
    n_checked = 0
    for row in rows(table, kind="signals").itertuples():
        if row.place != "all sites":
            assert same(row.standalone, direct.loc[(row.place, row.mask_deg, row.beneficiary), row.quantity])
            assert same(row.joint, direct.loc[(row.place, row.mask_deg, "R+C"), row.quantity])
            n_checked += 1
    assert n_checked == 2 * 6 * 2 * 6


def test_all_sites_pool_the_epochs(sky, table):
    """Counted by hand: every epoch of every site once, an epoch without a solution as the worst."""
    dop = gc.dilution_of_precision(sky, "joint", ["R", "C", "R+C"], mask_deg=[5, 25])
    for row in rows(table, kind="signals", place="all sites").itertuples():
        for systems, value in ((row.beneficiary, row.standalone), ("R+C", row.joint)):
            part = dop.sel(systems=systems, mask_deg=row.mask_deg)
            name = row.quantity.split("_")[0]
            if row.quantity == "n_used_mean":
                truth = part.n_used.values.ravel().mean()
            elif row.quantity == "availability_pct":
                truth = 100.0 * np.count_nonzero(part.pdop.values.ravel() <= 6.0) / part.pdop.size
            else:
                ranked = np.sort(np.where(np.isnan(part[name].values), np.inf, part[name].values).ravel())
                share = {"median": 0.5, "p95": 0.95}[row.quantity.split("_")[1]]
                place = share * (len(ranked) - 1)
                low, high = ranked[math.floor(place)], ranked[math.ceil(place)]
                truth = INF if math.isinf(high) else low + (place - math.floor(place)) * (high - low)
            assert value == pytest.approx(truth, rel=1e-12)


def test_hosting_is_that_of_the_networks(sky, table):
    direct = gc.network_table(gc.network_views(sky, "russia,china,joint", mask_deg=5))
    home = {"R": "russia", "C": "china"}
    total = rows(table, kind="stations", place="all hosted")
    assert set(rows(total, beneficiary="C")["orbit"]) == {"MEO", "IGSO", "GEO", "all"}
    for row in total.itertuples():
        column = row.quantity.removesuffix("_pct")
        for network, value in ((home[row.beneficiary], row.standalone), ("joint", row.joint)):
            assert same(value, one(direct, system=row.beneficiary, orbit=row.orbit, network=network)[column])


@pytest.mark.parametrize(
    ("beneficiary", "station", "others"),
    [
        ("R", "Urumqi", "Obninsk+Irkutsk+Petropavlovsk-Kamchatsky+Changchun+Shanghai"),
        ("C", "Obninsk", "Changchun+Urumqi+Shanghai+Irkutsk+Petropavlovsk-Kamchatsky"),
    ],
)
def test_a_station_is_the_joint_network_without_it(sky, table, beneficiary, station, others):
    direct = gc.network_table(gc.network_views(sky, f"others={others},joint", mask_deg=5))
    part = rows(table, beneficiary=beneficiary, place=station, kind="stations")
    for row in part.itertuples():
        column = row.quantity.removesuffix("_pct")
        for network, value in (("others", row.standalone), ("joint", row.joint)):
            truth = one(direct, system=beneficiary, orbit=row.orbit, network=network)[column]
            assert value == pytest.approx(truth, rel=1e-9, nan_ok=True)  # stations are summed in another order
    assert set(part["compared"]) == {f"joint without {station} -> joint"}


def test_differences_and_signs(table):
    for row in table.itertuples():
        if math.isfinite(row.standalone) and math.isfinite(row.joint):
            assert row.difference == row.joint - row.standalone
            moved = 0 if math.isclose(row.joint, row.standalone, rel_tol=1e-9) else np.sign(row.difference)
            sense = 1 if row.quantity in LARGER_IS_BETTER else -1
            assert row.better == (0 if row.quantity in FREE_OF_JUDGEMENT else sense * moved), row
        else:
            assert math.isnan(row.difference)


def test_more_satellites_and_stations_never_do_harm(table):
    """Added observations cannot lower the information, nor a network see less: no loss in any figure."""
    assert (table["better"] >= 0).all()
    assert set(table["better"]) == {0, 1}


def test_a_figure_where_there_was_none_is_a_gain_without_a_difference(table):
    row = one(table, beneficiary="R", kind="signals", place="all sites", mask_deg=25.0, quantity="pdop_p95")
    assert (row.standalone, math.isfinite(row.joint), row.better) == (INF, True, 1)
    assert math.isnan(row.difference)


def test_settings_reach_the_figures(sky):
    settings = {"window_h": 12.0, "range_interval_s": 60.0, "clock_known": True}
    table = gc.mutual_gain(
        sky, stations="Irkutsk", mask_deg=20, clocks="common", limit=3.0, network_mask_deg=10, **settings
    )
    dop = gc.dilution_of_precision(sky, "Irkutsk", ["R", "R+C"], mask_deg=20, clocks="common")
    direct = gc.compare(dop, limit=3.0).set_index("systems")
    for quantity in SIGNALS:
        row = one(table, beneficiary="R", quantity=quantity, place="Irkutsk")
        assert (row.standalone, row.joint) == (direct.loc["R", quantity], direct.loc["R+C", quantity])
        assert row.mask_deg == 20.0
    networks = gc.network_table(gc.network_views(sky, "china,joint", mask_deg=10), **settings)
    row = one(table, beneficiary="C", quantity="sigma_3d_m", place="all hosted", orbit="all")
    for network, value in (("china", row.standalone), ("joint", row.joint)):
        truth = one(networks, system="C", orbit="all", network=network)["sigma_3d_m"]
        assert value == pytest.approx(truth, rel=1e-9)  # stations are summed in another order
    assert row.mask_deg == 10.0
    assert table.attrs["satellite_clock"] == "known"


def test_the_order_of_the_sides_changes_no_number(sky, table):
    turned = gc.mutual_gain(sky, "C,R", mask_deg=[25, 5])
    keys = ["direction", "place", "orbit", "mask_deg", "quantity"]
    both = table.merge(turned, on=keys, suffixes=("", "_turned"))
    assert len(both) == len(table) == len(turned)
    for name in ("standalone", "joint", "better"):
        np.testing.assert_allclose(both[name], both[f"{name}_turned"], rtol=1e-9)
    assert turned["beneficiary"].iloc[0] == "C"


def test_homes_of_ones_own(sky):
    table = gc.mutual_gain(sky, mask_deg=25, homes={"R": "Obninsk,Irkutsk", "C": "Shanghai,Irkutsk"})
    assert table.attrs["hosted"] == {"R": ["Shanghai"], "C": ["Obninsk"]}
    assert table.attrs["hosted_at"] == {"R": "at Shanghai", "C": "at Obninsk"}
    direct = gc.network_table(gc.network_views(sky, "home=Obninsk+Irkutsk,joint=Obninsk+Irkutsk+Shanghai"))
    row = one(table, beneficiary="R", quantity="k2_pct", place="all hosted", orbit="all")
    for network, value in (("home", row.standalone), ("joint", row.joint)):
        assert value == one(direct, system="R", orbit="all", network=network)["k2"]


# --- Refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"systems": "R"}, gc.ScenarioError, "name two systems"),
        ({"systems": "R,C,G"}, gc.ScenarioError, "not R,C,G"),
        ({"systems": "R+C,G"}, gc.ScenarioError, "two sides"),
        ({"systems": "R,E"}, gc.ScenarioError, "home network of Galileo is not known"),
        ({"homes": "R=joint,C=china"}, gc.StationError, "nothing to host"),
        ({"homes": "R=russia,C=Atlantis"}, gc.StationError, "Atlantis"),
        ({"stations": "Atlantis"}, gc.StationError, "Atlantis"),
        ({"mask_deg": 100}, gc.ScenarioError, "100"),
        ({"limit": 0}, gc.ScenarioError, "positive"),
        ({"window_h": 0}, gc.ScenarioError, "positive"),
    ],
)
def test_bad_questions_are_refused(sky, settings, error, words):
    with pytest.raises(error, match=re.escape(words)):
        gc.mutual_gain(sky, **settings)


@pytest.mark.parametrize(("letter", "name"), [("R", "BeiDou"), ("C", "GLONASS")])
def test_one_side_without_satellites_is_no_ledger(sky, letter, name):
    alone = sky.isel(sv=[sv.startswith(letter) for sv in sky.sv.values.astype(str)])
    with pytest.raises(gc.EphemerisGapError, match=f"no satellite of {name} has a usable ephemeris"):
        gc.mutual_gain(alone)


def test_one_epoch_is_refused(sky):
    with pytest.raises(gc.TimeError):
        gc.mutual_gain(sky.isel(time=[0]))


# --- Sentences ------------------------------------------------------------------------------------------------


def numbers_of(table):
    """Every figure of the table as the sentences print it, and the gains worked out from it."""
    texts = set()
    for row in table.itertuples():
        for value in (row.standalone, row.joint):
            if math.isfinite(value):
                texts |= {f"{value:.0f}", f"{value:.1f}", f"{value:.2f}"}
        if math.isfinite(row.difference):
            texts.add(f"{abs(row.difference):.1f}")
            if row.standalone:
                texts.add(f"{100 * (1 - row.joint / row.standalone):.1f}")
    return texts


def test_numbers_of_the_sentences_are_in_the_table(table):
    sentences = gc.ledger_findings(table)
    settings = {"5", "25", "6", "1", "300", "24", "99.9"}  # masks, limit, sites, range, interval, window; "over 99.9 %"
    for sentence in sentences:
        for number in re.findall(r"\d+(?:\.\d+)?", sentence):
            assert number in settings | numbers_of(table), (number, sentence)


def test_sentences_tell_totals_of_both_sides(table):
    sentences = gc.ledger_findings(table)
    assert len(sentences) == 6
    for sentence, own, other in zip(sentences[:2], ("R", "C"), ("BeiDou", "GLONASS"), strict=True):
        assert sentence.startswith(f"{other} signals")
        share = totals(table, own, "signals", 25.0)["availability_pct"]
        assert f"holds {share['joint']:.1f} % of the time instead of {share['standalone']:.1f} %" in sentence
    for sentence, own, where in zip(sentences[2:4], ("R", "C"), ("China", "Russia"), strict=True):
        assert f"stations hosted in {where} help" in sentence
        assert sentence.startswith({"R": "GLONASS", "C": "BeiDou"}[own])
        sigma = totals(table, own, "stations")["sigma_3d_m"]
        assert f"sigma is {sigma['joint']:.1f} m instead of {sigma['standalone']:.1f} m" in sentence
        parts = rows(table, beneficiary=own, kind="stations", orbit="all", quantity="sigma_3d_m")
        parts = parts[parts["place"] != "all hosted"].sort_values("standalone")
        assert f"need {parts.iloc[-1]['place']} most" in sentence
        assert f"and {parts.iloc[0]['place']} least" in sentence


def test_the_larger_gain_is_named(table):
    [signals, stations] = gc.ledger_findings(table)[-2:]
    for kind, sentence in (("signals", signals), ("stations", stations)):
        mask = 25.0 if kind == "signals" else None
        ours, theirs = (totals(table, own, kind, mask) for own in "RC")
        for name, words in (("availability_pct", "availability"), ("k1_pct", "one station"), ("k2_pct", "two")):
            if name in ours:
                larger = "GLONASS" if ours[name]["difference"] > theirs[name]["difference"] else "BeiDou"
                verdicts = [part for part in sentence.split("; ") if words in part]
                assert len(verdicts) == 1
                assert f"{larger} gains more in" in verdicts[0]


@pytest.fixture
def far_side(sky):
    """Replace BeiDou by one satellite that stands still above 90 deg west, below all six horizons."""
    glonass = sky.isel(sv=[sv.startswith("R") for sv in sky.sv.values.astype(str)])
    place = np.broadcast_to([0.0, -42164e3, 0.0], (sky.sizes["time"], 1, 3))
    still = xr.Dataset(
        {"positions": (("time", "sv", "ecef"), place)},
        coords={"time": glonass.time, "sv": ["C99"], "ecef": glonass.ecef},
    )
    return xr.concat([glonass[["positions"]], still], dim="sv")


def test_nothing_gained_is_said(far_side):
    table = gc.mutual_gain(far_side, mask_deg=[5, 25])
    from_signals = rows(table, beneficiary="R", kind="signals")
    assert (from_signals["better"] == 0).all()
    from_hosting = rows(table, beneficiary="C", kind="stations")
    assert (from_hosting["better"] == 0).all()
    sentences = gc.ledger_findings(table)
    assert "BeiDou signals bring GLONASS users no noticeable gain over all 6 sites" in sentences[0]
    assert "BeiDou stations hosted in Russia bring no noticeable gain" in sentences[3]
    assert "sigma stays undetermined" in sentences[3]
    assert "need" not in sentences[3]  # no station matters to an orbit that nobody sees
    assert "where before half of the epochs or more had no solution" in sentences[1]
    assert "cannot be set against each other in the orbit sigma, where a figure is missing" in sentences[5]


def changed(table, beneficiary, kind, quantity, standalone, joint):
    """Copy the table with other totals of one quantity."""
    result = table.copy()
    result.attrs = table.attrs
    chosen = (result.beneficiary == beneficiary) & (result.kind == kind) & (result.quantity == quantity)
    chosen &= result.place.isin(["all sites", "all hosted"])
    result.loc[chosen, ["standalone", "joint", "difference"]] = [standalone, joint, joint - standalone]
    return result


def test_a_small_gain_is_called_small(table):
    small = changed(table, "C", "signals", "availability_pct", 99.0, 99.5)
    small = changed(small, "C", "signals", "pdop_median", 2.0, 1.9)
    assert "GLONASS signals bring BeiDou users a small gain over all 6 sites" in gc.ledger_findings(small)[1]
    for name in ("k1_pct", "k2_pct"):
        small = changed(small, "R", "stations", name, 50.0, 50.9)
    small = changed(small, "R", "stations", "sigma_3d_m", 10.0, 9.1)
    assert "GLONASS stations hosted in China bring a small gain" in gc.ledger_findings(small)[2]
    larger = changed(small, "R", "stations", "sigma_3d_m", 10.0, 8.9)
    assert "GLONASS stations hosted in China help" in gc.ledger_findings(larger)[2]


def test_equal_gains_are_called_equal(table):
    equal = table
    for own in "RC":
        equal = changed(equal, own, "stations", "k1_pct", 40.0, 45.0)
        equal = changed(equal, own, "stations", "k2_pct", 30.0, 30.0)
    sentence = gc.ledger_findings(equal)[5]
    assert "both gain alike in time in view of at least one station (5.0 points)" in sentence
    assert "neither gains in time in view of at least two" in sentence


def test_an_undetermined_orbit_is_told_in_words(table):
    alone = changed(table, "R", "stations", "sigma_3d_m", NAN, 8.0)
    assert "sigma is 8.0 m instead of undetermined" in gc.ledger_findings(alone)[2]
    assert "nan" not in " ".join(gc.ledger_findings(alone))


def test_the_mask_of_the_largest_gain(table):
    assert widest_mask(table) == 25.0
    other = table.copy()
    other.attrs = table.attrs
    other["mask_deg"] = other["mask_deg"].map(lambda mask: {5.0: 25.0, 25.0: 5.0}[mask])
    assert widest_mask(other) == 5.0


def test_one_site_and_one_mask(sky):
    sentences = gc.ledger_findings(gc.mutual_gain(sky, stations="Shanghai", mask_deg=25))
    assert "at the one site, with a 25 degree mask" in sentences[0]
    assert "matter least" not in sentences[0]


def test_the_table_is_plain(table):
    assert isinstance(table, pd.DataFrame)
    assert table["better"].dtype.kind == "i"
    assert set(table.attrs["homes"]) == {"R", "C"}
