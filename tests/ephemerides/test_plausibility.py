"""What no satellite of a system can send is refused on its own, whatever stands beside it."""

import gzip
import io
import time
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.errors import EphemerisGapError, GnssCoopWarning, RinexError

ROOT = Path(__file__).parents[2]
SAMPLE = gzip.decompress((ROOT / "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz").read_bytes()).decode()
HEADER = (
    "     3.04           N: GNSS NAV DATA    M: MIXED            RINEX VERSION / TYPE\n" + " " * 60 + "END OF HEADER\n"
)
#: Line and column of the fields that writers leave in semicircles, those of rates too.
ANGLES = [(1, 2), (1, 3), (3, 2), (4, 0), (4, 2), (4, 3), (5, 0)]


def records(systems: str, hours: range = range(4, 7)) -> list[list[str]]:
    """Records of the sample day: lists of lines, the first with the epoch."""
    found: list[list[str]] = []
    for line in SAMPLE.partition("END OF HEADER")[2].splitlines()[1:]:
        if line[0] != " ":
            found.append([])
        found[-1].append(line)
    return [r for r in found if r[0][0] in systems and r[0][4:14] == "2024 01 10" and int(r[0][15:17]) in hours]


def value(record: list[str], line: int, column: int) -> float:
    return float(record[line][4 + 19 * column : 23 + 19 * column])


def with_value(record: list[str], line: int, column: int, number: float) -> list[str]:
    at = 4 + 19 * column
    changed = f"{record[line][:at]:<{at}}{number:19.12E}{record[line][at + 19 :]}"
    return [*record[:line], changed, *record[line + 1 :]]


def moved(record: list[str], days: float) -> list[str]:
    epoch = datetime.strptime(record[0][4:23], "%Y %m %d %H %M %S") + timedelta(days=days)
    return [f"{record[0][:4]}{epoch:%Y %m %d %H %M %S}{record[0][23:]}", *record[1:]]


def in_semicircles(record: list[str]) -> list[str]:
    for line, column in ANGLES:
        record = with_value(record, line, column, value(record, line, column) / np.pi)
    return record


def file_of(these: list[list[str]], name: str = "given.rnx") -> io.BytesIO:
    stream = io.BytesIO((HEADER + "".join(f"{line}\n" for r in these for line in r)).encode())
    stream.name = name
    return stream


def read(*these: list[list[str]]) -> gc.Ephemerides:
    return gc.read_nav([file_of(t, f"given{i}.rnx") for i, t in enumerate(these)])


def satellites(these: list[list[str]]) -> set[str]:
    return {r[0][:3] for r in these}


# --- Angles in semicircles ----------------------------------------------------------------------------------


@pytest.mark.parametrize("system", "GECJI")
def test_a_file_in_semicircles_is_refused_with_that_word(system: str):
    """Geostationary satellites too, whose inclination is possible in semicircles as well."""
    nav = read([in_semicircles(r) for r in records(system)])
    assert len(nav) == 0
    assert {r.sv for r in nav.rejects} == satellites(records(system))
    assert all("semicircles" in r.reason for r in nav.rejects)
    with pytest.raises(EphemerisGapError, match="angles look like semicircles"):
        gc.satellite_positions(nav, ["2024-01-10T05:05:14"])


def test_geostationary_satellites_alone_are_known_by_their_angles():
    geo = [r for r in records("C", range(5, 6)) if value(r, 2, 3) > 6400 and value(r, 4, 0) < 0.2]
    assert len(satellites(geo)) >= 5
    assert len(read(geo)) == len(geo)
    assert len(read([in_semicircles(r) for r in geo])) == 0


def test_systems_and_files_are_judged_apart():
    good, bad = records("CGE"), [in_semicircles(r) for r in records("G")]
    alone = read(good)
    assert not alone.rejects
    one_system = read([*records("CE"), *bad])
    assert one_system.systems == ("C", "E")
    merged = read(bad, good)
    assert merged.table.names() == alone.table.names()
    assert {r.file for r in merged.rejects} == {"given0.rnx"}


