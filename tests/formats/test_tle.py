"""Two-line elements and OMM: names, faults, and positions against broadcast orbits of the same days."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import RinexError
from gnss_coop.formats import tle

sgp4 = pytest.importorskip("sgp4.api")

DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", "/nowhere"))
RTKLIB = DATA / "registry" / "debian-rtklib-2.4.3.b34+dfsg"
SET = (
    "1 20959U 90103A   12305.07451262 -.00000021  00000-0  10000-3 0  7565\n"
    "2 20959  54.4624 233.1521 0118917 330.7963  28.5681  2.00577377160619\n"
)


def read(text):
    return gc.read_almanac(io.BytesIO(text.encode()))


@pytest.mark.parametrize(("name", "sv"), [
    ("GPS BIIR-2  (PRN 13)", "G13"), ("BEIDOU-3 M1 (C19)", "C19"), ("BEIDOU 5 (C01)", "C01"),
    ("GSAT0101 (PRN E11)", "E11"), ("QZS-2 (QZSS/PRN 194)", "J02"), ("SES-5 (EGNOS/PRN 136)", "S36"),
    ("R24", "R24"), ("C02 # Beidou G6", "C02"), ("120", "S20"), ("COSMOS 2456 (730)", None), ("R14S", None),
    ("USA 84", None), ("PRN 77", None),
])  # fmt: skip
def test_names(name, sv):
    assert tle.rinex_name(name) == sv


@pytest.mark.parametrize("head", ["GPS BIIA-10 (PRN 32)\n", "0 GPS BIIA-10 (PRN 32)\r\n", "# comment\n\nG32\n"])
def test_a_set_with_a_name_line(head):
    almanac = read(head + SET)
    assert almanac.satellites == ("G32",)
    assert almanac.unmatched == ()
    orbit = almanac.orbits[0]
    # Day 305.07451262 of 2012, UTC; GPST was 16 s ahead.
    assert gc.format_time(orbit.epoch_ns).startswith("2012-10-31T01:47:33.89")
    assert str(orbit.orbit_class) == "MEO"
    assert orbit.source == "TLE"


def test_a_set_without_a_name_keeps_its_catalogue_number_and_is_listed():
    almanac = read(SET)
    assert almanac.satellites == ("20959",)
    assert almanac.unmatched == ("20959 (catalogue number 20959)",)
    assert almanac.systems == ()
    assert len(almanac.select()) == 0


@pytest.mark.parametrize(("old", "new", "words"), [
    ("233.1521", "233.1522", "checksum"), ("2 20959", "2 20958", "different satellites"),
])  # fmt: skip
def test_damaged_sets_are_listed(old, new, words):
    almanac = read("G31\n" + SET + "G32\n" + SET.replace(old, new))
    assert almanac.satellites == ("G31",)
    assert words in almanac.unmatched[0]
    assert almanac.unmatched[0].startswith("G32")


def test_omm_in_three_forms_is_the_same_orbit():
    fields = {
        "OBJECT_NAME": "GPS BIIA-10 (PRN 32)", "OBJECT_ID": "1990-103A", "EPOCH": "2012-10-31T01:47:17.890368",
        "MEAN_MOTION": 2.00577377, "ECCENTRICITY": 0.0118917, "INCLINATION": 54.4624, "RA_OF_ASC_NODE": 233.1521,
        "ARG_OF_PERICENTER": 330.7963, "MEAN_ANOMALY": 28.5681, "EPHEMERIS_TYPE": 0, "CLASSIFICATION_TYPE": "U",
        "NORAD_CAT_ID": 20959, "ELEMENT_SET_NO": 756, "REV_AT_EPOCH": 16061, "BSTAR": 0.0001,
        "MEAN_MOTION_DOT": -2.1e-7, "MEAN_MOTION_DDOT": 0,
    }  # fmt: skip
    stream = io.StringIO()
    writer = csv.DictWriter(stream, fields)
    writer.writeheader()
    writer.writerow(fields)
    tags = "".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
    data = f"<metadata/><data><meanElements>{tags}</meanElements></data>"
    xml = f"<ndm><omm><body><segment>{data}</segment></body></omm></ndm>"
    times = gc.epochs("2012-11-01", hours=12, step_s=3600)
    expected = gc.forecast_positions(read("G32\n" + SET), times).positions.values
    for text in (json.dumps([fields]), stream.getvalue(), xml):
        almanac = read(text)
        assert almanac.satellites == ("G32",)
        assert almanac.orbits[0].source == "OMM"
        found = gc.forecast_positions(almanac, times).positions.values
        np.testing.assert_allclose(found, expected, atol=1.0)  # the TLE's day is rounded to 1 ms


def test_omm_that_lacks_a_field_is_listed():
    with pytest.raises(RinexError, match="holds no two-line elements"):
        read('[{"OBJECT_NAME": "G01"}]')
    with pytest.raises(RinexError, match="cannot be read as OMM"):
        read('[{"OBJECT_NAME": ')


def test_something_else_is_refused_with_what_to_give():
    with pytest.raises(RinexError, match="is no almanac: give two-line elements"):
        read("hello\n")


@pytest.mark.skipif(not DATA.is_dir(), reason="GNSS_COOP_TESTDATA is not set")
def test_against_broadcast_orbits_of_glonass():
    """Sets up to 1.8 days old are within 0.05 deg of what the satellites themselves say."""
    almanac = gc.read_almanac(RTKLIB / "TLE_GNSS_20121101.txt")
    assert {"R14S", "R22M"} <= {text.split()[0] for text in almanac.unmatched}
    times = gc.epochs("2012-10-31T01:00", hours=23, step_s=900)
    sky = gc.satellite_positions(gc.read_nav(RTKLIB / "brdc3050.12g"), times)
    ahead = gc.forecast_positions(almanac, times, systems="R")
    assert ahead.sv.values.tolist() == sky.sv.values.tolist()
    a, b = ahead.positions.values, sky.positions.values
    off = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1)))
    assert np.isfinite(off).mean() > 0.95
    assert np.nanmax(off) < 0.05
