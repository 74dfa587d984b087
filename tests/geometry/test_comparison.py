"""The comparison and its sentences, on hand-made DOP values whose answers are plain."""

import math

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import ScenarioError, TimeError
from gnss_coop.geometry.comparison import compare, findings
from gnss_coop.geometry.statistics import worst_last_quantile

NAN, INF = math.nan, math.inf


def dop_of(values, stations=("Irkutsk",), masks=25.0, clocks="per-system"):
    """DOP Dataset from {systems: values}, values (time), (station, time) or (mask, station, time)."""
    dims = ("systems", "station", "time") if np.ndim(masks) == 0 else ("systems", "mask_deg", "station", "time")
    numbers = np.array(list(values.values()), dtype=float)
    numbers = numbers.reshape(len(values), *([len(masks)] if np.ndim(masks) else []), len(stations), -1)
    names = ("pdop", "hdop", "vdop", "gdop", "tdop")
    clock_counts = np.array([label.count("+") + 1 for label in values])
    times = np.datetime64("2024-01-10", "ns") + np.arange(numbers.shape[-1]) * np.timedelta64(300, "s")
    counts = np.where(np.isnan(numbers), 3, 7)
    n_clocks = np.broadcast_to(clock_counts.reshape(-1, *[1] * (numbers.ndim - 1)), numbers.shape)
    return xr.Dataset(
        {name: (dims, numbers * factor) for name, factor in zip(names, (1, 0.6, 0.8, 1.2, 0.5), strict=True)}
        | {"n_used": (dims, counts), "n_clocks": (dims, n_clocks)},
        coords={"systems": list(values), "station": list(stations), "mask_deg": masks, "time": times},
        attrs={"clocks": clocks, "time_scale": "GPST"},
    )


def test_one_row_in_full():
    table = compare(dop_of({"R": [4.0, NAN, 8.0, 5.0, 7.0], "C": [NAN] * 5, "R+C": [2.0, 3.0, 2.5, 6.0, 9.0]}))
    alone = table.set_index("systems").loc["R"]
    assert alone["n_epochs"] == 5
    assert alone["n_used_mean"] == pytest.approx((4 * 7 + 3) / 5)
    assert alone["n_used_least"] == 3
    assert alone["pdop_median"] == 7.0  # of 4, 5, 7, 8 and none
    assert alone["pdop_p95"] == INF
    assert alone["availability_pct"] == pytest.approx(40.0)  # 6 itself would count, see R+C
    assert alone["supplemented_by"] == "R+C"
    assert alone["pdop_drop_pct"] == pytest.approx(100 * (1 - 3.0 / 7.0))
    assert alone["hdop_drop_pct"] == pytest.approx(100 * (1 - 3.0 / 7.0))
    assert alone["availability_gain_points"] == pytest.approx(40.0)
    assert alone["gdop_median"] == pytest.approx(8.4)
    never = table.set_index("systems").loc["C"]
    assert (never["pdop_median"], never["availability_pct"]) == (INF, 0.0)
    assert math.isnan(never["pdop_drop_pct"])
    assert never["availability_gain_points"] == pytest.approx(80.0)
    joint = table.set_index("systems").loc["R+C"]
    assert (joint["n_clocks"], joint["supplemented_by"]) == (2, "")
    assert joint["pdop_p95"] == pytest.approx(8.4)  # four fifths of the way from 6 to 9
    assert math.isnan(joint["availability_gain_points"])
    assert table.attrs == {
        "limit": 6.0,
        "clocks": "per-system",
        "span": "2024-01-10T00:00:00/2024-01-10T00:20:00",
        "time_scale": "GPST",
        "step_s": 300.0,
    }
    assert "gdop_drop_pct" not in table


def test_every_station_and_mask_has_its_own_rows():
    values = {"R": np.arange(8.0).reshape(2, 2, 2) + 1, "R+C": np.ones((2, 2, 2))}
    table = compare(dop_of(values, stations=("Obninsk", "Urumqi"), masks=[5.0, 25.0]), limit=4)
    medians = table[table.systems == "R"].set_index(["station", "mask_deg"])["pdop_median"]
    assert medians.to_dict() == {
        ("Obninsk", 5.0): 1.5,
        ("Obninsk", 25.0): 5.5,
        ("Urumqi", 5.0): 3.5,
        ("Urumqi", 25.0): 7.5,
    }
    assert table.attrs["limit"] == 4.0


def test_supplement_is_the_next_larger_scenario():
    order = {"R+C+G": [1.0], "R": [4.0], "R+C": [2.0], "G": [3.0], "E": [3.0]}
    table = compare(dop_of(order)).set_index("systems")
    assert table["supplemented_by"].to_dict() == {
        "R+C+G": "",
        "R": "R+C",
        "R+C": "R+C+G",
        "G": "R+C+G",
        "E": "",
    }