def test_the_satellite_of_the_public_case_is_where_it_belongs():
    """C19 at (-19730, -18442, -6952) km when semicircles are read as radians, at (408, 27872, -1478) km in truth."""
    these = records("C", range(5, 6))
    sky = gc.satellite_positions(read(these), ["2024-01-10T05:05:14"])
    assert np.allclose(sky.positions.sel(sv="C19").values[0] / 1e3, (408, 27872, -1478), atol=1.0)
    with pytest.raises(EphemerisGapError):
        gc.satellite_positions(read([in_semicircles(r) for r in these]), ["2024-01-10T05:05:14"])


@pytest.mark.parametrize(("sv", "inclination"), [("G05", 0.3), ("E11", 1.3), ("C20", 0.3), ("C20", 0.1), ("C06", 0.4),
                                                 ("J02", 0.3), ("I02", 0.25), ("G05", -0.96)])  # fmt: skip
def test_inclinations_that_no_orbit_of_the_system_has(sv: str, inclination: float):
    these = records(sv[0])
    odd = next(i for i, r in enumerate(these) if r[0][:3] == sv)
    these[odd] = with_value(these[odd], 4, 0, inclination)
    nav = read(these)
    assert [r.sv for r in nav.rejects] == [sv]
    assert "inclination" in nav.rejects[0].reason


def test_a_glonass_state_with_another_inclination():
    these = records("R", range(5, 6))
    # The axes y and z exchanged: radius is right, plane is not.
    swapped = with_value(these[0], 2, 0, value(these[0], 3, 0))
    swapped = with_value(swapped, 3, 0, value(these[0], 2, 0))
    swapped = with_value(swapped, 2, 1, value(these[0], 3, 1))
    swapped = with_value(swapped, 3, 1, value(these[0], 2, 1))
    (reject,) = read([swapped, *these[2:]]).rejects
    assert reject.sv == these[0][0][:3]
    assert "inclination" in reject.reason or "speed" in reject.reason


# --- Dates --------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::gnss_coop.errors.LeapSecondWarning")
@pytest.mark.parametrize("days", [-7 * 1024, 7 * 1024, -7, 14, 364])
@pytest.mark.parametrize("system", "GECJI")
def test_a_date_against_the_week_field(system: str, days: int):
    these = records(system)
    nav = read([moved(r, days) for r in these])
    assert len(nav) == 0
    assert all("contradicts" in r.reason or "before the first record" in r.reason for r in nav.rejects)


@pytest.mark.filterwarnings("ignore::gnss_coop.errors.LeapSecondWarning")
@pytest.mark.parametrize("days", [-7 * 1024, 7 * 1024])
def test_what_carries_no_week_goes_by_the_others_of_its_file(days: int):
    """GLONASS would be 20 km off: GPST - UTC was 13 s in 2004."""
    nav = read([moved(r, days) for r in records("RCS")])
    assert len(nav) == 0
    assert any("cannot be trusted" in r.reason for r in nav.rejects if r.sv[0] == "R")
    merged = read([moved(r, days) for r in records("RC")], records("RC"))
    assert merged.table.names() == read(records("RC")).table.names()


@pytest.mark.filterwarnings("ignore::gnss_coop.errors.LeapSecondWarning")
@pytest.mark.parametrize("days", [-7 * 1024, 7 * 1024, -30, 10, 365 * 2 + 20, 1 / 24, -0.125, 0.5])
def test_glonass_dates_and_times_by_the_planes_of_its_slots(days: float):
    """Without any other system in the file: planes turn by 15 deg an hour and 1 deg a day."""
    nav = read([moved(r, days) for r in records("R")])
    assert len(nav) == 0
    assert all("orbital planes" in r.reason for r in nav.rejects)
    shown = float(nav.rejects[0].reason.split("turned by ")[1].split()[0])
    expected = days * (360.98564736629 + 0.0339)  # sidereal, and the planes' own motion
    assert abs((shown - expected + 180) % 360 - 180) < 2.0
    # A good file beside it stays whole.
    good = records("R")
    assert read(good, [moved(r, days) for r in good]).table.names() == read(good).table.names()


def test_few_glonass_satellites_or_odd_ones_do_not_tell_a_date():
    these = records("R")
    few = [moved(r, 1 / 24) for r in these if r[0][:3] in ("R01", "R02", "R03")]
    assert not read(few).rejects
    swapped = [[f"R{(int(r[0][1:3]) + 7) % 24 + 1:02d}{r[0][3:]}", *r[1:]] if r[0][:3] in ("R01", "R12") else r
               for r in these]  # fmt: skip
    assert not [r for r in read(swapped).rejects if "planes" in r.reason]


