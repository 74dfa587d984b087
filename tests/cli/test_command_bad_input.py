"""Wrong files and wrong questions: one clear sentence, exit code 2, never a traceback; and what is only unusual."""

import contextlib
import gzip
import io
import re
import zipfile

import ncompress
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gnss_coop.cli import main

AT = ("--at", "2022-10-05T00:20:00")

OBS = (
    "\n".join(
        f"{text:<60}{label}"
        for text, label in (
            ("     3.04           OBSERVATION DATA    M: MIXED", "RINEX VERSION / TYPE"),
            ("R    1 C1C", "SYS / # / OBS TYPES"),
            ("  2022    10     5     0     0    0.0000000     GPS", "TIME OF FIRST OBS"),
            ("", "END OF HEADER"),
        )
    )
    + "\n> 2022 10 05 00 00  0.0000000  0  1\nR01  20000000.000\n"
)


def content(name, good):
    """Return the bytes of a bad file, made from a good one."""
    if name == "two_members.zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("first.rnx", good)
            archive.writestr("second.rnx", good)
        return packed.getvalue()
    body = good.index(b"END OF HEADER")
    return {
        "empty.rnx": b"",
        "prose.rnx": b"Dear user, the file that you asked for has moved.\n" * 5,
        "page.rnx": b"<!DOCTYPE html><html><body>Log in</body></html>",
        "binary.rnx": bytes(range(256)) * 20,
        "observations.rnx": OBS.encode(),
        "old.rnx": good.replace(b"     4.00", b"     1.00", 1),
        "future.rnx": good.replace(b"     4.00", b"     5.00", 1),
        "headless.rnx": good[:body],
        "cut.rnx": good[:-90],
        "cut.rnx.gz": gzip.compress(good)[:-40],
        "cut.rnx.Z": ncompress.compress(good)[:-60],
        "damaged.rnx.gz": gzip.compress(good)[:100] + b"\xff" * 50 + gzip.compress(good)[150:],
        "bomb.rnx.gz": gzip.compress(bytes(32 * 1024**2)),
    }[name]


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("empty.rnx", "is empty"),
        ("prose.rnx", "not a RINEX file"),
        ("page.rnx", "web page"),
        ("binary.rnx", "not a RINEX file"),
        ("observations.rnx", "observation file"),
        ("old.rnx", "version"),
        ("future.rnx", "version"),
        ("headless.rnx", "END OF HEADER"),
        ("cut.rnx", "truncated"),
        ("cut.rnx.gz", "truncated"),
        ("cut.rnx.Z", "truncated"),
        ("damaged.rnx.gz", "damaged"),
        ("bomb.rnx.gz", "bomb does; if you trust the file, unpack it first"),
        ("two_members.zip", "holds 2 files"),
    ],
)
@pytest.mark.parametrize("command", ["info", "dop"])
def test_a_bad_file_is_refused_with_a_sentence_that_names_it(run, glonass, tmp_path, command, name, word):
    (tmp_path / name).write_bytes(content(name, glonass.read_bytes()))
    run(command, name).refused(name, word)


def test_a_path_that_is_no_file(run, tmp_path):
    run("compare", "nowhere.rnx").refused("nowhere.rnx", "no such file")
    run("compare", tmp_path).refused("folder")
    run("compare", "x" * 300).refused("xxx")


def test_what_is_there_of_a_cut_file_can_be_taken(run, glonass, tmp_path):
    (tmp_path / "cut.rnx").write_bytes(glonass.read_bytes()[:-200])  # of the last record two lines are left
    run("dop", "cut.rnx").refused("--accept-truncated")
    result = run("info", "cut.rnx", "--accept-truncated", "--format", "csv")
    assert result.code == 0
    assert result.table["n_records"].sum() == 1


