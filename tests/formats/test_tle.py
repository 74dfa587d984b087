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

DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", ""))
RTKLIB = DATA / "registry" / "debian-rtklib-2.4.3.b34+dfsg"
REPORTS = Path(__file__).resolve().parents[1] / "data" / "public_reports"
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
    almanac = read(renumbered("25544"))
    assert almanac.satellites == ("25544",)
    assert almanac.unmatched == ("25544 (catalogue number 25544)",)
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
    with pytest.raises(RinexError, match=r"no usable two-line elements .* G01 \(its message lacks ECCENTRICITY\)"):
        read('[{"OBJECT_NAME": "G01"}]')
    with pytest.raises(RinexError, match="cannot be read as OMM"):
        read('[{"OBJECT_NAME": ')


def test_something_else_is_refused_with_what_to_give():
    with pytest.raises(RinexError, match="is not an almanac: give two-line elements"):
        read("hello\n")


@pytest.mark.skipif(not os.environ.get("GNSS_COOP_TESTDATA"), reason="GNSS_COOP_TESTDATA is not set")
def test_against_broadcast_orbits_of_glonass():
    """Sets up to 1.8 days old are within 0.05 deg of what the satellites themselves say."""
    almanac = gc.read_almanac(RTKLIB / "TLE_GNSS_20121101.txt")
    assert {"R14S", "R22M"} <= {text.split()[0] for text in almanac.unmatched}
    times = gc.epochs("2012-10-31T01:00", hours=23, step_s=900)
    sky = gc.satellite_positions(gc.read_nav(RTKLIB / "brdc3050.12g"), times)
    ahead = gc.forecast_positions(almanac, times, systems="R", exclude_sv=["R26"])  # a spare, which sends nothing
    assert ahead.sv.values.tolist() == sky.sv.values.tolist()
    a, b = ahead.positions.values, sky.positions.values
    off = np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b), axis=-1), (a * b).sum(axis=-1)))
    assert np.isfinite(off).mean() > 0.95
    assert np.nanmax(off) < 0.05


# --- Names by catalogue number -------------------------------------------------------------------------------------


def checked(line: str) -> str:
    """Return a line with its checksum."""
    body = line[:68]
    return body + str(sum(int(c) if c.isdigit() else c == "-" for c in body) % 10)


def renumbered(number: str, name: str = "") -> str:
    first, second = SET.splitlines()
    lines = [checked(line[:2] + number + line[7:]) for line in (first, second)]
    return "\n".join([name, *lines] if name else lines) + "\n"


@pytest.mark.skipif(not os.environ.get("GNSS_COOP_TESTDATA"), reason="GNSS_COOP_TESTDATA is not set")
def test_catalogue_numbers_give_the_names_that_the_file_gives():
    """The file of 2012 names its satellites G01, R01 and so on; without these lines the table must find the same."""
    text = (RTKLIB / "TLE_GNSS_20121101.txt").read_text("latin-1")
    named = {o.norad: o.sv for o in read(text).orbits if o.sv[0] in "GREJ"}
    bare = "\n".join(line for line in text.splitlines() if line[:2] in ("1 ", "2 ")) + "\n"
    found = {o.norad: o.sv for o in read(bare).orbits}
    wrong = {norad: (sv, found.get(norad)) for norad, sv in named.items() if found.get(norad) != sv}
    # The file guesses at two satellites launched that month, which sent as E19 and E20, and names one that was retired.
    assert wrong == {38857: ("E13", "E19"), 38858: ("E14", "E20"), 22108: ("G27", "22108")}
    assert sum(sv[0] == "R" for sv in named.values()) >= 24


def test_glonass_of_a_catalogue_list_is_found_by_its_number():
    almanac = read(renumbered("36111", "COSMOS 2456 (730)"))
    assert almanac.satellites == ("R01",)
    assert (almanac.unmatched, almanac.notes) == ((), ())


def test_names_that_may_have_moved_since_the_table_was_made_are_told():
    fields = {**OMM, "OBJECT_NAME": "COSMOS 2456 (730)", "NORAD_CAT_ID": 36111, "EPOCH": "2026-11-01T00:00:00Z"}
    almanac = read(json.dumps(fields))
    assert almanac.satellites == ("R01",)
    assert almanac.notes == (
        "1 satellites are named by their catalogue numbers as of 2026-06-07; names may have moved since",
    )


# --- Forms that files take -----------------------------------------------------------------------------------------

OMM = {
    "OBJECT_NAME": "BEIDOU-3 M1 (C19)", "OBJECT_ID": "2017-069A", "EPOCH": "2024-01-10T12:00:00",
    "MEAN_MOTION": 1.86231,
    "ECCENTRICITY": 0.0005, "INCLINATION": 55.5, "RA_OF_ASC_NODE": 30, "ARG_OF_PERICENTER": 45, "MEAN_ANOMALY": 120,
    "EPHEMERIS_TYPE": 0, "CLASSIFICATION_TYPE": "U", "NORAD_CAT_ID": 43001, "ELEMENT_SET_NO": 999,
    "REV_AT_EPOCH": 4200, "BSTAR": 0, "MEAN_MOTION_DOT": 0, "MEAN_MOTION_DDOT": 0,
}  # fmt: skip


