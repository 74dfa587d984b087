"""Land and sea: places that any atlas has, and shares of the Earth."""

import numpy as np
import pytest

from gnss_coop.model.coasts import on_land
from gnss_coop.model.network import stations

LAND = {
    "Irkutsk": (52.29, 104.30), "Moscow": (55.75, 37.62), "Urumqi": (43.83, 87.60), "Quito": (-0.18, -78.47),
    "Alice Springs": (-23.70, 133.88), "Greenland": (72.0, -40.0), "South Pole": (-90.0, 0.0),
    "Vostok": (-78.46, 106.84),
    "Chukotka": (66.0, 175.0), "Chukotka, east of 180": (66.5, -179.0), "Chukotka, on 180": (68.0, 180.0),
    "Wrangel": (71.2, -179.5), "Viti Levu": (-17.8, 178.0), "Honshu": (36.2, 138.0), "Tasmania": (-42.0, 146.5),
    "Antarctica, on 180": (-85.0, -180.0), "Iceland": (64.9, -18.5), "Kamchatka": (56.0, 160.0),
}  # fmt: skip
SEA = {
    "North Pole": (90.0, 0.0), "Null Island": (0.0, 0.0), "Pacific, on 180": (0.0, 180.0), "Tasman Sea": (-38.0, 162.0),
    "Caspian Sea": (42.0, 50.5), "Black Sea": (43.0, 34.0), "Hudson Bay": (60.0, -85.0), "Baltic": (58.0, 20.0),
    "Bering Sea": (58.0, -178.0), "Drake Passage": (-60.0, -63.0), "Bay of Bengal": (13.0, 88.0),
    "Ross Sea": (-74.0, 180.0),
}  # fmt: skip


@pytest.mark.parametrize("turn", [0.0, 360.0, -360.0])
def test_places_of_an_atlas(turn):
    for places, expected in ((LAND, True), (SEA, False)):
        found = {name: bool(on_land(latitude, longitude + turn)) for name, (latitude, longitude) in places.items()}
        assert found == dict.fromkeys(places, expected)


def test_the_land_is_29_percent_of_the_earth():
    """148.9 of 510.1 million km2; lakes count as land, and coasts are those of 1:50 million."""
    latitude, longitude = np.arange(-89.5, 90), np.arange(-179.5, 180)
    land = on_land(latitude[:, None], longitude)
    weight = np.cos(np.radians(latitude))
    assert (land.mean(axis=1) * weight).sum() / weight.sum() == pytest.approx(0.292, abs=0.005)
    # Antarctica below 80 deg: land and shelves all round the pole, but for the Ross Sea's and the Weddell Sea's rims.
    assert land[latitude < -86].all()
    assert not land[latitude > 84].any()


def test_the_stations_stand_on_land():
    network = stations("joint")
    assert on_land(network.latitude_deg, network.longitude_deg).all()
