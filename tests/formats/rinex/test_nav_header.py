"""read_header: headers as real programs write them, and one clear sentence for everything else."""

import contextlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import GnssCoopWarning, RinexError
from gnss_coop.formats.decompress import read_bytes
from gnss_coop.formats.rinex.nav_header import read_header

VERSION = "RINEX VERSION / TYPE"


def header_of(first: str, *lines: tuple[str, str], end: str = "\n", body: str = "") -> bytes:
    """Build a file from the text and label of its header lines."""
    labelled = [(first, VERSION), *lines, ("", "END OF HEADER")]
    return end.join([*(f"{text:<60}{label:<20}" for text, label in labelled), body]).encode("latin-1")


# First lines as found in real files, with what they mean by the RINEX 2.11/2.12/3/4 documents.
FIRST_LINES = [
    ("     3.04           N: GNSS NAV DATA    M: MIXED NAV DATA", 3.04, "N", "M"),
    ("     3.05           NAVIGATION DATA     MIXED", 3.05, "N", "M"),
    ("     3.03           NAVIGATION DATA     M (Mixed)", 3.03, "N", "M"),
    ("     4.00           NAVIGATION DATA     M", 4.00, "N", "M"),
    ("     3.04           N: GNSS NAV DATA    C: BEIDOU", 3.04, "N", "C"),
    ("     3.03           N: GNSS NAV DATA    E", 3.03, "N", "E"),
    ("     3.04           N                   S", 3.04, "N", "S"),
    ("     3.03           N", 3.03, "N", ""),
    ("     3.00           N: NAV DATA GPS", 3.00, "N", ""),
    ("3.02                N: GNSS NAV DATA    G: GPS", 3.02, "N", "G"),
    ("      3.03          N: GNSS NAV DATA    R: GLONASS", 3.03, "N", "R"),
    ("     2              NAVIGATION DATA", 2.00, "N", "G"),
    ("     2.10           Navigation", 2.10, "N", "G"),
    ("     2.11           NAVIGATION DATA     GPS(GPS)", 2.11, "N", "G"),
    ("     2.12           N                   J", 2.12, "N", "J"),
    ("     2.01           GLONASS NAV DATA", 2.01, "G", "R"),
    ("     2.11           G: GLONASS NAV DATA", 2.11, "G", "R"),
    ("     2.11           H: GEO NAV MSG DATA", 2.11, "H", "S"),
    ("     2.12           E: Galileo NAV DATA", 2.12, "E", "E"),
    ("     2.12           L: GALILEO NAV DATA", 2.12, "L", "E"),
]


@pytest.mark.parametrize(("first", "version", "file_type", "system"), FIRST_LINES)
def test_version_type_and_system_of_real_first_lines(first: str, version: float, file_type: str, system: str):
    header = read_header(header_of(first), "a.rnx")
    assert (header.version, header.file_type, header.system) == (version, file_type, system)


def test_optional_lines_of_version_3():
    header = read_header(
        header_of(
            "     3.04           N: GNSS NAV DATA    M: MIXED",
            ("MergeMNfile.tcl     Bj\xf6rn               20220303 103506 GMT", "PGM / RUN BY / DATE"),
            ("a remark", "COMMENT"),
            ("GAL    4.9250E+01  2.0703E-01  4.0283E-03", "IONOSPHERIC CORR"),
            ("BDSA   .13970D-07  0.0000d+00 -3.5763E-07  7.1526E-07  A 07", "IONOSPHERIC CORR"),
            ("BDSA   1.0000E+00  1.0000E+00  1.0000E+00  1.0000E+00  B 08", "IONOSPHERIC CORR"),
            ("GPUT -3.7252902985E-09-7.105427358E-15 589824 2056   G10  2", "TIME SYSTEM CORR"),
            ("GLUT  0.139698386192D-08 0.000000000000D+00 589824 2222", "TIME SYSTEM CORR"),
            ("    18    18  1929     7", "LEAP SECONDS"),
        ),
        "a.rnx",
    )
    assert (header.program, header.run_by, header.date) == (
        "MergeMNfile.tcl",
        "Bj\xf6rn",
        "20220303 103506 GMT",
    )
    assert header.comments == ("a remark",)
    assert header.leap_seconds == 18
    assert header.ionosphere["GAL"] == pytest.approx((49.25, 0.20703, 0.0040283, float("nan")), nan_ok=True)
    assert header.ionosphere["BDSA"] == (1.397e-08, 0.0, -3.5763e-07, 7.1526e-07)
    assert header.time_corrections["GPUT"] == (-3.7252902985e-09, -7.105427358e-15, 589824.0, 2056.0)
    assert header.time_corrections["GLUT"] == (1.39698386192e-09, 0.0, 589824.0, 2222.0)