@pytest.mark.parametrize(("number", "expected"), [("A0123", 100123), ("Z9999", 339999), ("T0002", 270002)])
def test_alpha5_catalogue_numbers(number, expected):
    # CCSDS and Space-Track: A is 10, Z is 33, I and O are left out.
    orbit = read(renumbered(number, "BEIDOU-3 M30 (C51)")).orbits[0]
    assert (orbit.sv, orbit.norad) == ("C51", expected)
    assert read(renumbered(number)).satellites == (str(expected),)


@pytest.mark.parametrize("epoch", [
    "2024-01-10T12:00:00", "2024-01-10T12:00:00Z", "2024-01-10T12:00:00.000000Z", "2024-010T12:00:00.",
])  # fmt: skip
def test_epochs_of_omm(epoch):
    orbit = read(json.dumps([{**OMM, "EPOCH": epoch}])).orbits[0]
    assert gc.format_time(orbit.epoch_ns) == "2024-01-10T12:00:18"  # GPST was 18 s ahead


@pytest.mark.parametrize(
    "epoch", ["2024-13-10T12:00:00", "2024-01-10", "1957-01-01T00:00:00", "٢٠٢٤-01-10T12:00:00", ""]
)
def test_epochs_that_are_none_are_told(epoch):
    with pytest.raises(RinexError, match=r"the first is BEIDOU-3 M1 \(C19\) \(its EPOCH .* (no time|1980 to 2100)"):
        read(json.dumps([{**OMM, "EPOCH": epoch}]))


def test_catalogue_numbers_of_nine_digits():
    orbit = read(json.dumps([{**OMM, "NORAD_CAT_ID": 799500123}])).orbits[0]
    assert (orbit.sv, orbit.norad) == ("C19", 799500123)
    assert np.isfinite(orbit.positions_m(np.array([orbit.epoch_ns]))).all()


def test_a_missing_checksum_is_no_fault():
    short = "".join(line[:68] + "\n" for line in SET.splitlines())
    with_sum, without = (read("G32\n" + text).orbits[0] for text in (SET, short))
    times = np.array([with_sum.epoch_ns])
    assert np.array_equal(with_sum.positions_m(times), without.positions_m(times))


@pytest.mark.parametrize(("text", "words"), [
    ("".join(line[:60] + "\n" for line in SET.splitlines()), "20959 .a line is cut short"),
    (SET.replace("233.1521", "233.15 1"), "something else than numbers"),
    (SET.replace("54.4624", "54.4\u06624"), "something else than numbers"),
    (SET.replace("12305.0745", "12305\0.745"), "something else than numbers"),
    (SET.replace("12305.0745", "12400.0745").replace("7565", "7566"), "checksum|epoch"),
])  # fmt: skip
def test_where_all_sets_are_left_out_the_reason_is_told(text, words):
    with pytest.raises(RinexError, match=words):
        read(text)


@pytest.mark.parametrize("field", ["MEAN_MOTION", "ECCENTRICITY", "INCLINATION", "MEAN_ANOMALY"])
@pytest.mark.parametrize("value", ["nan", "inf", "1_0", "0x1", "", None, "1e400", "-1e9", "٣", [1], True])
def test_fields_of_omm_that_are_no_number_are_told(field, value):
    with pytest.raises(RinexError, match=rf"the first is BEIDOU-3 M1 \(C19\) \(its (message lacks )?{field}"):
        read(json.dumps([{**OMM, field: value}]))


def test_omm_in_csv_with_any_order_of_columns_and_in_xml_with_a_namespace():
    stream = io.StringIO()
    writer = csv.DictWriter(stream, sorted(OMM), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerow(OMM)
    tags = "".join(f"<{key}>{value}</{key}>" for key, value in OMM.items())
    xml = f'<ndm xmlns="urn:ccsds:schema:ndmxml"><omm><body><segment>{tags}</segment></body></omm></ndm>'
    for text in (stream.getvalue(), xml):
        assert read(text).satellites == ("C19",)


@pytest.mark.parametrize(("name", "sv"), [
    ("tle-alpha5.txt", "C51"), ("tle-without-checksum.txt", "C19"), ("omm-epoch-without-fraction.json", "C19"),
])  # fmt: skip
def test_files_of_public_reports(name, sv):
    orbit = gc.read_almanac(REPORTS / name).orbits[0]
    assert (orbit.sv, gc.format_time(orbit.epoch_ns)) == (sv, "2024-01-10T12:00:18")
    # A circular orbit of 12.9 h, for both sets the same.
    radius_m = np.linalg.norm(orbit.positions_m(np.array([orbit.epoch_ns])))
    assert 27.86e6 < radius_m < 27.95e6