@pytest.mark.parametrize(("system", "written"), [
    ("G", 2296 % 1024), ("J", 2296 % 1024), ("E", 2296 - 1024), ("I", 2296 - 1024), ("C", 2296), ("G", 0), ("C", -1),
    ("E", 0.5), ("C", 1e9),
])  # fmt: skip
def test_weeks_that_converters_write_otherwise_or_not_at_all(system: str, written: float):
    these = [with_value(r, 5, 2, written) for r in records(system)]
    assert not read(these).rejects


def test_the_week_of_transmission_near_the_week_s_end():
    """2024-01-07T00:00 begins week 2296; the record of 00:00 is sent before, in week 2295."""
    first = [moved(r, -3) for r in records("G", range(1))]
    nav = read([with_value(with_value(r, 5, 2, 2295), 3, 0, value(r, 3, 0) - 3 * 86_400) for r in first])
    assert len(nav) > 0
    assert not nav.rejects


@pytest.mark.parametrize(("system", "date"), [
    ("E", "2004-05-26"), ("C", "2005-12-30"), ("J", "2009-05-01"), ("I", "2012-05-01"), ("R", "1981-05-01"),
    ("S", "1994-05-01"),
])  # fmt: skip
def test_no_record_is_older_than_its_system(system: str, date: str):
    days = (datetime.fromisoformat(date) - datetime(2024, 1, 10)).days // 7 * 7
    these = [moved(r, days) for r in records(system)]
    if system != "R" and system != "S":
        these = [with_value(r, 5, 2, 0) for r in these]
    nav = read(these)
    assert len(nav) == 0
    assert all("before the first record" in r.reason for r in nav.rejects)


def test_whole_real_files_lose_nothing_by_it():
    words = ("semicircles", "week field", "before the first", "cannot be trusted", "inclination")
    for pattern in ("BRDC*.rnx.gz", "KMS3*MN.rnx", "brdc*.24?.gz", "Example_*.n"):
        for path in (ROOT / "sample_rinex").glob(pattern):
            rejects = gc.read_nav(path).rejects
            assert not [r for r in rejects if any(w in r.reason for w in words)]


# --- Records against each other ------------------------------------------------------------------------------

DAY = range(24)


def turned(record: list[str], angle_rad: float) -> list[str]:
    """The record with its node turned: the satellite is moved by about that angle times 0.5 to 1 of its radius."""
    return with_value(record, 3, 2, value(record, 3, 2) + angle_rad)


def flagged(record: list[str]) -> list[str]:
    return with_value(record, 6, 1, 1.0)


def hours_of(sv: str) -> list[list[str]]:
    """One record of the satellite per reference time."""
    found = {r[0][4:23]: r for r in records(sv[0], DAY) if r[0][:3] == sv}
    return [found[key] for key in sorted(found)]


def test_a_satellite_after_a_manoeuvre_is_itself():
    """C05 was unhealthy from 10:00 to 19:00, and 508 km from its former orbit when it came back."""
    nav = gc.read_nav(ROOT / "tests/data/public_reports/geo-after-manoeuvre.19b.gz")
    assert not nav.rejects
    sky = gc.satellite_positions(nav, ["2019-04-28T21:10:14"])
    assert sky.healthy.sel(sv="C05").item()
    assert np.allclose(sky.positions.sel(sv="C05").values[0], (21831119.5, 36075008.4, 151482.0), atol=0.1)


@pytest.mark.parametrize("sv", ["C20", "C06", "G05", "E11"])
@pytest.mark.parametrize(("angle", "spell", "lost"), [
    (0.01, True, 0), (0.01, False, 0), (0.3, True, 0), (0.3, False, 3),
])  # fmt: skip
def test_jumps_with_and_without_an_unhealthy_spell(sv: str, angle: float, spell: bool, lost: int):
    """0.01 rad are some 200 km, which a manoeuvre can be; 0.3 rad are thousands."""
    these = hours_of(sv)
    before, between, after = these[:-5], these[-5:-3], [turned(r, angle) for r in these[-3:]]
    nav = read([*before, *map(flagged, between if spell else []), *after])
    assert len(nav.rejects) == lost
    assert all("another satellite's" in r.reason for r in nav.rejects)


