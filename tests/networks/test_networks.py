"""Networks by name, by their members and by mapping, and every selection that is none."""

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.elements.nominal import REPEAT_SIDEREAL_DAYS, repeat_hours
from gnss_coop.errors import ScenarioError, StationError
from gnss_coop.model.network import Geodetic, Station
from gnss_coop.networks.networks import DEFAULT_NETWORKS, HOME, Networks

CHINA = ("Changchun", "Shanghai", "Urumqi")
RUSSIA = ("Irkutsk", "Obninsk", "Petropavlovsk-Kamchatsky")
BOTH = tuple(sorted(CHINA + RUSSIA))


def somewhere(number, name=None):
    place = Geodetic(latitude_deg=50.0, longitude_deg=float(number), height_m=0.0)
    return Station(name=name or f"Place {number}", geodetic=place)


def members(networks):
    return {name: tuple(sorted(networks.network(name).names)) for name in networks.names}


def test_by_default_each_country_and_both():
    networks = Networks.of()
    assert networks.names == DEFAULT_NETWORKS
    assert members(networks) == {"russia": RUSSIA, "china": CHINA, "joint": BOTH}
    assert sorted(networks.stations.names) == list(BOTH)  # each once, though two networks have it
    assert networks.members.shape == (3, 6)
    assert {name: {s.country for s in networks.network(name)} for name in HOME.values()} == {
        "russia": {"RU"},
        "china": {"CN"},
    }
    assert {name: len(found) for name, found in networks.country_groups().items()} == {"RU": 3, "CN": 3}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("russia,Irkutsk", {"russia": RUSSIA, "Irkutsk": ("Irkutsk",)}),
        (" RUSSIA , иркутск ,", {"russia": RUSSIA, "Irkutsk": ("Irkutsk",)}),
        ("east=Irkutsk+Changchun", {"east": ("Changchun", "Irkutsk")}),
        ("east = Irkutsk + china,joint", {"east": ("Changchun", "Irkutsk", "Shanghai", "Urumqi"), "joint": BOTH}),
        (["russia", "east=URUM+Urumqi"], {"russia": RUSSIA, "east": ("Urumqi",)}),
        ({"all of it": "joint", "one": ["Irkutsk"]}, {"all of it": BOTH, "one": ("Irkutsk",)}),
        ({"mine": somewhere(1)}, {"mine": ("Place 1",)}),
        (gc.stations("china"), {"china": CHINA}),
        (somewhere(3), {"Place 3": ("Place 3",)}),
        (
            [gc.stations("china"), "IRKJ", somewhere(3)],
            {"china": CHINA, "Irkutsk": ("Irkutsk",), "Place 3": ("Place 3",)},
        ),
    ],
)  # fmt: skip
def test_networks_are_found(asked, expected):
    networks = Networks.of(asked)
    assert members(networks) == expected
    assert Networks.of(networks) is networks
    assert len(networks) == len(expected)


def test_a_station_file_may_be_a_member(tmp_path):
    (tmp_path / "harbin.toml").write_text(
        'name = "Harbin"\n[geodetic]\nlatitude_deg = 45.75\nlongitude_deg = 126.64\nheight_m = 150.0\n'
    )
    assert members(Networks.of(f"north=Irkutsk+{tmp_path}/harbin.toml")) == {"north": ("Harbin", "Irkutsk")}
    assert list(Networks.of(f"{tmp_path}/harbin.toml,Irkutsk").country_groups()) == ["unknown", "RU"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("atlantis", "'atlantis'"),
        ("east=Irkutsk+Atlantis", "'Atlantis'"),
        ("joint,china,JOINT", "joint is given twice"),
        ("russia=Irkutsk,russia", "russia is given twice"),
        ("Irkutsk,IRKJ", "Irkutsk is given twice"),
        ("", "No network is given"),
        (" , ", "No network is given"),
        ([], "No network is given"),
        ({}, "No network is given"),
        ({"mine": []}, "empty"),
        ("east=", "'east='"),
        ("=Irkutsk", "'=Irkutsk'"),
        ("east=Irkutsk+", "''"),
        ({"a": somewhere(1, "Twin"), "b": somewhere(2, "Twin")}, "Two different stations are called Twin"),
        ({"many": [somewhere(i) for i in range(65)]}, "65 stations; at most 64"),
    ],
)
def test_what_is_no_network_is_refused(asked, words):
    with pytest.raises(StationError, match=words) as raised:
        Networks.of(asked)
    assert "\n" not in str(raised.value)


def test_64_stations_are_not_too_many():
    networks = Networks.of({"many": [somewhere(i) for i in range(64)], "last": somewhere(63)})
    sky = gc.nominal_constellation("R", gc.epochs("2024-01-10", hours=6, step_s=900))
    views = gc.network_views(sky, networks)
    np.testing.assert_array_equal(views.seen_by >> np.uint64(63) == 1, views.visible[63])
    assert views.coverage(networks.members[0])[:, 1].sum() == views.visible.sum()


@pytest.mark.parametrize("letter", REPEAT_SIDEREAL_DAYS)
def test_after_the_repeat_every_satellite_stands_where_it_stood(letter):
    start = np.datetime64("2024-01-10T05:00:00", "ns")
    after = start + np.timedelta64(round(repeat_hours(letter) * 3.6e12), "ns")
    first, second = gc.nominal_constellation(letter, [start, after]).positions.values
    angle_deg = np.degrees(np.linalg.norm(second - first, axis=1) / np.linalg.norm(first, axis=1))
    # The nodes go back by 0.04 deg a day, and the satellite with them; 1 deg of the orbit over 10 days.
    assert angle_deg.max() < 1.0
    for share in (1 / 4, 1 / 2, 3 / 4):  # and on no quarter of it
        if REPEAT_SIDEREAL_DAYS[letter] > 1:
            early = start + np.timedelta64(round(share * repeat_hours(letter) * 3.6e12), "ns")
            meo = gc.nominal_constellation(letter, [start, early]).sel(sv=f"{letter}24").positions.values
            assert np.linalg.norm(meo[1] - meo[0]) > 0.05 * np.linalg.norm(meo[0])


@pytest.mark.parametrize(("systems", "longest"), [("R", "R"), ("C", "C"), ("R,C", "R"), ("G+C", "C"), ("E, R", "E")])
def test_the_slowest_system_sets_the_repeat(systems, longest):
    # 86164.09 s: the sidereal day of textbooks.
    assert repeat_hours(systems) == pytest.approx(REPEAT_SIDEREAL_DAYS[longest] * 86164.0905 / 3600, rel=1e-9)


@pytest.mark.parametrize("systems", ["J", "R,X", "", ","])
def test_a_system_without_a_repeat_is_refused(systems):
    with pytest.raises(ScenarioError, match="not known to repeat"):
        repeat_hours(systems)
