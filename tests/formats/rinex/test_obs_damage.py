"""Damage to observation files costs as little as it can, is counted, and is told."""

import gzip
import io
from collections import Counter
from pathlib import Path

import hatanaka
import pytest

import gnss_coop as gc
from gnss_coop.errors import GnssCoopWarning, RinexError

ROOT = Path(__file__).resolve().parents[3]
REPORTS = ROOT / "tests/data/public_reports"
SAMPLE = ROOT / "sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"


def labelled(text: str, label: str) -> str:
    return f"{text:60}{label}\n"


def v3(*body: str, time_system: str = "GPS", types: str = "G    2 C1C L1C", more: str = "", letter: str = "M") -> bytes:
    head = (
        labelled(f"     3.04           OBSERVATION DATA    {letter}", "RINEX VERSION / TYPE")
        + labelled("TEST", "MARKER NAME")
        + labelled(types, "SYS / # / OBS TYPES")
        + labelled("C    2 C2I L2I", "SYS / # / OBS TYPES")
        + labelled(f"  2024     1    10     0     0    0.0000000     {time_system}", "TIME OF FIRST OBS")
        + more
        + labelled("", "END OF HEADER")
    )
    return (head + "".join(line + "\n" for line in body)).encode()


def v2(*body: str, types: str = "     2    C1    L1", letter: str = "M") -> bytes:
    head = (
        labelled(f"     2.11           OBSERVATION DATA    {letter}", "RINEX VERSION / TYPE")
        + labelled(types, "# / TYPES OF OBSERV")
        + labelled("  2024     1    10     0     0    0.0000000     GPS", "TIME OF FIRST OBS")
        + labelled("", "END OF HEADER")
    )
    return (head + "".join(line + "\n" for line in body)).encode()


def epoch(second: int, count: int, flag: int = 0) -> str:
    return f"> 2024 01 10 00 00 {second:2d}.0000000  {flag}{count:3d}"


def epoch_2(second: int, satellites: list[str], flag: int = 0) -> list[str]:
    lists = ["".join(satellites[k : k + 12]) for k in range(0, len(satellites), 12)]
    return [
        f" 24  1 10  0  0 {second:2d}.0000000  {flag}{len(satellites):3d}{lists[0]}",
        *(" " * 32 + x for x in lists[1:]),
    ]


VALUE = "  23629347.915 6"
BLANK = " " * 16
GOOD = (epoch(0, 2), f"G01{VALUE}{VALUE}", f"C05{BLANK}{VALUE}", epoch(30, 1), f"G01{VALUE}{VALUE}")


def read(data: bytes, **settings: bool) -> gc.Observations:
    return gc.read_obs(io.BytesIO(data), **settings)


def counts(obs: gc.Observations) -> dict[str, int]:
    return dict(zip(obs.satellites, obs.tracked.sum(axis=0).tolist(), strict=True))


def plain_count(text: str) -> Counter[str]:
    """Count satellite-epochs with any pseudorange or phase, line by line and without a thought for anything else."""
    lines = iter(text.split("\n"))
    types: dict[str, list[str]] = {}
    letter = ""
    for line in lines:
        if line[60:].startswith("SYS / # / OBS TYPES"):
            letter = line[0].strip() or letter
            types.setdefault(letter, []).extend(line[7:60].split())
        if "END OF HEADER" in line:
            break
    found: Counter[str] = Counter()
    for line in lines:
        if line[:1].isalpha():
            fields = [line[3 + 16 * k : 17 + 16 * k] for k in range(len(types[line[0]]))]
            found[line[:3].replace(" ", "0")] += any(
                f.strip() and float(f) for f, code in zip(fields, types[line[0]], strict=True) if code[0] in "CL"
            )
    return found


@pytest.fixture(scope="module")
def truth() -> Counter[str]:
    """Satellite-epochs of the untouched file, 06:00 to 08:30, counted line by line."""
    text = hatanaka.crx2rnx(gzip.decompress(SAMPLE.read_bytes())).decode()
    head, _, body = text.partition("END OF HEADER")
    wanted = body[body.index("> 2024 01 10 06 00") : body.index("> 2024 01 10 09 00")]
    return plain_count(f"{head}END OF HEADER\n{wanted}")


def gone(truth: Counter[str], *names: str) -> Counter[str]:
    return truth - Counter(names)