def test_optional_lines_of_version_2():
    header = read_header(
        header_of(
            "     2.11           N: GPS NAV DATA",
            ("    0.4657D-08  0.1490D-07 -0.5960D-07 -0.1192D-06", "ION ALPHA"),
            ("    0.8192D+05  0.9830D+05 -0.6554D+05 -0.5243D+06", "ION BETA"),
            ("   -0.186264514923D-08-0.888178419700D-15    61440     2006 ", "DELTA-UTC: A0,A1,T,W"),
            ("  2018     7    29    9.313225746155D-10", "CORR TO SYSTEM TIME"),
        ),
        "a.18n",
    )
    assert header.ionosphere == {
        "ION ALPHA": (0.4657e-08, 0.1490e-07, -0.5960e-07, -0.1192e-06),
        "ION BETA": (0.8192e05, 0.9830e05, -0.6554e05, -0.5243e06),
    }
    assert header.time_corrections == {
        "DELTA-UTC": (-0.1862645149230e-08, -0.8881784197e-15, 61440.0, 2006.0),
        "CORR TO SYSTEM TIME": (2018.0, 7.0, 29.0, 9.313225746155e-10),
    }


def test_damage_to_optional_lines_is_survived():
    header = read_header(
        header_of(
            "     3.05           N: GNSS NAV DATA    C: BEIDOU",
            ("BDSA   XXXXXXXXXX  0.0000E+00 -3.5763E-07  7.1526E-07", "IONOSPHERIC CORR"),
            ("", "TIME SYSTEM CORR"),
            ("   ??", "LEAP SECONDS"),
            ("", "UNKNOWN"),
            ("", ""),
        ),
        "a.rnx",
    )
    assert header.leap_seconds is None
    assert header.ionosphere["BDSA"] == pytest.approx((float("nan"), 0.0, -3.5763e-07, 7.1526e-07), nan_ok=True)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_body_is_found(end: str):
    data = header_of("     3.04           N                   C", ("x", "COMMENT"), end=end, body="C01 2020")
    header = read_header(data, "a.rnx")
    assert data[header.body_offset :] == b"C01 2020"
    assert header.body_line == 4


def test_a_header_alone_and_labels_without_trailing_blanks():
    data = header_of("     3.04           N                   C").rstrip()
    assert data.endswith(b"END OF HEADER")
    header = read_header(data, "a.rnx")
    assert (header.body_offset, header.body_line) == (len(data), 3)


def test_a_byte_order_mark_is_passed_over():
    assert read_header(b"\xef\xbb\xbf" + header_of("     3.04           N"), "a.rnx").version == 3.04


def test_blank_lines_and_comments_before_the_first_label_are_passed_over_and_told():
    remark = f"{'made by hand':<60}COMMENT\r\n".encode()
    data = b"\xef\xbb\xbf\r\n" + remark + b"\n" + header_of("     3.04           N", body="C01 2020")
    header = read_header(data, "a.rnx")
    assert (header.version, data[header.body_offset :], header.body_line) == (3.04, b"C01 2020", 6)
    assert header.repairs == ((1, "1 comments and 2 blank lines before RINEX VERSION / TYPE: passed over"),)
    with pytest.raises(RinexError, match="line 4: this is an observation file"):
        read_header(data.replace(b"3.04           N", b"3.04           O"), "a.rnx")


@pytest.mark.parametrize("version", [2.13, 2.20, 3.06, 3.90, 4.03])
def test_a_newer_minor_version_is_read_with_a_warning(version: float):
    known = {2: "2.12", 3: "3.05", 4: "4.02"}[int(version)]
    with pytest.warns(GnssCoopWarning, match=f"version {version:.2f} is newer than {known} and is read like it"):
        header = read_header(header_of(f"     {version:.2f}           N"), "a.rnx")
    assert header.version == version