@pytest.mark.parametrize("sv", ["C20", "G05", "E11"])
@pytest.mark.parametrize("angle", [0.003, 0.3])
def test_an_orbit_that_is_left_and_returned_to_was_never_left(sv: str, angle: float):
    these = hours_of(sv)
    odd = [turned(r, angle) for r in these[4:6]]
    nav = read([*these[:4], *odd, *these[6:]])
    assert [r.line for r in nav.rejects] == [3 + 8 * 4, 3 + 8 * 5]
    # Flagged unhealthy, only what cannot be the satellite says nothing of its health.
    nav = read([*these[:4], *map(flagged, odd), *these[6:]])
    assert len(nav.rejects) == (2 if angle > 0.1 else 0)


def test_unhealthy_records_never_convict_healthy_ones():
    these = hours_of("C20")
    nav = read([*(turned(flagged(r), 0.3) for r in these[:-3]), *these[-3:]])
    assert not nav.rejects
    assert nav.derived.healthy.sum() == 3


def test_unhealthy_records_of_another_satellite_say_nothing_of_this_one():
    """R10 carries states and health of R26 at 13:15 and 13:45 in one file, from 13:15 to 15:45 in another."""
    files = [ROOT / "sample_rinex" / name for name in ("BRDC00IGS_R_20240100000_01D_MN.rnx.gz", "brdc0100.24g.gz")]
    when = gc.epochs("2024-01-10T12:45:18", end="2024-01-10T16:00", step_s=300)
    alone = gc.satellite_positions(gc.read_nav(files[0]), when, systems="R", include_unhealthy=True).sel(sv="R10")
    merged = gc.satellite_positions(gc.read_nav(files), when, systems="R", include_unhealthy=True).sel(sv="R10")
    for sky in (alone, merged):
        found = np.isfinite(sky.age.values)
        # 12:45 and 14:15 reach 30 min, which leaves half an hour without.
        assert found.sum() == len(when) - 5
        assert sky.healthy.values[found].all()
        # 4 km/s: nowhere is it another satellite.
        steps_m = np.linalg.norm(np.diff(sky.positions.values, axis=0), axis=1)
        assert np.nanmax(steps_m) < 4000 * 300
    assert np.nanmax(np.abs(alone.positions.values - merged.positions.values)) < 1.0


@pytest.mark.parametrize("order", [1, -1])
def test_a_wrong_file_does_not_cost_a_good_one_its_records(order: int):
    """A quarter of an hour late, each orbit of the wrong file is as good as the others."""
    good, wrong = records("R", DAY), [moved(r, 1 / 96) for r in records("R", DAY)]
    alone = read(good)
    with pytest.warns(GnssCoopWarning, match="contradict each other on the orbits of R01, R02, R03 and 21 more"):
        both = read(*[good, wrong][::order])
    name = "given0.rnx" if order == 1 else "given1.rnx"
    kept = both.table.take(both.table.file == both.files.index(name))
    assert kept.names() == alone.table.names()
    assert np.array_equal(kept.toc_ns, alone.table.toc_ns)


@pytest.mark.parametrize("order", [1, -1])
def test_another_satellite_s_records_in_a_wrong_file_do_not_tell(order: int):
    """R05 in a wrong file has an orbit that none has, and its R06 has the orbit of R05: the good R05 stays."""
    good = [r for r in records("R", DAY) if r[0][:3] in ("R05", "R06", "R07")]
    wrong = [spun(r, 1.0) if r[0][:3] == "R05" else r for r in good if r[0][:3] != "R06"]
    wrong += [f"R06{r[0][3:]}\n".splitlines() + r[1:] for r in good if r[0][:3] == "R05"]
    with pytest.warns(GnssCoopWarning, match="contradict each other on the orbits of R05, R06"):
        both = read(*[good, wrong][::order])
    name = "given0.rnx" if order == 1 else "given1.rnx"
    assert not [r for r in both.rejects if r.file == name]


def test_two_files_outvote_a_third():
    good = records("R", DAY)
    renumbered = [[f"R{int(r[0][1:3]) % 24 + 1:02d}{r[0][3:]}", *r[1:]] for r in good if int(r[0][1:3]) <= 24]
    alone = read(good)
    nav = read(good, renumbered, good)
    assert nav.table.names() == alone.table.names()
    assert {r.file for r in nav.rejects} - {"given0.rnx"} == {"given1.rnx"}