#: What was done to the file, the satellite-epochs that this takes away, and what is said about it.
CASES = {
    "satellites-twice": ((), "read all the same in the observations: 6 x a satellite occurs twice in the epoch"),
    "system-not-in-header": ((), "148 lines of BeiDou satellites, which the header does not announce"),
    "unknown-system-in-header": (
        ("J02", "J03", "J04", "J07") * 6,
        "24 lines of satellites of 'Q', which is not a RINEX system",
    ),
    "one-line-short": (("S37",) * 2, "2 x epoch has fewer lines than it announces; those that it has are used"),
    "one-bad-field": ((), "left out in the observations: 3 x an observation is not a number"),
    "count-of-types-wrong": ((), "1 x 6 observation types are announced and 8 are listed; the list counts"),
}


@pytest.mark.parametrize(("name", "lost", "words"), [(name, *case) for name, case in CASES.items()])
def test_files_of_public_reports_lose_what_is_damaged_and_no_more(name, lost, words, truth):
    obs = gc.read_obs(REPORTS / f"{name}.rnx.gz")
    assert len(obs) == 6
    assert Counter({sv: n for sv, n in counts(obs).items() if n}) == gone(truth, *lost)
    assert sum(n for sv, n in counts(obs).items() if sv[0] == "C") == 148
    assert sum(n for sv, n in counts(obs).items() if sv[0] == "R") == 47
    assert any(words in sentence for sentence in obs.damage)


def test_a_bad_value_costs_its_signal_only():
    obs = gc.read_obs(REPORTS / "one-bad-field.rnx.gz")
    assert obs.rejected()[["line", "reason"]].values.tolist() == [
        [k, "an observation is not a number"] for k in (103, 232, 368)
    ]
    assert {r.sv for r in obs.rejects} == {"C03"}
    rows = obs.to_dataframe()
    whole = {"C2I", "C6I", "C7I", "L2I", "L6I", "L7I"}
    signals = [set(words.split()) for words in rows[rows.sv == "C03"].signals]
    assert sorted(map(len, signals)) == [5, 5, 5, 6, 6, 6]
    assert all(s <= whole for s in signals)


