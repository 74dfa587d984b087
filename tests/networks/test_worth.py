"""Worth of stations: what Shapley values must be by their definition, and brute force over all orders."""

import itertools
import math

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.networks import worth as worth_module
from gnss_coop.networks.value import NAMES, NetworkValue

SAMPLE = "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"


@pytest.fixture(scope="module")
def sky():
    nav = gc.read_nav(SAMPLE)
    return gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=12, step_s=600), systems="RC")


@pytest.fixture(scope="module")
def worth(sky):
    return gc.station_worth(gc.network_views(sky))


def site(name, latitude_deg, longitude_deg, country=""):
    place = {"latitude_deg": latitude_deg, "longitude_deg": longitude_deg, "height_m": 0.0}
    return gc.Station(name=name, geodetic=place, country=country)


def test_shares_add_up_to_the_total_exactly(worth):
    for _, rows in worth.groupby(["system", "quantity"]):
        assert rows["shapley"].sum() == pytest.approx(rows["total"].iloc[0], rel=1e-12)


def test_the_total_is_what_the_network_table_says(worth, sky):
    table = gc.network_table(gc.network_views(sky, "joint")).query("orbit == 'all'").set_index("system")
    for system, row in table.iterrows():
        of = worth[worth["system"] == system].drop_duplicates("quantity").set_index("quantity")
        assert of.loc["k2_pct", "total"] == row["k2"] == of.loc["k2_pct", "with"]
        assert of.loc["depth", "total"] == row["depth"]
        assert of.loc["gap_max_min", "with"] == row["gap_max_min"]
        assert of.loc["sigma_3d_m", "with"] == pytest.approx(row["sigma_3d_m"], rel=1e-8)  # stations in another order
        assert of.loc["sigma_3d_m", "total"] == pytest.approx(1e3 / row["sigma_3d_m"], rel=1e-8)


def test_with_a_known_clock_one_station_has_a_value_of_its_own(sky):
    views = gc.network_views(sky, "Irkutsk,Urumqi,both=Irkutsk+Urumqi")
    table = gc.network_table(views, clock_known=True).query("orbit == 'all'").set_index(["network", "system"])
    worth = gc.station_worth(views, clock_known=True).query("quantity == 'sigma_3d_m'")
    assert worth.attrs["satellite_clock"] == "known"
    for row in worth.to_dict("records"):
        assert row["alone"] == table.loc[(row["player"], row["system"]), "sigma_3d_m"]
        assert row["with"] == table.loc[("both", row["system"]), "sigma_3d_m"]
    assert gc.station_worth(views).query("quantity == 'sigma_3d_m'")["alone"].isna().all()


def test_against_the_average_over_all_orders_of_joining(sky):
    """The definition itself: 24 orders of four stations."""
    names = ["Irkutsk", "Changchun", "Shanghai", "Obninsk"]
    views = gc.network_views(sky, {"four": names})
    game = NetworkValue.of(views)

    def value(chosen):
        return game.values(game.figures(np.isin(views.networks.stations.names, list(chosen))))

    added = {name: [] for name in names}
    for order in itertools.permutations(names):
        for k, name in enumerate(order):
            added[name].append(value(order[: k + 1]) - value(order[:k]))
    table = gc.station_worth(views).set_index(["system", "quantity", "player"])["shapley"]
    for name in names:
        expected = np.mean(added[name], axis=0)
        for g, system in enumerate("CR"):
            for q, quantity in enumerate(NAMES):
                assert table[system, quantity, name] == pytest.approx(expected[g, q], rel=1e-9, abs=1e-9)


def test_equal_stations_have_equal_worth_and_a_useless_one_none(sky):
    """The antenna of the useless one looks at the zenith only, where nothing passes."""
    cone = tuple((float(azimuth), 90.0) for azimuth in range(0, 360, 45))
    blind = site("Blind", 52.0, 104.0).model_copy(update={"horizon": cone})
    views = gc.network_views(sky, {"n": ["Obninsk", site("A", 40.0, 100.0), site("B", 40.0, 100.0), blind]})
    table = gc.station_worth(views).set_index(["player", "system", "quantity"])["shapley"]
    np.testing.assert_allclose(table["A"], table["B"], rtol=1e-12)
    assert (table["Blind"] == 0.0).all()
    assert (table["Obninsk"] != table["A"]).any()


def test_countries_are_players_too(sky, worth):
    table = gc.station_worth(gc.network_views(sky), players="countries")
    assert set(table["player"]) == {"RU", "CN"}
    depth = table.query("quantity == 'depth'").set_index(["system", "player"])["shapley"]
    alone = gc.network_table(gc.network_views(sky)).query("orbit == 'all'").set_index(["system", "network"])["depth"]
    for system in "RC":  # depth simply adds up, so each has its own
        assert depth[system, "RU"] == pytest.approx(alone[system, "russia"], rel=1e-12)
        assert depth[system, "CN"] == pytest.approx(alone[system, "china"], rel=1e-12)


def test_marginal_says_how_far_each_figure_improves(worth):
    falls = worth["quantity"].isin(["gap_max_min", "sigma_3d_m"])
    expected = (worth["with"] - worth["without"]).where(~falls, worth["without"] - worth["with"])
    np.testing.assert_array_equal(worth["marginal"], expected)
    assert (worth["marginal"].dropna() >= -1e-9).all()  # one more station never makes a network worse
    assert worth.query("quantity == 'sigma_3d_m'")["alone"].isna().all()  # one station determines no orbit


def test_sampled_values_agree_within_their_standard_error(sky, worth, monkeypatch):
    monkeypatch.setattr(worth_module, "MAX_EXACT_PLAYERS", 3)
    sampled = gc.station_worth(gc.network_views(sky), samples=300, seed=3)
    assert not sampled.attrs["exact"]
    error = sampled["standard_error"].to_numpy()
    away = np.abs(sampled["shapley"] - worth["shapley"]).to_numpy()
    assert (away <= 5.0 * error + 1e-9).all()  # 5 sigma for 72 figures
    assert error.max() > 0.0
    for _, rows in sampled.groupby(["system", "quantity"]):
        assert rows["shapley"].sum() == pytest.approx(rows["total"].iloc[0], rel=1e-12)
    again = gc.station_worth(gc.network_views(sky), samples=300, seed=3)
    np.testing.assert_array_equal(sampled["shapley"], again["shapley"])


def test_progress_counts_to_its_end(sky):
    calls = []
    gc.station_worth(gc.network_views(sky, "russia"), progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (8, 8)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"network": "mars"}, StationError, "russia, china, joint"),
        ({"players": "planets"}, ScenarioError, "stations or countries"),
        ({"orbit": "LEO"}, ScenarioError, "MEO"),
        ({"samples": 1}, ScenarioError, "2 samples"),
        ({"window_h": 0.0}, ScenarioError, "positive"),
        ({"range_interval_s": math.nan}, ScenarioError, "positive"),
    ],
)
def test_wrong_questions(sky, settings, error, words):
    with pytest.raises(error, match=words):
        gc.station_worth(gc.network_views(sky), **settings)