REFUSED = {
    "web page": (b"<!DOCTYPE html>\n<html>", "web page"),
    "web page without a type": (b"\r\n<html lang='en'>", "web page"),
    "web page written as XML": (b"<?xml version='1.0'?>\n<!DOCTYPE html>\n<html>", "web page"),
    "XML": (b"<?xml version='1.0'?>\n<omm/>", "an XML document"),
    "XML without its first line": (b"<ndm><omm/></ndm>", "an XML document"),
    "JSON": (b'{"error": 404}', "a JSON document"),
    "IONEX": (
        b"     1.0            IONOSPHERE MAPS     GPS                 IONEX VERSION / TYPE\n",
        "an IONEX map of the ionosphere",
    ),
    "blank lines alone": (b"\n" * 50, "lacks RINEX VERSION / TYPE"),
    "text before the first label": (b"Dear all,\n" + header_of("     3.04           N"), "lacks RINEX"),
    "SP3": (b"#dP2025  1  5  0  0  0.00000000     289 d+D   IGS20 FIT AIUB\n", "SP3"),
    "binary": (bytes(range(256)), "binary"),
    "text": (b"Dear all,\n", "lacks RINEX VERSION / TYPE"),
    "compact": (
        b"3.0                 COMPACT RINEX FORMAT                    CRINEX VERS   / TYPE\n",
        "Hatanaka",
    ),
    "observations": (header_of("     3.04           OBSERVATION DATA    M"), "observation file"),
    "weather": (header_of("     2.11           METEOROLOGICAL DATA"), "meteorological"),
    "clocks": (header_of("     3.00           C"), "clock file"),
    "unknown type": (header_of("     3.04           X"), "file type 'X'"),
    "type of version 2": (header_of("     3.04           G: GLONASS NAV DATA"), "file type 'G'"),
    "version 1": (
        header_of("     1              N"),
        "version 1.00 is not supported.*2.00-2.12, 3.00-3.05, 4.00-4.02",
    ),
    "version 5": (header_of("     5.00           N"), "version 5.00 is not supported"),
    "version 9.99": (header_of("     9.99           N: GNSS NAV DATA    C: BEIDOU"), "version 9.99"),
    "version nan": (header_of("     nan            N"), "not supported"),
    "no version": (header_of("     x.xx           N"), "'x.xx' is not a number"),
    "blank version": (header_of("                    N"), "not a number"),
    "cut": (
        header_of("     3.04           N", ("x", "COMMENT"))[:165],
        "no END OF HEADER in the first 3 lines",
    ),
    "endless": (
        header_of("     3.04           N", *[("x", "COMMENT")] * 3000),
        "no END OF HEADER in the first 2000 lines",
    ),
}


@pytest.mark.parametrize(("data", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_with_a_reason(data: bytes, says: str):
    with pytest.raises(RinexError, match=says) as caught:
        read_header(data, "odd.rnx")
    assert caught.value.path == "odd.rnx"
    assert "\n" not in str(caught.value)


GOOD = header_of(
    "     3.04           N: GNSS NAV DATA    M: MIXED",
    ("BDSA   1.3970E-08  0.0000E+00 -3.5763E-07  7.1526E-07", "IONOSPHERIC CORR"),
    ("GPUT -3.7252902985E-09-7.105427358E-15 589824 2056", "TIME SYSTEM CORR"),
    ("    18    18  1929     7", "LEAP SECONDS"),
    body="C01 2020",
)


@given(
    changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=8),
    end=st.integers(0, len(GOOD)),
)
def test_damage_raises_rinex_error_at_most(changes: list[tuple[int, int]], end: int):
    damaged = bytearray(GOOD)
    for place, value in changes:
        damaged[place] = value
    with contextlib.suppress(RinexError):
        header = read_header(bytes(damaged[:end]), "a.rnx")
        assert 0 < header.body_offset <= end


DATA = os.environ.get("GNSS_COOP_TESTDATA")
needs_data = pytest.mark.skipif(not DATA, reason="GNSS_COOP_TESTDATA is not set")


@needs_data
def test_every_real_navigation_header_is_read():
    n_read = 0
    for path in Path(DATA or "").rglob("*"):
        if not path.is_file() or path.name in ("INDEX.md", "unknown-rinex-version.n"):
            continue
        try:
            name, data = read_bytes(path)
        except RinexError:  # an archive of many files
            continue
        first = data.partition(b"\n")[0]
        if VERSION.encode() not in first or first[20:21] not in b"NGHEL":
            continue
        header = read_header(data, name)
        n_read += 1
        # Whatever follows the header is a record, a marker of version 4, or nothing.
        body = data[header.body_offset :].lstrip()
        assert not body or body[:1] in b">GRECJIS0123456789", name
    assert n_read > 80


@needs_data
def test_values_read_by_eye_from_a_real_header():
    _, data = read_bytes(Path(DATA or "") / "registry/georinex-1.10.1/14601736.18n")
    header = read_header(data, "14601736.18n")
    assert header.program == "cnvtToRINEX 3.07.0"
    assert header.date == "23-Jun-18 03:20 UTC"
    assert header.leap_seconds == 18
    assert header.ionosphere["ION ALPHA"] == (0.4657e-08, 0.1490e-07, -0.5960e-07, -0.1192e-06)
    assert header.body_line == 9
    assert data[header.body_offset :].startswith(b"30 18 06 22 08 00  0.0 0.595785677433D-04")