def spun(record: list[str], angle_rad: float) -> list[str]:
    """A GLONASS state turned about the axis of the Earth: 0.01 rad move it by 110 to 250 km."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    for column in range(3):
        x, y = value(record, 1, column), value(record, 2, column)
        record = with_value(with_value(record, 1, column, c * x - s * y), 2, column, s * x + c * y)
    return record


def test_many_satellites_that_jump_together_do_not_manoeuvre():
    """GLONASS sent orbits some 200 km off from 2014-04-01 21:15 UTC on, with the health at "good"."""
    good = [r for r in records("R", DAY) if r[0][:3] not in ("R10", "R26")]
    late = {"21 15", "21 45", "22 15", "22 45", "23 15", "23 45"}
    alone = read([r for r in good if r[0][15:20] not in late])
    nav = read([spun(r, 0.01) if r[0][15:20] in late else r for r in good])
    healthy = nav.derived.healthy
    assert len(nav.table.take(healthy)) == alone.derived.healthy.sum()
    (reason,) = {r.reason.split(" by ")[0] for r in nav.rejects}
    n = len({r[0][:3] for r in good if value(r, 1, 3) == 0 and r[0][15:20] in late})
    assert reason == f"orbits of {n} satellites of GLONASS jump together at 2024-01-10T21:15:18, this one"
    # A few that do so are satellites of their own.
    few = ("R01", "R02", "R03")
    nav = read([spun(r, 0.01) if r[0][15:20] in late and r[0][:3] in few else r for r in good])
    assert not nav.rejects
    # Half against half cannot be told.
    half = [spun(r, 0.01) if r[0][15:17] >= "12" else r for r in good]
    assert not read(half).rejects


def test_a_satellite_with_any_number_of_orbits_has_none():
    """And finding that out takes no longer than reading them."""
    rng = np.random.default_rng(20240110)
    turning = [turned([f"E05{r[0][3:]}", *r[1:]], rng.uniform(0, 6)) for r in records("E", DAY)[:4000]]
    began = time.perf_counter()
    nav = read([*turning, *records("C", range(5, 6))])
    assert time.perf_counter() - began < 20.0  # 1 s, with room for machines under load
    assert nav.systems == ("C",)
    # One file of that kind beside a good one.
    assert len(read(turning, hours_of("E05"))) == len(hours_of("E05"))


@pytest.mark.parametrize("system", "GEC")
def test_what_is_left_of_a_rejected_series_is_not_trusted(system: str):
    these = [with_value(r, 4, 0, 1.4) for r in records(system)]
    these[7] = records(system)[7]
    nav = read(these)
    assert len(nav) == 0
    assert [r.reason.split(":")[0] for r in nav.rejects].count("left over from a series that is rejected") == 1
    of_one = hours_of(these[7][0][:3])
    others = [r for r in records(system) if r[0][:3] != these[7][0][:3]]
    nav = read([*others, of_one[0], *(with_value(r, 4, 0, 1.4) for r in of_one[1:])])
    assert these[7][0][:3] not in nav.satellites
    assert set(nav.satellites) == satellites(others)
    # What another file says too is believed.
    nav = read([of_one[0], *(with_value(r, 4, 0, 1.4) for r in of_one[1:])], [of_one[0]])
    assert len(nav) == 1


# --- Dates that stand alone ----------------------------------------------------------------------------------


def a_week_later(record: list[str]) -> list[str]:
    record = moved(record, 7)
    return record if record[0][0] == "R" else with_value(record, 5, 2, value(record, 5, 2) + 1)


@pytest.mark.parametrize("sv", ["R01", "R03", "G05", "E11", "C20", "C06"])
def test_one_stray_date_does_not_outweigh_the_others(sv: str):
    """R01 was forecast from one record six days ahead instead of 48 records 1.3 days before, 14,500 km off."""
    these = hours_of(sv)
    given, reference = read([*these[:-1], a_week_later(these[-1])]), read(these[:-1])
    (reject,) = given.rejects
    assert reject.sv == sv
    assert "days from all others of the file" in reject.reason
    when = ["2024-01-12T06:00"]
    off = [gc.forecast_positions(gc.mean_elements(nav), when).positions.values[0, 0] for nav in (given, reference)]
    assert np.array_equal(*off)
    if sv == "R01":
        assert np.allclose(off[0] / 1e3, (-4978, 18431, -16920), atol=1.0)


def continued_a_week(record: list[str]) -> list[str]:
    """The same orbit a week on: the anomaly goes on, and the node falls behind the Earth."""
    later = a_week_later(record)
    motion = np.sqrt(3.986004418e14 / value(later, 2, 3) ** 6) + value(later, 1, 2)
    later = with_value(later, 1, 3, np.remainder(value(later, 1, 3) + motion * 604_800, 2 * np.pi))
    node = value(later, 3, 2) + (value(later, 4, 3) - 7.2921151467e-5) * 604_800
    return with_value(later, 3, 2, np.remainder(node, 2 * np.pi))


def test_a_date_apart_on_the_orbit_continued_is_kept():
    these = hours_of("E11")
    assert not read([*these[:-1], continued_a_week(these[-1])]).rejects


@pytest.mark.parametrize(("day", "days_since"), [("2024-01-12", 1.2), ("2024-01-16", -1.8), ("2024-01-19", 1.2)])
def test_between_two_spans_the_nearer_one_is_continued(day: str, days_since: float):
    """A later file must not decide what an earlier one, that is nearer in time, tells."""
    these = hours_of("E11")
    early, late = read(these), read([continued_a_week(r) for r in these])
    both = read(these, [continued_a_week(r) for r in these])
    sky = gc.positions_with_forecast(both, [day], forecast_days=10)
    assert dict(sky.sizes) == {"time": 1, "sv": 1, "ecef": 3}
    assert abs(sky.age.item() / 86_400 - days_since) < 0.3
    nearer = early if day == "2024-01-12" else late
    alone = gc.forecast_positions(gc.mean_elements(nearer), [day])
    assert np.array_equal(sky.positions.values, alone.positions.values)


def test_old_ephemerides_that_receivers_keep():
    """Half a year old, from a satellite that sends no more: the week says so too. GLONASS has none."""
    old = with_value(moved(hours_of("G05")[0], -182), 5, 2, 2296 - 26)
    nav = read([*(r for r in records("GR") if r[0][:3] not in ("G05", "R05")), old, moved(hours_of("R05")[0], -182)])
    assert "G05" in nav.satellites
    assert [(r.sv, "too far to be checked" in r.reason) for r in nav.rejects] == [("R05", True)]


# --- Almanacs -----------------------------------------------------------------------------------------------

YUMA = """******** Week 238 almanac for PRN-{id:02d} ********
ID:                         {id:02d}
Health:                     000
Eccentricity:               0.5000000000E-003
Time of Applicability(s):  319488.0000
Orbital Inclination(rad):   {tilt}
Rate of Right Ascen(r/s):  -0.6800000000E-008
SQRT(A)  (m 1/2):           {sqrt_a}
Right Ascen at Week(rad):   0.1000000000E+001
Argument of Perigee(rad):   0.500000000
Mean Anom(rad):             0.2000000000E+001
Af0(s):                     0.0000000000E+000
Af1(s/s):                   0.0000000000E+000
week:                        238

"""


@pytest.mark.parametrize(("sqrt_a", "tilt", "words"), [
    (5282.6, 0.96, "BeiDou"), (6493.4, 0.06, "BeiDou"), (5440.6, 0.97, "Galileo"), (5050.6, 1.13, "GLONASS"),
    (4000.0, 0.96, "none of a navigation satellite"), (5153.6, 0.306, "semicircles"), (5153.6, 0.1, "none of GPS"),
])  # fmt: skip
def test_yuma_of_another_system_is_not_read_as_gps(sqrt_a: float, tilt: float, words: str):
    text = YUMA.format(id=19, sqrt_a=sqrt_a, tilt=tilt)
    with pytest.raises(RinexError, match=words):
        gc.read_almanac(io.BytesIO(text.encode()), reference="2023-11-02")
    mixed = gc.read_almanac(
        io.BytesIO((text + YUMA.format(id=7, sqrt_a=5153.6, tilt=0.96)).encode()), reference="2023-11-02"
    )
    assert mixed.satellites == ("G07",)
    assert words in mixed.unmatched[0]
