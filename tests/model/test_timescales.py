"""Truth from outside: IERS bulletins, the ICDs' epochs, and Python's own calendar."""

import subprocess
import sys
import warnings
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import LeapSecondWarning, TimeError
from gnss_coop.model import timescales as ts

S = 1_000_000_000
EPOCH = datetime(1980, 1, 6)
# Up to the expiry of the leap-second table, so that no warning turns into an error.
INSTANTS_NS = st.integers(0, int((datetime(2027, 6, 28) - EPOCH).total_seconds()) * S)


def civil_ns(text: str) -> int:
    return int((np.datetime64(text, "ns") - np.datetime64("1980-01-06", "ns")).astype(np.int64))


@given(INSTANTS_NS)
def test_bdt_round_trip(ns):
    assert ts.bdt_to_gpst_ns(ts.gpst_to_bdt_ns(ns)) == ns


@given(INSTANTS_NS)
def test_civil_utc_round_trip(utc_ns):
    assert ts.gpst_to_utc_ns(ts.utc_to_gpst_ns(utc_ns)) == utc_ns


@given(INSTANTS_NS)
def test_glonass_time_is_three_hours_ahead_of_utc(utc_ns):
    assert ts.glonasst_to_gpst_ns(utc_ns + 10_800 * S) == ts.utc_to_gpst_ns(utc_ns)


@given(INSTANTS_NS)
def test_datetime64_round_trip(ns):
    assert ts.from_datetime64(ts.to_datetime64([ns]))[0] == ns


@given(INSTANTS_NS)
def test_text_round_trip(ns):
    assert ts.parse_time(ts.format_time(ns)) == ns


@given(st.lists(INSTANTS_NS, min_size=2, max_size=20))
def test_utc_never_runs_backwards(values):
    assert (np.diff(ts.gpst_to_utc_ns(np.sort(values))) >= 0).all()


# IERS Bulletin C: TAI - UTC from each date on; GPST = TAI - 19 s.
@pytest.mark.parametrize(
    ("day", "tai_minus_utc_s"),
    [("1980-01-06", 19), ("1981-07-01", 20), ("1985-07-01", 23), ("1990-01-01", 25), ("1999-01-01", 32),
     ("2006-01-01", 33), ("2008-12-31", 33), ("2009-01-01", 34), ("2012-07-01", 35), ("2015-07-01", 36),
     ("2016-12-31", 36), ("2017-01-01", 37), ("2024-01-10", 37), ("2027-06-27", 37)],
)  # fmt: skip
def test_leap_seconds_of_the_iers(day, tai_minus_utc_s):
    assert ts.utc_to_gpst_ns(civil_ns(day)) - civil_ns(day) == (tai_minus_utc_s - 19) * S


def test_leap_second_of_2016_has_an_instant_of_its_own():
    before, leap, after = (
        ts.parse_time(text) for text in ("2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z")
    )
    assert (leap - before, after - leap) == (S, S)
    assert ts.format_time(leap) == "2017-01-01T00:00:17"
    assert ts.parse_time("2017-01-01T02:59:60.25+03:00") == leap + S // 4
    # Civil arithmetic has no number for it: it shares that of the next second.
    assert ts.gpst_to_utc_ns(leap) == ts.gpst_to_utc_ns(after) == civil_ns("2017-01-01")


def test_bdt_began_with_2006_utc():
    assert ts.gpst_to_bdt_ns(ts.parse_time("2006-01-01T00:00:00Z")) == civil_ns("2006-01-01")


@pytest.mark.parametrize(
    ("text", "week", "seconds"),
    [("1980-01-06", 0, 0.0), ("1999-08-22", 1024, 0.0), ("2019-04-07", 2048, 0.0),
     ("2024-01-10T00:00:00.5", 2296, 259_200.5), ("2020-11-11", 2131, 259_200.0)],
)  # fmt: skip
def test_gps_weeks(text, week, seconds):
    """Rollovers of the 10-bit week in 1999 and 2019; 2024-01-10 and the SINEX of week 2131 are Wednesdays."""
    found = ts.gps_week_and_seconds(ts.parse_time(text))
    assert (found[0], found[1]) == (week, seconds)


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 12, 31, 23, 59, 59)))
def test_calendar_agrees_with_python(moment):
    ns, valid = ts.calendar_to_ns(
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second + moment.microsecond / 1e6,
    )
    assert valid
    assert ns == (moment - EPOCH) // timedelta(microseconds=1) * 1000


@given(st.integers(1979, 2101), st.integers(-1, 14), st.integers(-1, 33))
def test_calendar_knows_which_days_exist(year, month, day):
    try:
        date(year, month, day)
        exists = 1980 <= year <= 2100
    except ValueError:
        exists = False
    ns, valid = ts.calendar_to_ns(year, month, day, 0, 0, 0)
    assert valid == exists
    assert valid or ns == 0