def test_a_system_that_the_header_does_not_announce_is_tracked_and_named_so():
    obs = gc.read_obs(REPORTS / "system-not-in-header.rnx.gz")
    assert obs.codes["C"] == ("?",)
    nav = gc.read_nav(ROOT / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    seen = gc.tracked(obs, nav, systems="C")
    assert seen.by_system()[["expected", "tracked"]].values.tolist() == [[156, 148]]
    assert not seen.never_tracked["reason"].str.contains("header").any()
    assert any(note.startswith("148 lines of BeiDou") for note in seen.notes)


def test_values_of_a_system_without_types_need_a_number():
    zero = "         0.000  "
    obs = read(v3(epoch(0, 3), f"R01{BLANK}{VALUE}", f"R02{zero}{BLANK}", "R03"))
    assert counts(obs) == {"R01": 1, "R02": 0, "R03": 0}
    assert obs.damage == ("3 lines of GLONASS satellites, which the header does not announce",)


# --- Damage in version 3 -------------------------------------------------------------------------------------------

ROW = f"{VALUE}{VALUE}"
DAMAGE_3 = {
    "nameless satellite": (
        [epoch(30, 2), f"G0x{ROW}", f"G03{ROW}"], {"G03": 1}, [(11, "the name of a satellite cannot be read")], [],
    ),
    "inserted line": (
        [epoch(30, 2), f"G02{ROW}", "receiver restarted", f"G03{ROW}"], {"G02": 1, "G03": 1},
        [(12, "the name of a satellite cannot be read")], [],
    ),
    "unknown letter": ([epoch(30, 2), f"X02{ROW}", f"G03{ROW}"], {"G03": 1}, [(0, "1 lines of satellites of 'X'")], []),
    "bad field": (
        [epoch(30, 2), f"G02{ROW.replace('9', 'q')}", f"G03{ROW}"], {"G02": 0, "G03": 1},
        [(11, "an observation is not a number")], [],
    ),
    "overflow that shifts the columns": (
        [epoch(30, 2), f"G02{VALUE}-1234567890123.456 6{VALUE}", f"G03{ROW}"], {"G02": 1, "G03": 1},
        [(11, "an observation is not a number")], [],
    ),
    "short": ([epoch(30, 3), f"G02{ROW}"], {"G02": 1}, [(10, "epoch has fewer lines than it announces")], []),
    "twice": ([epoch(30, 3), f"G02{VALUE}{BLANK}", f"G03{ROW}", f"G02{BLANK}{VALUE}"], {"G02": 1, "G03": 1}, [],
              [(10, "a satellite occurs twice in the epoch")]),
    "no count": ([epoch(30, 3)[:-3] + "***", f"G02{ROW}", f"G03{ROW}"], {"G02": 1, "G03": 1}, [],
                 [(10, "the epoch does not say how many satellites it has")]),
    "nothing left": ([epoch(30, 1), f"###{ROW}"], {},
                     [(10, "nothing is left of the epoch"), (11, "the name of a satellite cannot be read")], []),
}  # fmt: skip


def found(entries):
    return [(entry.line, entry.reason) for entry in entries]


def agree(entries, expected):
    assert [line for line, _ in found(entries)] == [line for line, _ in expected]
    assert all(reason.startswith(words) for (_, reason), (_, words) in zip(found(entries), expected, strict=True))


@pytest.mark.parametrize("name", DAMAGE_3)
def test_damage_in_version_3_costs_as_little_as_it_can(name):
    lines, kept, lost, repaired = DAMAGE_3[name]
    obs = read(v3(*GOOD[:3], *lines, epoch(45, 1), f"G01{ROW}"))
    assert counts(obs) == {"C05": 1, "G01": 2, **kept}
    agree(obs.rejects, lost)
    agree(obs.repairs, repaired)
    assert len(obs) == 2 + bool(kept)


def test_signals_of_a_satellite_that_occurs_twice_are_put_together():
    lines, *_ = DAMAGE_3["twice"]
    rows = read(v3(*GOOD[:3], *lines)).to_dataframe()
    assert rows[rows.sv == "G02"].signals.tolist() == ["C1C L1C"]


def test_header_lines_in_a_short_epoch_are_header_lines():
    change = labelled("G    1 L5Q", "SYS / # / OBS TYPES").rstrip("\n")
    obs = read(v3(epoch(0, 2), f"G01{ROW}", change, epoch(30, 1), f"G01{VALUE}"))
    assert obs.to_dataframe()["signals"].tolist() == ["C1C L1C", "L5Q"]


def test_the_last_epoch_may_be_short_where_others_are():
    """A logger that leaves lines out does so in the last epoch too; else a file that ends early is cut."""
    short = [epoch(30, 3), f"G02{ROW}"]
    last = [epoch(45, 3), f"G01{ROW}"]
    obs = read(v3(*GOOD[:3], *short, *last))
    assert counts(obs) == {"C05": 1, "G01": 2, "G02": 1}
    assert [line for line, _ in found(obs.rejects)] == [10, 12]
    with pytest.raises(RinexError, match="middle of an epoch"):
        read(v3(*GOOD[:3], *last))
    assert counts(read(v3(*GOOD[:3], *last), accept_truncated=True)) == {"C05": 1, "G01": 2}


@pytest.mark.parametrize(
    ("field", "good"),
    [
        ("  23629347.915", True), (" -23629347.915", True), ("          .915", True), ("-123456789.915", True),
        ("  23629347.9  ", True), ("  2362 347.915", False), ("  23-29347.915", False), ("  23629347.9-5", False),
        ("  23629347. 15", False), ("- 23629347.915", False), ("  2_629347.915", False), ("  23629347.9e5", False),
        ("           nan", False), ("           inf", False),
    ],
)  # fmt: skip
def test_fields_hold_numbers_or_nothing(field, good):
    assert len(field) == 14
    obs = read(v3(epoch(0, 1), f"G01{field} 6{VALUE}"))
    assert obs.to_dataframe()["signals"].tolist() == ["C1C L1C" if good else "L1C"]
    assert [entry.reason for entry in obs.rejects] == ([] if good else ["an observation is not a number"])


# --- Damage in version 2 -------------------------------------------------------------------------------------------

DAMAGE_2 = {
    "twice": ([*epoch_2(30, ["G 1", "R 2", "G 1"]), BLANK, VALUE, VALUE], {"G01": 1, "R02": 1}, [], True),
    "unknown letter": ([*epoch_2(30, ["Q 1", "R 2"]), VALUE, VALUE], {"R02": 1}, ["1 lines of sat"], False),
    "nameless satellite": ([*epoch_2(30, ["G x", "R 2"]), VALUE, BLANK], {"R02": 0}, ["the name of"], False),
    "fewer names": (
        [epoch_2(30, ["G 3", "R 2"])[0].replace("  2G 3", "  3G 3"), VALUE, VALUE], {"G03": 1, "R02": 1},
        ["the name of"], False,
    ),
    "bad field": (
        [*epoch_2(30, ["G 3", "R 2"]), VALUE + "**************", VALUE], {"G03": 1, "R02": 1},
        ["an observation is not a number"], False,
    ),
    "short": ([*epoch_2(30, ["G 3", "R 2"]), VALUE], None, ["epoch has other lines"], False),
    "long": ([*epoch_2(30, ["G 3", "R 2"]), VALUE, VALUE, VALUE], None, ["epoch has other lines"], False),
    "blank line": ([*epoch_2(30, ["G 3", "R 2"]), "", VALUE, VALUE], None, ["epoch has other lines"], False),
    "blank line behind": ([*epoch_2(30, ["G 3", "R 2"]), VALUE, VALUE, ""], {"G03": 1, "R02": 1}, [], False),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE_2)
def test_damage_in_version_2_costs_as_little_as_it_can(name):
    lines, kept, lost, repaired = DAMAGE_2[name]
    obs = read(v2(*epoch_2(0, ["G 5"]), VALUE, *lines, *epoch_2(45, ["G 5"]), VALUE))
    assert counts(obs) == {"G05": 2, **(kept or {})}
    assert len(obs) == 2 + (kept is not None)
    assert all(entry.reason.startswith(words) for entry, words in zip(obs.rejects, lost, strict=True))
    assert [entry.reason for entry in obs.repairs] == ["a satellite occurs twice in the epoch"] * repaired


def test_a_doubled_file_of_version_2_reads_as_the_single_one():
    names = [f"G{n:02d}" for n in range(1, 9)] + ["R01", "R02"]
    once = v2(*epoch_2(0, names), *[VALUE] * 10)
    twice = v2(*epoch_2(0, names + names), *[VALUE] * 20)
    assert counts(read(twice)) == counts(read(once))
    assert len(read(twice).repairs) == 1


# --- Headers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "says"),
    [
        ("G    3 C1C L1C", "3 observation types are announced and 2 are listed"),
        ("G   ** C1C L1C", "** observation types"),
    ],
)
def test_the_list_of_types_counts_whatever_number_it_announces(types, says):
    obs = read(v3(*GOOD, types=types))
    assert counts(obs) == counts(read(v3(*GOOD)))
    assert says in obs.repairs[0].reason