def test_the_span_of_the_file_is_told_where_nothing_is_in_reach(run, glonass):
    covered = "cover 2022-10-05T00:15:18 to 2022-10-05T00:45:18"
    for span in (("--at", "2024-01-10"), ("--start", "2021-01-01", "--hours", 3)):
        run("dop", glonass, *span).refused("no valid ephemeris", covered)
    run("dop", glonass, "--start", "2024-01-10").refused(covered)
    run("visibility", glonass, "--systems", "C", *AT).refused("BeiDou")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--stations", "Atlantis"), ("no station or network 'Atlantis'", "Stations: Changchun")),
        (("--stations", "nowhere.toml"), ("nowhere.toml",)),
        (("--stations", ","), ("at least one",)),
        (("--start", "2022-10-05T02:00", "--end", "2022-10-05T01:00"), ("is not after the start",)),
        (("--start", "2022-10-05T01:00", "--end", "2022-10-05T01:00"), ("is not after the start",)),
        (("--start", "2022-10-05", "--hours", "-1"), ("--hours must be positive",)),
        (("--start", "2022-10-05", "--hours", "nan"), ("--hours must be positive",)),
        (("--step", "-300"), ("--step", "must be positive")),
        (("--step", "0"), ("--step", "must be positive")),
        (("--step", "nan"), ("--step", "must be positive")),
        (("--step", "often"), ("--step", "not a number of seconds")),
        (("--step", "1e-9"), ("epochs", "longer step")),
        (("--at", "yesterday"), ("Cannot read 'yesterday' as a time",)),
        (("--at", "2022-02-30"), ("2022-02-30",)),
        (("--at", "1961-04-12"), ("1980",)),
        (("--systems", "R,X"), ("Unknown system 'X'", "R (GLONASS)")),
        (("--systems", "R+R"), ("twice",)),
        (("--systems", "R+C,C+R"), ("are the same",)),
        (("--systems", ""), ("letters joined by '+'",)),
        (("--clocks", "atomic"), ("Unknown clock model 'atomic'",)),
        (("--clocks", "prior:-1"), ("prior:5",)),
        (("--mask", "low"), ("--mask", "numbers")),
        (("--mask", "95"), ("95 is not an angle",)),
        (("--mask", "nan"), ("nan is not an angle",)),
        (("--exclude-sv", "Sputnik"), ("'Sputnik' is not a satellite name",)),
        (("--max-age", "R:soon"), ("--max-age", "R:1800")),
        (("--max-age", "X:5"), ("unknown system 'X'",)),
        (("--max-age", "-1"), ("age limit",)),
        (("--format", "xml"), ("--format", "'xml' is not one of")),
        (("--colour", "red"), ("No such option",)),
    ],
)
def test_a_wrong_question_is_answered_with_a_sentence(run, glonass, options, words):
    when = () if {"--at", "--start"} & set(options) else ("--start", "2022-10-05T00:15:18", "--hours", "0.25")
    run("dop", glonass, *when, *options).refused(*words)


@pytest.mark.parametrize("limit", ["0", "-6", "nan"])
def test_a_limit_of_the_pdop_that_is_none(run, glonass, limit):
    run("compare", glonass, *AT, "--max-pdop", limit).refused("largest PDOP must be a positive number")


def test_no_file_at_all_and_no_such_command(run):
    run("compare").refused("Missing argument 'NAV...'")
    run("comprae").refused("No such command 'comprae'")


def test_all_faults_of_a_station_file_are_listed(run, glonass, tmp_path):
    (tmp_path / "faulty.toml").write_text('nmae = "X"\ncountry = "Russia"\nmarker = "irkj"\necef_m = [1.0, 2.0, 3.0]\n')
    result = run("dop", glonass, *AT, "--stations", "faulty.toml")
    assert (result.code, result.out) == (2, "")
    for field in ("nmae", "name", "country", "marker", "ecef_m"):
        assert re.search(rf"faulty\.toml.*\b{field}\b", result.err), field


def test_one_bad_file_of_several_gives_3_and_all_of_them_4(run, glonass, tmp_path):
    (tmp_path / "bad.rnx").write_text("nonsense")
    good = run("dop", glonass, *AT, "--format", "csv")
    some = run("dop", "bad.rnx", glonass, "missing.rnx", *AT, "--format", "csv")
    assert (some.code, some.out) == (3, good.out)
    none = run("dop", "bad.rnx", "missing.rnx", *AT)
    assert (none.code, none.out) == (4, "")
    for result in (some, none):
        assert result.err.count("gnss-coop: error: ") == 2
        assert "bad.rnx" in result.err
        assert "missing.rnx: there is no such file" in result.err
    run("dop", "bad.rnx", "bad.rnx", *AT).refused("bad.rnx")  # that is one file