@pytest.mark.parametrize(
    ("hour", "minute", "second", "exists"),
    [(23, 59, 60.0, True), (23, 59, 60.999, True), (23, 59, 61.0, False), (24, 0, 0.0, False),
     (-1, 0, 0.0, False), (0, 60, 0.0, False), (0, -1, 0.0, False), (0, 0, -0.5, False),
     (0, 0, np.nan, False), (np.nan, 0, 0.0, False), (0.5, 0, 0.0, False), (0, 0, np.inf, False)],
)  # fmt: skip
def test_calendar_knows_which_times_exist(hour, minute, second, exists):
    assert ts.calendar_to_ns(2016, 12, 31, hour, minute, second)[1] == exists


def test_calendar_takes_whole_tables_and_flags_single_rows():
    month = np.full(25_000, 2)
    month[7] = 13
    ns, valid = ts.calendar_to_ns(2024, month, 29, 12, 30, np.linspace(0, 59, 25_000))
    assert ns.shape == (25_000,)
    assert ns.dtype == np.int64
    assert np.flatnonzero(~valid).tolist() == [7]


def test_dates_past_the_table_warn_once_per_call():
    late = civil_ns("2027-06-28") + np.arange(5) * 86_400 * S
    for call in (ts.utc_to_gpst_ns, ts.gpst_to_utc_ns, ts.glonasst_to_gpst_ns):
        with pytest.warns(LeapSecondWarning, match="2027-06-28") as caught:
            call(late + 86_400 * S)
        assert len(caught) == 1
        assert caught[0].filename == __file__
    with pytest.warns(LeapSecondWarning) as caught:
        ts.from_datetime64(["2030-01-01T00:00Z", "2031-01-01T00:00Z"])
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ts.parse_time("2030-01-01") == civil_ns("2030-01-01")  # GPST needs no table
        ts.utc_to_gpst_ns(civil_ns("2027-06-28") - 1)


@pytest.mark.parametrize(
    ("text", "gpst"),
    [("2024-01-10", "2024-01-10T00:00:00"), ("2024-01-10T12:30", "2024-01-10T12:30:00"),
     ("2024-01-10T12", "2024-01-10T12:00:00"), ("2024-01-10T12Z", "2024-01-10T12:00:18"),
     ("2024-01-10 12:30:01.000000001", "2024-01-10T12:30:01.000000001"),
     ("2024-01-10T00:00:00Z", "2024-01-10T00:00:18"), ("2024-01-10t00:00:00,5z", "2024-01-10T00:00:18.5"),
     ("2024-01-10T03:00:00+03:00", "2024-01-10T00:00:18"), ("2024-01-10T03:00+03", "2024-01-10T00:00:18"),
     ("2024-01-09T18:30:00-0530", "2024-01-10T00:00:18"), (" 2024-02-29 ", "2024-02-29T00:00:00")],
)  # fmt: skip
def test_text_that_is_a_time(text, gpst):
    assert ts.format_time(ts.parse_time(text)) == gpst


@pytest.mark.parametrize(
    "text",
    ["", "now", "2024", "2024-13-01", "2024-02-30", "2023-02-29", "2024-01-10T24:00", "2024-01-10T00:60",
     "2024-01-10T00:00:61Z", "2024-01-10T23:59:60", "2024-01-10T23:59:60Z", "2016-12-31T22:59:60Z",
     "2024-01-10T00:00+24:00", "10.01.2024", "2024-01-10Z", "1979-12-31", "2101-01-01", "0000-00-00",
     "2024-01-10T00:00:00.1234567891", "٢٠٢٤-01-10"],
)  # fmt: skip
def test_text_that_is_no_time(text):
    with pytest.raises(TimeError):
        ts.parse_time(text)


def test_times_are_written_with_a_fraction_only_where_there_is_one():
    written = ts.format_times([[0, 1], [30 * S, 1_230_000_000]])
    assert written.tolist() == [
        ["1980-01-06T00:00:00", "1980-01-06T00:00:00.000000001"],
        ["1980-01-06T00:00:30", "1980-01-06T00:00:01.23"],
    ]


