"""Observation files damaged in the ways that files are damaged: no crash, no loss that is not told, and little of it.

The tests run a seeded subset. A long run: ``python tests/formats/test_rinex_obs_mutants.py 100000 [seed]``; with
NUMBA_BOUNDSCHECK=1 and an empty NUMBA_CACHE_DIR it checks every index of the kernel too.
"""

import gzip
import io
import random
import sys
from collections import Counter
from pathlib import Path

import hatanaka
import pytest

import gnss_coop as gc
from gnss_coop.errors import RinexError

SAMPLE = Path(__file__).resolve().parents[3] / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"
TEXT = hatanaka.crx2rnx(gzip.decompress(SAMPLE.read_bytes())).decode()
VERSION_3 = TEXT[: TEXT.index("> 2024 01 10 01 30")]
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
VERSION_2 = HEAD_2 + "".join(f" 24  1 10  0 {m:2d}  0.0000000  0 14{NAMES_2}{ROW_2 * 14}" for m in range(4))
FILES = {"2": VERSION_2, "3": VERSION_3, "4": VERSION_3.replace("     3.04", "     4.01", 1)}

Seen = set[tuple[int, str]]


def seen(obs: gc.Observations) -> Seen:
    rows = zip(obs.row_epoch.tolist(), obs.row_sv.tolist(), (obs.signals != 0).tolist(), strict=True)
    return {(int(obs.time_ns[e]), obs.satellites[s]) for e, s, tracked in rows if tracked}


def stars(line: str, chance: random.Random) -> list[str]:
    column = 3 + 16 * chance.randrange(max((len(line) - 3) // 16, 1))
    return [line[:column] + "*" * 14 + line[column + 14 :]]


def shifted(line: str, chance: random.Random) -> list[str]:
    """Return a value that overflows its field, as C writes it."""
    column = 3 + 16 * chance.randrange(max((len(line) - 3) // 16, 1))
    return [line[:column] + "-1234567890123.456" + line[column + 14 :]]


def recounted(line: str, chance: random.Random, version_2: bool) -> list[str]:
    at = 29 if version_2 else 32
    count = max(int(line[at : at + 3]) + chance.choice((-2, -1, 1, 2, 30)), 0)
    return [f"{line[:at]}{count:3d}{line[at + 3 :]}"]


def mutant(version: str, chance: random.Random) -> tuple[str, bytes]:
    """Return what was done, and the file."""
    head, end, body = FILES[version].partition("END OF HEADER\n")
    lines = body.split("\n")[:-1]
    version_2 = version == "2"
    epochs = [i for i, line in enumerate(lines) if line.startswith(" 24 " if version_2 else ">")]
    rows = [i for i in range(len(lines)) if i not in epochs]
    kind = chance.choice(("stars", "shifted", "gone", "doubled", "junk", "letter", "count", "bytes", "cut"))
    at = chance.choice(epochs if kind == "count" else rows)
    line = lines[at]
    if kind == "stars":
        lines[at : at + 1] = stars(line, chance)
    elif kind == "shifted":
        lines[at : at + 1] = shifted(line, chance)
    elif kind == "gone":
        del lines[chance.randrange(len(lines))]
    elif kind == "doubled":
        lines[at:at] = [line]
    elif kind == "junk":
        lines[at:at] = [chance.choice(("### restarted", "\x00" * 30, "$GPGGA,120000.00,0629.4,S", "Q", "é" * 40))]
    elif kind == "letter":
        lines[at] = chance.choice("QXq#") + line[1:]
    elif kind == "count":
        lines[at : at + 1] = recounted(line, chance, version_2)
    data = (head + end + "\n".join(lines) + "\n").encode("latin-1")
    if kind == "cut":
        data = data[: len(head) + 14 + chance.randrange(len(body))]
    if kind == "bytes":
        changed = bytearray(data)
        for _ in range(chance.randint(1, 40)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        data = bytes(changed)
    return kind, data


#: Satellite-epochs that one such fault may cost at most in version 3; "gone" may be the line of an epoch.
MOST_LOST = {"stars": 1, "shifted": 1, "doubled": 1, "junk": 1, "letter": 1, "count": 2, "gone": 70}


def check(version: str, chance: random.Random, whole: Seen, tally: Counter[str]) -> None:
    kind, data = mutant(version, chance)
    tally["mutants"] += 1
    obs, refusal = None, ""
    try:
        obs = gc.read_obs(io.BytesIO(data), accept_truncated=chance.random() < 0.5)
    except RinexError as error:
        refusal = str(error)
    if obs is None:
        tally[f"{kind} refused"] += 1
        # A fault near the end may look like a file that is cut.
        assert kind in ("bytes", "cut") or "ends in the middle of an epoch" in refusal, (kind, refusal)
        return
    assert obs.tracked.shape == (len(obs), len(obs.satellites))
    if kind == "bytes":
        return
    lost = whole - seen(obs)
    tally["lost"] += len(lost)
    assert not lost or obs.damage or kind == "cut", (kind, len(lost))
    if version != "2" and kind in MOST_LOST:
        assert len(lost) <= MOST_LOST[kind], (kind, len(lost))
    if version == "2" and kind in MOST_LOST:
        assert len(lost) <= 28, (kind, len(lost))  # its lines do not name their satellites: an epoch, or two


def run(version: str, n: int, seed: int) -> Counter[str]:
    whole = seen(gc.read_obs(io.BytesIO(FILES[version].encode())))
    tally: Counter[str] = Counter()
    for i in range(n):
        # Each mutant has its own seed, so that one that fails can be made again.
        check(version, random.Random(f"{version} {seed} {i}"), whole, tally)
    return tally


@pytest.mark.filterwarnings("ignore::gnss_coop.errors.GnssCoopWarning")  # of versions that a mutant makes newer
@pytest.mark.parametrize("version", FILES)
def test_a_seeded_subset_of_the_mutants(version):
    tally = run(version, 400, seed=1)
    assert tally["mutants"] == 400
    assert tally["lost"] > 0


if __name__ == "__main__":
    count, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    for name in FILES:
        print(name, dict(run(name, count // len(FILES), first)))