@pytest.mark.parametrize("limit", [0.0, -1.0, NAN])
def test_limit_must_be_positive(limit):
    with pytest.raises(ScenarioError, match="positive"):
        compare(dop_of({"R": [1.0]}), limit=limit)


def test_no_epochs_is_an_error():
    with pytest.raises(TimeError, match="no epochs"):
        compare(dop_of({"R": [1.0]}).isel(time=slice(0)))


@given(st.lists(st.floats(0.5, 1e6), min_size=1, max_size=60), st.integers(0, 20), st.sampled_from([0.5, 0.95]))
def test_quantile_is_numpys_with_unsolved_epochs_last(values, unsolved, share):
    result = worst_last_quantile([*values, *[NAN] * unsolved], share).item()
    # Numpy knows no infinite neighbours: a number that no PDOP reaches stands in for them.
    truth = np.quantile([*values, *[1e18] * unsolved], share)
    assert result == (pytest.approx(truth, rel=1e-9) if truth < 1e7 else INF)


def test_sentences_of_a_gain():
    values = {
        "R": [[3.0, 3.0, 5.0, 3.0], [7.0, NAN, NAN, 7.0]],
        "C": [[2.0, 2.0, 2.0, 2.0], [4.0, 7.0, 4.0, 4.0]],
        "R+C": [[1.5, 1.5, 1.5, 1.5], [3.0, 3.0, 3.0, 3.0]],
    }
    assert findings(compare(dop_of(values, stations=("Shanghai", "Obninsk")))) == [
        "Adding BeiDou helps GLONASS most at Obninsk with a 25 degree mask: PDOP <= 6 holds 100.0 % of the "
        "time instead of 0.0 %, and the median PDOP is 3.0, where before half of the epochs or more had no "
        "solution.",
        "Adding GLONASS helps BeiDou most at Obninsk with a 25 degree mask: PDOP <= 6 holds 100.0 % of the "
        "time instead of 75.0 %, and the median PDOP is 3.0 instead of 4.0.",
        "It matters least for BeiDou at Shanghai with a 25 degree mask: PDOP <= 6 holds 100.0 % of the time, "
        "as without, and the median PDOP is 1.5 instead of 2.0.",
    ]


def test_sentences_without_gain_in_availability():
    (sentence,) = findings(compare(dop_of({"R": [3.0, 3.0], "R+C": [1.5, 1.5]})))
    assert sentence == (
        "Adding BeiDou to GLONASS nowhere raises the share of time with PDOP <= 6 noticeably; it helps most "
        "at Irkutsk with a 25 degree mask, where the median PDOP is 1.5 instead of 3.0."
    )


@pytest.mark.parametrize(
    ("alone", "joint", "availability", "median"),
    [
        ([3.0, 3.0], [3.0, 3.0], "100.0 % of the time, as without", "the median PDOP stays near 3.0"),
        (
            [3.0, 3.0],
            [4.0, 7.0],
            "50.0 % of the time instead of 100.0 %",
            "the median PDOP is 5.5 instead of 3.0",
        ),
        (
            [NAN] * 2,
            [NAN] * 2,
            "0.0 % of the time, as without",
            "half of the epochs or more still have no solution",
        ),
    ],
)
def test_sentences_of_no_gain_or_a_loss(alone, joint, availability, median):
    (sentence,) = findings(compare(dop_of({"R": alone, "R+C": joint})))
    assert sentence.startswith("Adding BeiDou to GLONASS brings no noticeable gain anywhere: even at Irkutsk")
    assert sentence.endswith(f"{availability}, and {median}.")


def test_sentences_without_a_supplement():
    sentences = findings(compare(dop_of({"R": [3.0, 7.0], "C": [3.0, 3.0]})))
    assert sentences == [
        "No scenario supplements another one (GLONASS, BeiDou), so no gain can be stated.",
        "PDOP <= 6 holds between 50.0 % of the time (GLONASS at Irkutsk with a 25 degree mask) and 100.0 % "
        "(BeiDou at Irkutsk with a 25 degree mask).",
    ]


def test_nearly_complete_is_not_called_complete():
    (sentence,) = findings(compare(dop_of({"R": [7.0] * 3000, "R+C": [3.0] * 2999 + [7.0]})))
    assert "over 99.9 % of the time instead of 0.0 %" in sentence


def test_empty_table_has_a_sentence_too():
    table = pd.DataFrame()
    table.attrs["limit"] = 6.0
    assert findings(table) == ["No station was compared."]


pdops = st.lists(st.one_of(st.just(NAN), st.floats(0.6, 500.0)), min_size=4, max_size=4)


@given(pdops, pdops, pdops)
def test_sentences_never_hold_nan_or_inf(alone, other, joint):
    for sentence in findings(compare(dop_of({"R": alone, "C": other, "R+C": joint}, stations=("A", "B")))):
        assert "nan" not in sentence
        assert "inf" not in sentence
        assert sentence.endswith(".")
