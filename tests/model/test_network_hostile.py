"""Whatever a station file holds, it is a station or a StationError that names the file."""

import random
from pathlib import Path

import pytest

from gnss_coop.errors import StationError
from gnss_coop.model.network import Station, read_station, stations

FOLDER = Path(__file__).parents[2] / "stations"
FULL = """name = "Roof"
name_ru = "Крыша"
country = "RU"
networks = ["campus"]
marker = "ROOF"
domes = "12345M001"
geodetic = { latitude_deg = 55.5, longitude_deg = 37.0, height_m = 200.0 }
epoch = 2024-01-10
antenna_height_m = 1.5
source = "Survey of 2024"
horizon = [[0, 3.0], [120, 2.0], [120, 25.0], [180, 25.0], [180, 2.0]]
"""
WORDS = [
    "nan", "-inf", "1e400", "9" * 5000, "0x" + "f" * 400, "[" * 500, "]", "{", "}", '"', "=", "\0", "\x1b", "\u202e",
    "true", "1979-05-27T07:32:00Z", "٣", "-", ".", "\n", "''", "[[a]]", "name.x = 1", "\ud7ff", "1_0",
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = " + "[" * 100_000, "cannot be read as TOML"),
        ("x = " + "{a=" * 50_000, "cannot be read as TOML"),
        ("x = " + "9" * 5000, "cannot be read as TOML"),
        ("# " + "x" * 1_000_000, "more than 1000000 bytes"),
        (FULL.replace("55.5", "nan"), "geodetic.latitude_deg"),
        (FULL.replace("200.0", "1e400"), "geodetic.height_m"),
        (FULL.replace("55.5", "0x" + "f" * 400), "geodetic.latitude_deg"),
        (FULL.replace('"Roof"', "1"), "name"),
        (FULL.replace('["campus"]', '"campus"'), "networks"),
        (FULL.replace("[0, 3.0]", "[0, nan]"), "horizon"),
    ],
)
def test_what_a_station_file_cannot_hold_is_told(tmp_path, text, words):
    path = tmp_path / "roof.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StationError, match=f"{path}: .*{words}"):
        read_station(path)


@pytest.mark.parametrize("path", ["a\0b.toml", "/dev/zero"])
def test_paths_that_are_no_files(path):
    if path.startswith("/dev") and not Path(path).exists():
        pytest.skip("needs a device without end")
    with pytest.raises(StationError):
        read_station(path)


def test_mutants_are_stations_or_told(tmp_path):
    """A seeded subset of a run of 50,000."""
    chance = random.Random("stations")
    path = tmp_path / "roof.toml"
    originals = [FULL, (FOLDER / "irkutsk.toml").read_text(encoding="utf-8")]
    n_read = 0
    for _ in range(1500):
        data = bytearray(chance.choice(originals).encode())
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data) + 1)
            kind = chance.randrange(4)
            if kind == 0:
                data[at : at + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                del data[at : at + chance.randint(1, 30)]
            elif kind == 2:
                data[at:at] = chance.choice(WORDS).encode()
            else:
                digits = [i for i, byte in enumerate(data) if 48 <= byte <= 57]
                place = chance.choice(digits) if digits else 0
                data[place : place + chance.randint(1, 6)] = chance.choice(WORDS).encode()
        path.write_bytes(data)
        station, refusal = None, str(path)
        try:
            station = stations(path)[0]
        except StationError as error:
            refusal = str(error)
        assert refusal.startswith(str(path))
        if station is None:
            continue
        assert isinstance(station, Station)
        assert -90 <= station.latitude_deg <= 90
        n_read += 1
    assert 50 < n_read < 1450