def test_a_damaged_record_costs_only_itself_and_is_told(run, glonass, tmp_path):
    lines = glonass.read_text("latin-1").splitlines(keepends=True)
    row = max(i for i, line in enumerate(lines) if line.startswith("R01"))
    lines[row + 1] = lines[row + 1].replace(".", "?")  # the position; a clock that is no number costs nothing
    (tmp_path / "damaged.rnx").write_text("".join(lines))
    whole, damaged = (run("positions", file, *AT, "--format", "csv") for file in (glonass, "damaged.rnx"))
    assert (damaged.code, len(damaged.table)) == (0, 1)
    assert damaged.table["age_s"].item() == whole.table["age_s"].item()
    assert "rejected 1 of 2 records" in damaged.err
    assert f"damaged.rnx, line {row + 1}" in damaged.err
    rejects = run("info", "damaged.rnx", "--rejects", "--format", "csv").table
    assert rejects[["file", "line"]].to_numpy().tolist() == [["damaged.rnx", row + 1]]


# --- Whatever comes: 0 or a sentence ----------------------------------------------------------------------


def outcome(*arguments):
    """Run without fixtures, which hypothesis would share between examples; return code, output and words."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = main.run([str(a) for a in arguments])
    return code, out.getvalue(), err.getvalue()


FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(edits=st.lists(st.tuples(st.integers(0, 1700), st.binary(min_size=1, max_size=20)), min_size=1, max_size=4))
def test_any_damage_to_a_file_gives_an_answer_or_a_sentence(glonass, tmp_path, edits):
    data = bytearray(glonass.read_bytes())
    for place, new in edits:
        data[place : place + len(new)] = new
    (tmp_path / "fuzzed.rnx").write_bytes(data)
    for command in (("info",), ("positions", *AT)):
        code, _, words = outcome(*command, tmp_path / "fuzzed.rnx", "--format", "csv")
        assert code in (0, 2), words
        assert (code == 2) == ("error: " in words), words


OPTIONS = ("--systems", "--clocks", "--mask", "--stations", "--start", "--end", "--hours", "--at", "--step",
           "--exclude-sv", "--max-age")  # fmt: skip
WORDS = st.one_of(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12),
    st.text("0123456789.,:+-eTZRCinfa ", max_size=14),
    st.sampled_from(["R", "1e400", "-0", "1,2", "R:1e9", "2022-10-05T24:00", "2022-10-05T00:20:60Z",
                     "inf", "china,china", "9" * 40, "2022-W40-3", "~", ".", "/", "..", "R01,R01", "١٢"]),
)  # fmt: skip


@FUZZ
@given(option=st.sampled_from(OPTIONS), value=WORDS)
@example(option="--stations", value="/dev/null")
@example(option="--stations", value=".")
@example(option="--hours", value="1e-12")
@example(option="--step", value="1e300")
@example(option="--clocks", value="prior:inf")
def test_any_value_of_an_option_gives_an_answer_or_a_sentence(glonass, option, value):
    when = ("--step=600",) if option in ("--at", "--start", "--end", "--hours", "--step") else AT
    code, _, words = outcome("dop", glonass, *when, f"{option}={value}", "--format", "csv")
    assert code in (0, 2), words
    assert (code == 2) == ("error: " in words.lower()), words


@pytest.mark.parametrize("command", ["compare", "dop", "visibility", "positions", "network"])
def test_an_excluded_satellite_that_is_not_there_is_told(run, glonass, command):
    span = ("--start", "2022-10-05T00:10:00", "--hours", "0.5", "--step", "900", "--systems", "R")
    result = run(command, glonass, *span, "--exclude-sv", "R99,R98,C03", "--format", "csv")
    assert result.code == 0
    assert "the files hold no satellite C03, R98, R99 that --exclude-sv could leave out" in result.err
    assert "--exclude-sv" not in run(command, glonass, *span, "--format", "csv").err


def test_an_almanac_counts_for_what_may_be_excluded(run, glonass, root):
    result = run("positions", glonass, *AT, "--forecast", "1", "--exclude-sv", "R02", "--format", "csv")
    assert result.code == 0
    assert "the files hold no satellite R02" in result.err
