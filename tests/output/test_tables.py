"""Tables: nothing is lost in csv, json and parquet; text is aligned; files appear whole or not at all."""

import csv
import io
import json
import math
import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnss_coop.errors import GnssCoopError
from gnss_coop.model.text import printable
from gnss_coop.output.text_and_files import as_text, layout, number, write_table

# Surrogates are no text, and pandas' strings cannot hold them; a lone carriage return pandas does not quote in csv.
TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=12)
FRAMES = st.lists(
    st.tuples(TEXTS, st.floats(), st.integers(-(2**62), 2**62), st.booleans()), min_size=1, max_size=6
).map(lambda rows: pd.DataFrame(rows, columns=["station", "pdop", "n_used", "healthy"]))
IN_ONE_FOLDER = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def equal(one, other):
    return one == other or (math.isnan(one) and math.isnan(other))


@IN_ONE_FOLDER
@given(frame=FRAMES)
def test_csv_keeps_every_bit(tmp_path, frame):
    write_table(frame, "csv", str(tmp_path / "out.csv"))
    text = (tmp_path / "out.csv").read_bytes().decode()
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    assert head == list(frame.columns)
    assert len(rows) == len(frame)
    for (station, pdop, n_used, healthy), row in zip(rows, frame.itertuples(index=False), strict=True):
        assert station == printable(row.station)  # control characters are written out
        assert equal(float(pdop or "nan"), row.pdop)
        assert int(n_used) == row.n_used
        assert healthy == str(row.healthy)


@IN_ONE_FOLDER
@given(frame=FRAMES)
def test_json_keeps_every_bit_of_finite_numbers(tmp_path, frame):
    write_table(frame, "json", str(tmp_path / "out.json"))
    text = (tmp_path / "out.json").read_bytes().decode()
    rows = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    for read, row in zip(rows, frame.to_dict("records"), strict=True):
        pdop = row.pop("pdop")
        assert read.pop("pdop") == (pdop if math.isfinite(pdop) else None)
        assert read == row


@IN_ONE_FOLDER
@given(frame=FRAMES)
def test_parquet_keeps_every_bit(tmp_path, frame):
    duckdb = pytest.importorskip("duckdb")
    write_table(frame, "parquet", str(tmp_path / "out.parquet"))
    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(tmp_path / "out.parquet")).fetchall()
    for read, row in zip(rows, frame.itertuples(index=False), strict=True):
        assert read[0] == row.station
        assert equal(math.nan if read[1] is None else read[1], row.pdop)  # null, as databases write what is missing
        assert read[2:] == (row.n_used, row.healthy)


def test_units_stand_in_the_head_and_decimals_fit_them():
    frame = pd.DataFrame(
        {
            "time_gpst": ["2024-01-10T00:00:00"],
            "sv": ["R01"],
            "elevation_deg": [12.345678],
            "x_m": [-12345678.98765],
            "age_s": [-899.6],
            "latitude_deg": [52.21901999],
            "pdop": [math.nan],
            "pdop_median": [math.inf],
            "n_used": [7],
        }
    )
    head, units, row = as_text(frame).splitlines()
    assert head.split() == ["time", "sv", "elevation", "x", "age", "latitude", "pdop", "pdop", "median", "n", "used"]
    assert units.split() == ["[GPST]", "[deg]", "[m]", "[s]", "[deg]"]
    assert row.split() == [
        "2024-01-10T00:00:00", "R01", "12.35", "-12345678.988", "-900", "52.219020", "-", "none", "7",
    ]  # fmt: skip


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_numbers_end_in_the_same_column(values):
    _, units, *rows = as_text(pd.DataFrame({"sv": "C20", "x_m": values})).splitlines()
    assert len(rows) == len(values)
    assert {len(row) for row in rows} == {len(units)}


def test_a_table_without_rows_is_its_head():
    assert as_text(pd.DataFrame({"sv": [], "pdop": []}, dtype=float)) == "sv  pdop\n"


@pytest.mark.parametrize(
    ("value", "text"), [(1.005, "1.00"), (-0.0, "-0.00"), (math.nan, "-"), (math.inf, "none"), (-math.inf, "none")]
)
def test_numbers_as_text(value, text):
    assert number(value, 2) == text


def test_colour_adds_codes_and_changes_no_letter():
    columns = [(("sv", ""), ["R01", "R02"], False), (("age", "[s]"), ["1", "20"], True)]
    plain = layout(columns, titles={1: "Irkutsk"})
    colored = layout(columns, titles={1: "Irkutsk"}, color=True)
    assert colored != plain
    assert re.sub(r"\x1b\[\d+m", "", colored) == plain
    assert plain.splitlines()[3] == "Irkutsk"


FRAME = pd.DataFrame({"sv": ["R01"]})


def test_standard_output_is_the_default(capsys):
    write_table(FRAME, "csv", None)
    write_table(FRAME, "table", None, text="as told\n")
    assert capsys.readouterr().out == "sv\nR01\nas told\n"


def test_a_failure_leaves_the_old_file_and_no_draft(tmp_path, monkeypatch):
    target = tmp_path / "out.csv"
    target.write_text("before")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(GnssCoopError, match=r"cannot write '.*out\.csv': No space left on device"):
        write_table(FRAME, "csv", str(target))
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    assert target.read_text() == "before"


def test_parquet_needs_a_file():
    with pytest.raises(GnssCoopError, match="name a file"):
        write_table(FRAME, "parquet", None)
