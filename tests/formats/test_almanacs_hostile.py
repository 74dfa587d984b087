"""Whatever an almanac file holds, it is read or refused with a clear sentence, in time that grows with its size."""

import contextlib
import io
import json
import random
import time
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import RinexError

pytest.importorskip("sgp4.api")

HOSTILE = Path(__file__).resolve().parents[1] / "data" / "hostile"
YUMA = """******** Week 238 almanac for PRN-01 ********
ID:                         01
Health:                     000
Eccentricity:               0.1231098175E-001
Time of Applicability(s):  405504.0000
Orbital Inclination(rad):   0.9896396408
Rate of Right Ascen(r/s):  -0.7977475151E-008
SQRT(A)  (m 1/2):           5153.640625
Right Ascen at Week(rad):  -0.1421709985E+001
Argument of Perigee(rad):   0.942189341
Mean Anom(rad):            -0.2453186539E+001
Af0(s):                     0.2288818359E-003
Af1(s/s):                  -0.7275957614E-011
week:                        238
"""
TLE = """GPS BIIA-10 (PRN 32)
1 20959U 90103A   12305.07451262 -.00000021  00000-0  10000-3 0  7565
2 20959  54.4624 233.1521 0118917 330.7963  28.5681  2.00577377160619
"""
FIELDS = {
    "OBJECT_NAME": "GPS BIIA-10 (PRN 32)", "OBJECT_ID": "1990-103A", "EPOCH": "2012-10-31T01:47:17.890368",
    "MEAN_MOTION": 2.00577377, "ECCENTRICITY": 0.0118917, "INCLINATION": 54.4624, "RA_OF_ASC_NODE": 233.1521,
    "ARG_OF_PERICENTER": 330.7963, "MEAN_ANOMALY": 28.5681, "NORAD_CAT_ID": 20959, "BSTAR": 0.0001,
}  # fmt: skip
OMM_JSON = json.dumps([FIELDS])
OMM_CSV = ",".join(FIELDS) + "\n" + ",".join(map(str, FIELDS.values())) + "\n"
OMM_XML = f"<ndm><segment>{''.join(f'<{k}>{v}</{k}>' for k, v in FIELDS.items())}</segment></ndm>"
FORMS = {"yuma": YUMA, "tle": TLE, "json": OMM_JSON, "csv": OMM_CSV, "xml": OMM_XML}


def read(data: bytes):
    return gc.read_almanac(io.BytesIO(data), reference="2023-11-01")


def check(data: bytes) -> bool:
    """Read, and compute where the satellites are, as a command would; False where the file is refused."""
    try:
        almanac = read(data)
    except RinexError:
        return False
    for orbit in almanac.orbits:
        with np.errstate(all="ignore"):
            xyz_m = orbit.positions_m(np.array([orbit.epoch_ns, orbit.epoch_ns + 86_400 * 10**9]))
        assert xyz_m.shape == (2, 3)
        assert gc.format_time(orbit.epoch_ns)
    return True


@pytest.mark.parametrize("path", sorted(HOSTILE.iterdir()), ids=lambda path: path.name)
def test_files_that_ended_in_internal_errors(path):
    check(path.read_bytes())


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("week:                        238", "week: 99999999999", "week: 1e[+]11 is not within 0 to 9999"),
        ("405504.0000", "1e30", "time of applicability"),
        ("405504.0000", "inf", "'inf' is not a number"),
        ("0.942189341", "0.94_2", "'0.94_2' is not a number"),
        ("0.942189341", "0x1p3", "not a number"),
        ("0.942189341", "1e999", "not a number"),
        ("5153.640625", "\u0665153.64", "not a number"),
        ("ID:                         01", "ID: 1.5", "'1.5' is not a whole number"),
        ("ID:                         01", "ID: " + "9" * 5000, "not a whole number"),
    ],
)
def test_numbers_of_yuma_that_cannot_be_are_told(field, value, words):
    text = YUMA.replace(field, value)
    assert text != YUMA
    with pytest.raises(RinexError, match=words):
        read(text.encode())


def test_json_that_is_nested_too_deep():
    for text in ("[" * 100_000, '{"a":' * 50_000, "[" * 900 + "]" * 900):
        with pytest.raises(RinexError):
            read(text.encode())


def test_xml_that_is_nested_deep_or_expands():
    deep = "<segment>" * 50_000 + "</segment>" * 50_000
    bomb = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{k} "{f"&a{k - 1 if k > 1 else str()};" * 10}">' for k in range(1, 12)
    )
    for text in (deep, bomb + "]><segment><NORAD_CAT_ID>&a11;</NORAD_CAT_ID></segment>"):
        with pytest.raises(RinexError):
            read(text.encode())


def test_a_csv_field_that_is_too_long():
    with pytest.raises(RinexError, match="cannot be read as OMM"):
        read((OMM_CSV + "x" * 140_000 + "\n").encode())


def test_a_zero_byte_in_two_line_elements():
    with pytest.raises(RinexError, match="something else than numbers"):
        read(TLE.replace("233.1521", "233\0.521").encode())


@pytest.mark.parametrize("filler", [" ", "*", "\t", ":", "* ", " :"])
@pytest.mark.parametrize("where", ["line", "entry"])
def test_time_grows_with_the_size_of_the_file(filler, where):
    """A hundredfold size may take a hundredfold time, not its square: that would be minutes."""
    junk = filler * (1_000_000 // len(filler))
    text = f"{junk}\n{YUMA}" if where == "line" else YUMA.replace("Health:", f"{junk}\nHealth:")
    start = time.perf_counter()
    with contextlib.suppress(RinexError):
        read(text.encode())
    assert time.perf_counter() - start < 2.0  # a megabyte takes some milliseconds; cubic took 5.6 s for 2,000 blanks


def test_files_that_are_too_large_are_refused():
    with pytest.raises(RinexError, match="holds more than 100000000 bytes"):
        gc.read_almanac(io.BytesIO(b"[" + b"{}," * 34_000_000))


def mutant(data: bytes, chance: random.Random) -> bytes:
    """Damage a file in the ways that files are damaged, and in some that only an enemy thinks of."""
    result = bytearray(data)
    for _ in range(chance.randint(1, 2)):
        at = chance.randrange(len(result) + 1)
        kind = chance.randrange(6)
        if kind == 0 and result:
            result[min(at, len(result) - 1)] = chance.randrange(256)
        elif kind == 1:
            del result[at : at + chance.randint(1, 60)]
        elif kind == 2:
            result[at:at] = result[chance.randrange(len(result) + 1) :][: chance.randint(1, 80)]
        elif kind == 3:
            result[at:at] = chance.choice(WORDS)
        elif kind == 4:
            digits = [i for i, byte in enumerate(result) if 48 <= byte <= 57]
            if digits:
                place = chance.choice(digits)
                result[place : place + chance.randint(1, 6)] = chance.choice(WORDS)
        else:
            result = result[:at] or result
    return bytes(result)


WORDS = [
    b"1e30", b"-1e308", b"nan", b"inf", b"1_0", b"0x10", b"\0", b"\x1b[31m", "\u0663".encode(), b"9" * 400, b"-", b" ",
    b"null", b"true", b"[[", b"{}", b"&#0;", b"\xff\xfe", b"\r", b'"', b"1 ", b"2 ", b"***", b":", b"99999999999",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_mutants_are_read_or_refused(form):
    """A seeded subset of a run of 100,000."""
    assert check(FORMS[form].encode())
    chance = random.Random(f"almanac {form}")
    n_read = sum(check(mutant(FORMS[form].encode(), chance)) for _ in range(1500))
    assert 0 < n_read < 1500
