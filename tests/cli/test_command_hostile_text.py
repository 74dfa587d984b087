"""What files and their names hold cannot act on a terminal or in a spreadsheet."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gnss_coop as gc
from gnss_coop.errors import StationError
from gnss_coop.model.network import read_station

ROOT = Path(__file__).resolve().parents[2]
NAV = ROOT / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
# An escape that paints, one that names the window, a bell, a change of direction, an 8-bit control, a return.
EVIL = "\x1b[31m\x1b]0;owned\x07\u202e\u2066\x9b2J\rX"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def acts(text: str) -> list[str]:
    return UNSAFE.findall(text)


def run(*arguments: object, **settings: object) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "gnss_coop", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, check=False, **settings)  # type: ignore[call-overload]
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def labelled(text: str, label: str) -> str:
    return f"{text:60.60}{label}\n"


@pytest.fixture
def observations(tmp_path: Path) -> Path:
    """Observations whose marker, receiver, types and body hold what acts on terminals."""
    latin = EVIL.replace("\u202e", "").replace("\u2066", "")
    text = (
        labelled("     3.04           OBSERVATION DATA    M", "RINEX VERSION / TYPE")
        + labelled(f"SITE{latin}", "MARKER NAME")
        + labelled(f"{'1':20}{'R' + latin:20}{latin}", "REC # / TYPE / VERS")
        + labelled(f"{'1':20}{'A' + latin:20}", "ANT # / TYPE")
        + labelled(" -1837003.1909  6065631.1631  -716184.0550", "APPROX POSITION XYZ")
        + labelled("C    1 C2I", "SYS / # / OBS TYPES")
        + labelled("\x1b    1 C1C", "SYS / # / OBS TYPES")
        + labelled("R    2 C\x1b[ L1C", "SYS / # / OBS TYPES")
        + labelled("  2024     1    10     6     0    0.0000000     GPS", "TIME OF FIRST OBS")
        + labelled("", "END OF HEADER")
        + "> 2024 01 10 06 00  0.0000000  0  3\n"
        + "C01  37081525.531 6\nR01  23629347.915 6  23629347.915 6\n\x1b[2J  23629347.915 6\n"
    )
    path = tmp_path / "obs.rnx"
    path.write_bytes(text.encode("latin-1"))
    return path


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_markers_receivers_and_reasons(observations: Path, output: str):
    code, out, err = run("track-check", observations, "--nav", NAV, "--systems", "R,C", "--format", output)
    assert code == 0, err
    assert acts(out) == []
    assert acts(err) == []
    if output == "table":
        assert out.startswith("SITE")
        assert r"\u001b[31m" in out  # written out: nobody wonders why a name looks odd


def test_a_terminal_gets_the_emphasis_of_the_program_and_nothing_else(observations: Path):
    """On a terminal of its own, as a user runs it: the heads are bold, and no other escape comes through."""
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "gnss_coop",
        "track-check",
        str(observations),
        "--nav",
        str(NAV),
        "--systems",
        "R,C",
    ]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        received = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            received += part
    os.close(ours)
    assert process.returncode == 0, received
    text = received.decode().replace("\r\n", "\n")
    assert "\x1b[1m" in text
    assert acts(re.sub("\x1b\\[[01]m|\x1b\\[36m", "", text)) == []


def test_names_of_files(tmp_path: Path):
    path = tmp_path / f"a{EVIL}.rnx"
    path.write_text(f"nonsense {EVIL}\n")
    for arguments in (
        ("info", path), ("info", tmp_path / f"none{EVIL}"), ("positions", path, NAV, "--at", "2024-01-10T06:00:00"),
        ("stations", "--stations", f"{path}.toml"), ("visibility", NAV, "--stations", EVIL), (f"x{EVIL}",),
        ("info", NAV, f"--{EVIL}"), ("track-check", path, "--nav", NAV),
    ):  # fmt: skip
        code, out, err = run(*arguments)
        assert code in (2, 3), (arguments, code, err)
        assert acts(out + err) == [], arguments


def test_names_in_almanacs(tmp_path: Path):
    fields = {
        "OBJECT_NAME": f"SAT {EVIL}", "EPOCH": "2024-01-10T12:00:00", "MEAN_MOTION": 1.86231, "ECCENTRICITY": 0.0005,
        "INCLINATION": 55.5, "RA_OF_ASC_NODE": 30, "ARG_OF_PERICENTER": 45, "MEAN_ANOMALY": 120, "NORAD_CAT_ID": 99999,
    }  # fmt: skip
    good = {**fields, "OBJECT_NAME": "BEIDOU-3 M1 (C19)", "NORAD_CAT_ID": 43001}
    (tmp_path / "omm.json").write_text(json.dumps([good, fields, {**fields, "EPOCH": EVIL}]))
    code, out, err = run("positions", "--almanac", tmp_path / "omm.json", "--at", "2024-01-11T00:00:00")
    assert code == 0, err
    assert r"SAT \u001b[31m" in err
    assert acts(out + err) == []


FORMULA, CONTROL, WORDS = "must not begin with", "must not hold control characters", "must be words without commas"


@pytest.mark.parametrize(
    ("name", "in_text", "in_word"),
    [
        *((name, FORMULA, FORMULA) for name in ("=1+1", "+SUM(A1)", "-2", "@cmd", " =HYPERLINK()")),
        *((name, CONTROL, WORDS) for name in ("A\tB", "A\rB", "A\nB", f"A{EVIL}")),
        *((name, CONTROL, CONTROL) for name in ("A\u202eB", "A\x1b[1mB", "A\x7f", "A\u200b")),
    ],
)
def test_station_files_with_names_that_act(tmp_path: Path, name: str, in_text: str, in_word: str):
    place = "geodetic = { latitude_deg = 55, longitude_deg = 37, height_m = 200 }"
    for field in ("name", "name_ru", "name_zh", "frame", "source", "networks"):
        fields = {"name": "Here", field: [name] if field == "networks" else name}
        lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
        (tmp_path / "here.toml").write_text("\n".join([*lines, place]))
        with pytest.raises(
            StationError, match=rf"here.toml: {field}[.0]*: ({in_word if field == 'networks' else in_text})"
        ):
            read_station(tmp_path / "here.toml")


def test_a_marker_that_acts_becomes_a_name_without_it(observations: Path):
    text = observations.read_bytes().replace(b"SITE\x1b[31m", b"=SITE\x1b[31")
    observations.write_bytes(text)
    seen = gc.tracked(gc.read_obs(observations), gc.read_nav(NAV), systems="C")
    assert seen.station.name.startswith("SITE[31")
    assert acts(seen.station.name) == []