def test_a_list_of_an_unknown_system_takes_its_further_lines_with_it():
    more = labelled(f"Q   14 {' '.join(['C1C'] * 13)}", "SYS / # / OBS TYPES") + labelled(
        "       L1C", "SYS / # / OBS TYPES"
    )
    obs = read(v3(*GOOD, more=more))
    assert counts(obs) == counts(read(v3(*GOOD)))
    assert [entry.reason for entry in obs.rejects] == ["the observation types of 'Q', which is not a RINEX system"]


def test_a_list_that_goes_on_without_a_beginning_is_left_out():
    obs = read(v3(*GOOD, types="       C1C L1C"))
    assert counts(obs) == {"C05": 1, "G01": 2}  # of G the header announces nothing now
    assert "goes on that never began" in obs.rejects[0].reason


@pytest.mark.parametrize("body", [b">\n", b"G01\nXX\n", b"> 2024 01 10 00 00 30.0000000  0  1\nG0\n", b"\n"])
def test_memory_is_bounded_by_the_size_of_the_file(body):
    """Ten times the size of the file, whatever stands in it; and of damaged places at most 100,000 are listed."""
    import tracemalloc

    data = v3(*GOOD[:3]) + body * (4_000_000 // len(body)) + v3(*GOOD[3:]).partition(b"END OF HEADER\n")[2]
    read(v3(*GOOD))
    stream = io.BytesIO(data)
    tracemalloc.start()
    obs = gc.read_obs(stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(obs) == 2
    assert peak < 12 * len(data) + 50e6  # a list of 100,000 places takes 20 MB


def test_blank_lines_and_comments_before_the_first_label_are_passed_over_and_counted():
    obs = gc.read_obs(io.BytesIO(b"\n" + labelled("by hand", "COMMENT").encode() + v3(*GOOD)))
    assert len(obs) == len(gc.read_obs(io.BytesIO(v3(*GOOD)))) == 2
    assert [(r.line, r.reason) for r in obs.repairs] == [
        (1, "1 comments and 1 blank lines before RINEX VERSION / TYPE: passed over")
    ]


@pytest.mark.parametrize(("data", "version"), [(v3, "3.06"), (v3, "4.03"), (v2, "2.20")])
def test_a_newer_minor_version_is_read_with_a_warning(data, version):
    body = GOOD if data is v3 else (*epoch_2(0, ["G01"]), VALUE + VALUE)
    text = data(*body).replace(b"3.04" if data is v3 else b"2.11", version.encode())
    with pytest.warns(GnssCoopWarning, match=f"RINEX version {version} is newer than .* and is read like it"):
        obs = gc.read_obs(io.BytesIO(text))
    assert len(obs) == len(gc.read_obs(io.BytesIO(data(*body))))
