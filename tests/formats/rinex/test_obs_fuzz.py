"""Whatever is done to an observation file, read_obs returns observations or raises RinexError."""

import contextlib
import gzip
import io
from pathlib import Path

import hatanaka
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gnss_coop as gc
from gnss_coop.errors import RinexError

# A byte may make a version newer than all that are known, which is read with a warning.
pytestmark = pytest.mark.filterwarnings("ignore::gnss_coop.errors.GnssCoopWarning")
SAMPLE = Path(__file__).resolve().parents[3] / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"
COMPACT = gzip.decompress(SAMPLE.read_bytes())
TEXT = hatanaka.crx2rnx(COMPACT)
VERSION_3 = TEXT[: TEXT.index(b"> 2024 01 10 01 30")]
HEAD_2 = "".join(
    f"{text:60}{label}\n"
    for text, label in (
        ("     2.11           OBSERVATION DATA    M", "RINEX VERSION / TYPE"),
        ("     6    C1    L1    P2    L2    S1    S2", "# / TYPES OF OBSERV"),
        ("  2024     1    10     0     0    0.0000000     GPS", "TIME OF FIRST OBS"),
        ("", "END OF HEADER"),
    )
)
ROW_2 = "  23629347.915 6" * 5 + "\n" + "        42.000  \n"
NAMES_2 = "".join(f"G{n:02d}" for n in range(1, 13)) + "\n" + " " * 32 + "R01R02\n"
BODY_2 = "".join(f" 24  1 10  0 {minute:2d}  0.0000000  0 14{NAMES_2}{ROW_2 * 14}" for minute in range(4))
VERSION_2 = (HEAD_2 + BODY_2).encode()

changes = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=8)


def damaged(data: bytes, places: list[tuple[float, int]], end: float) -> bytes:
    result = bytearray(data)
    for place, value in places:
        result[int(place * len(data))] = value
    return bytes(result[: int(end * len(data)) + 1])


def _width(obs: gc.Observations) -> int:
    assert obs.values is not None
    return max(1, *map(len, obs.values.codes.values()), 1)


@settings(deadline=None, max_examples=150)
@given(data=st.sampled_from([VERSION_2, VERSION_3]), places=changes, end=st.floats(0.05, 1), lenient=st.booleans())
def test_damage_never_raises_anything_else(data, places, end, lenient):
    with contextlib.suppress(RinexError):
        obs = gc.read_obs(io.BytesIO(damaged(data, places, end)), accept_truncated=lenient, values=True)
        assert obs.tracked.shape == (len(obs), len(obs.satellites))
        assert obs.values is not None
        assert obs.values.pseudorange_m.shape == obs.values.cn0_dbhz.shape == (len(obs.row_epoch), _width(obs))


@settings(deadline=None, max_examples=30)
@given(places=changes, end=st.floats(0.05, 1), lenient=st.booleans())
def test_damage_of_compact_files_never_raises_anything_else(places, end, lenient):
    with contextlib.suppress(RinexError):
        gc.read_obs(io.BytesIO(damaged(COMPACT, places, end)), accept_truncated=lenient)


@settings(deadline=None, max_examples=60)
@given(
    data=st.sampled_from([VERSION_2, VERSION_3]),
    place=st.floats(0, 1, exclude_max=True),
    value=st.sampled_from(list(b"x# \n>0G")),
)
def test_one_wrong_byte_in_the_body_costs_two_epochs_at_most(data, place, value):
    whole = gc.read_obs(io.BytesIO(data))
    start = data.index(b"END OF HEADER") + 14
    changed = bytearray(data)
    changed[start + int(place * (len(data) - start))] = value
    with contextlib.suppress(RinexError):  # in the last epoch it may look like a cut file
        obs = gc.read_obs(io.BytesIO(bytes(changed)))
        assert len(obs) >= len(whole) - 2
        lost = set(whole.time_ns.tolist()) - set(obs.time_ns.tolist())
        assert not lost or obs.rejects or len(obs) == len(whole)


@settings(deadline=None, max_examples=100)
@given(junk=st.binary(max_size=300))
def test_any_body_is_read_or_refused(junk):
    for data in (VERSION_2, VERSION_3):
        head = data[: data.index(b"END OF HEADER") + 14]
        with contextlib.suppress(RinexError):
            gc.read_obs(io.BytesIO(head + junk + b"\n" + data[len(head) :]), accept_truncated=True)
