"""Where archives differ, and how figures went over time."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import gnss_coop as gc
from gnss_coop.errors import ArchiveError, OutputError, ScenarioError


@pytest.fixture
def pair(batch, days, tmp_path):
    batch(days, output=tmp_path / "a", products=("compare",))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    return tmp_path / "a", tmp_path / "b"


def test_equal_archives_have_no_differences(pair):
    table = gc.diff(*pair)
    assert table.empty
    assert table.attrs == {"n_same": 8, "n_compared": 8}


def test_another_setting_is_named_with_its_effect(pair, batch, days, settings):
    a, b = pair
    batch(days, output=b, products=("compare",), settings=replace(settings, max_pdop=2.0))
    table = gc.diff(a, b)
    assert set(table["verdict"]) == {"differs"}
    assert set(table["reason"]) == {"settings (max_pdop)"}
    one = gc.query(a, "SELECT * FROM compare WHERE day = '2024-01-10' AND mask_deg = 5 ORDER BY station")
    other = gc.query(b, "SELECT * FROM compare WHERE day = '2024-01-10' AND mask_deg = 5 ORDER BY station")
    first = table.query("day == '2024-01-10' and part.str.startswith('mask5-')").iloc[0]
    assert first["column"] == "availability_pct"
    assert first["largest_difference"] == (one["availability_pct"] - other["availability_pct"]).abs().max()


def test_another_input_is_named(pair, batch, days):
    a, b = pair
    file = sorted(days.iterdir())[1]
    head, end, body = file.read_bytes().partition(b"END OF HEADER       \n")
    records = body.splitlines(keepends=True)
    file.write_bytes(head + end + b"".join(records[: len(records) // 8 * 4]))  # half of them, four lines each
    batch(days, output=b, products=("compare",))
    table = gc.diff(a, b)
    assert set(table["day"]) == {"2024-01-11"}
    assert table["reason"].str.startswith("inputs (1 only in a, 1 only in b)").all()


def test_what_only_one_has(pair, batch, days, tmp_path):
    a, b = pair
    batch(days, output=b, products=("compare", "passes"))
    table = gc.diff(a, b)
    assert set(zip(table["product"], table["verdict"], strict=True)) == {("passes", "only in b")}
    assert set(gc.diff(b, a)["verdict"]) == {"only in a"}


def test_no_archive(tmp_path, pair):
    with pytest.raises(ArchiveError, match="not a gnss-coop archive"):
        gc.diff(pair[0], tmp_path)


def test_trend_by_hand(pair):
    rows = gc.query(pair[0], "SELECT * FROM compare")
    found = gc.trend(pair[0], stations=["Irkutsk", "all"])
    assert found["n_days"].unique().tolist() == [4]
    for station in ("Irkutsk", "all"):
        own = rows if station == "all" else rows[rows["station"] == station]
        for mask, of_mask in own.groupby("mask_deg"):
            row = found[(found["station"] == station) & (found["mask_deg"] == mask)].iloc[0]
            assert row["availability_pct"] == pytest.approx(
                np.average(of_mask["availability_pct"], weights=of_mask["n_epochs"]), rel=1e-12
            )
            assert row["pdop_median"] == pytest.approx(of_mask["pdop_median"].median(), rel=1e-12)
            assert row["n_stations"] == of_mask["station"].nunique()


def test_periods(pair):
    assert len(gc.trend(pair[0], period="day")) == 4 * 2
    assert gc.trend(pair[0], period="year")["period"].astype(str).unique().tolist() == ["2024-01-01"]
    with pytest.raises(ScenarioError, match="day, month, year"):
        gc.trend(pair[0], period="week")


def test_unknown_stations_and_no_comparisons(pair, batch, days, tmp_path):
    with pytest.raises(ArchiveError, match="Irkutsk, Shanghai"):
        gc.trend(pair[0], stations=["Atlantis"])
    batch(days, output=tmp_path / "c", products=("passes",))
    with pytest.raises(ArchiveError, match="product compare"):
        gc.trend(tmp_path / "c")


def test_pictures(pair, tmp_path):
    from gnss_coop.batch.archive.trend_plot import plot_trend

    table = gc.trend(pair[0], period="day")
    figure = plot_trend(table, tmp_path / "trend.svg")
    plot_trend(table, tmp_path / "again.svg")
    assert (tmp_path / "trend.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()
    assert len(figure.axes) == 4 * 2
    title = " ".join(figure.get_suptitle().split())
    for words in (
        "Availability, median PDOP and gains",
        "elevation masks 5, 25\N{DEGREE SIGN}",
        "2024-01-10 to ",
        "clocks",
    ):
        assert words in title
    [line] = figure.axes[0].get_lines()
    np.testing.assert_array_equal(line.get_ydata(), table.query("mask_deg == 5")["availability_pct"])
    with pytest.raises(OutputError, match="exists"):
        plot_trend(table, tmp_path / "trend.svg")
    with pytest.raises(OutputError, match=r"\.png"):
        plot_trend(table, tmp_path / "trend.pdf")
    both = pd.concat([table, table.assign(clocks="common")])
    with pytest.raises(OutputError, match="one clocks"):
        plot_trend(both, tmp_path / "both.png")


def test_what_is_gone_or_cut_is_told(pair):
    a, b = pair
    gone, cut = sorted(b.rglob("*.parquet"))[:2]
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:500])
    assert gc.diff(a, b)["verdict"].tolist() == ["damaged in b"] * 2
    assert gc.diff(b, a)["verdict"].tolist() == ["damaged in a"] * 2