@pytest.mark.parametrize(
    "values",
    [
        np.array(["2024-01-10"], dtype="datetime64[D]"),
        np.array(["2024-01-10"], dtype="datetime64[us]"),
        pd.DatetimeIndex(["2024-01-10"]),
        pd.Series(pd.to_datetime(["2024-01-10"])),
        pd.DatetimeIndex(["2024-01-09T23:59:42"], tz="UTC"),
        pd.DatetimeIndex(["2024-01-10T02:59:42"], tz="Europe/Moscow"),
        pd.Series(pd.DatetimeIndex(["2024-01-09T23:59:42"], tz="UTC")),
        ["2024-01-10"],
        np.array(["2024-01-09T23:59:42Z"]),
        [datetime(2024, 1, 10)],
        [date(2024, 1, 10)],
        [datetime(2024, 1, 9, 23, 59, 42, tzinfo=UTC)],
        [datetime(2024, 1, 10, 2, 59, 42, tzinfo=timezone(timedelta(hours=3)))],
        [pd.Timestamp("2024-01-10")],
        [pd.Timestamp("2024-01-09T23:59:42", tz="UTC")],
        [np.datetime64("2024-01-10")],
    ],
)
def test_every_form_of_a_time_means_the_same(values):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ts.from_datetime64(values).tolist() == [civil_ns("2024-01-10")]


def test_nanoseconds_of_pandas_survive():
    assert ts.as_gpst_ns(pd.Timestamp("2024-01-10T00:00:00.000000007")) == civil_ns("2024-01-10") + 7


def test_shapes_are_kept_and_nothing_is_nothing():
    times = ts.to_datetime64(np.arange(6).reshape(2, 3))
    assert ts.from_datetime64(times).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert ts.from_datetime64([]).shape == (0,)


@pytest.mark.parametrize(
    "values",
    [np.array(["NaT"], dtype="datetime64[ns]"), pd.DatetimeIndex(["2024-01-10", None]), [pd.NaT], [5], [None],
     np.array(["1979-12-31"], dtype="datetime64[D]"), np.array(["2300-01-01"], dtype="datetime64[s]"),
     np.array(["9999-01-01"], dtype="datetime64[Y]"), [datetime(1800, 1, 1)], [1.5]],
)  # fmt: skip
def test_values_that_are_no_times(values):
    with pytest.raises(TimeError):
        ts.from_datetime64(values)


def test_epochs_are_half_open():
    times = ts.epochs("2024-01-10", hours=24, step_s=300)
    assert times.dtype == np.dtype("datetime64[ns]")
    assert len(times) == 288
    assert times[0] == np.datetime64("2024-01-10")
    assert times[-1] == np.datetime64("2024-01-10T23:55")
    assert len(ts.epochs("2024-01-10", end="2024-01-10T00:05:00.5", step_s=300)) == 2


def test_epochs_take_any_form_of_a_time():
    wanted = ts.epochs("2024-01-10", hours=1)
    for start in (np.datetime64("2024-01-10"), datetime(2024, 1, 10), "2024-01-09T23:59:42Z"):
        assert (ts.epochs(start, end=pd.Timestamp("2024-01-10T01:00")) == wanted).all()
    assert len(ts.epochs("2024-01-10", hours=0)) == 0


def test_epochs_take_an_end_or_a_length_in_second_place():
    wanted = ts.epochs("2024-01-10", hours=24, step_s=300)
    for end in ("2024-01-11", np.datetime64("2024-01-11"), datetime(2024, 1, 11), 24, 24.0, np.int64(24)):
        assert (ts.epochs("2024-01-10", end, step_s=300) == wanted).all()
    with pytest.raises(TimeError, match="twice"):
        ts.epochs("2024-01-10", 24, hours=24)


@given(st.floats(1.0, 1e5), st.floats(0.0, 5.0))
def test_epochs_fill_the_span(step_s, hours):
    ns = ts.from_datetime64(ts.epochs("2024-01-10", hours, step_s=step_s)) - civil_ns("2024-01-10")
    span_ns = round(hours * 3600 * S)
    assert ((ns >= 0) & (ns < span_ns)).all()
    assert len(ns) == 0 or ns[-1] + round(step_s * S) >= span_ns
    assert (np.diff(ns) == round(step_s * S)).all()


@pytest.mark.parametrize(
    "options",
    [{}, {"hours": 1, "end": "2024-01-11"}, {"end": "2024-01-09"}, {"hours": -1}, {"hours": np.nan},
     {"hours": np.inf}, {"hours": 1e300}, {"hours": 1, "step_s": 0}, {"hours": 1, "step_s": -5},
     {"hours": 1, "step_s": np.nan}, {"hours": 1, "step_s": np.inf}, {"hours": 1, "step_s": 1e-12},
     {"hours": 24, "step_s": 1e-3}, {"hours": 24 * 366 * 90, "step_s": 86_400}, {"end": "tomorrow"}],
)  # fmt: skip
def test_spans_that_make_no_sense(options):
    with pytest.raises(TimeError):
        ts.epochs("2024-01-10", **options)


def test_import_is_light():
    """The command line answers within 0.2 s only if the module of time brings nothing heavy."""
    heavy = {"pandas", "numba", "xarray", "pymap3d", "pydantic"}
    code = f"import sys, gnss_coop.model.timescales; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
