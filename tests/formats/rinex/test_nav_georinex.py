"""georinex as a second engine: the same records, or a loud refusal."""

import gzip
import io
import os
from pathlib import Path

import georinex
import numpy as np
import pytest
import xarray as xr

from gnss_coop.ephemerides.ephemerides import Ephemerides
from gnss_coop.errors import RinexError
from gnss_coop.formats.rinex.nav import read_nav

SAMPLES = Path(__file__).parents[3] / "sample_rinex"
GLONASS_DAY = SAMPLES / "brdc0100.24g.gz"
DATA = Path(os.environ.get("GNSS_COOP_TESTDATA", ""))
needs_data = pytest.mark.skipif(
    not os.environ.get("GNSS_COOP_TESTDATA"), reason="set GNSS_COOP_TESTDATA to the folder of test data"
)


def assert_same_records(nav: Ephemerides, truth: Ephemerides) -> None:
    assert nav.table.names() == truth.table.names()
    assert np.array_equal(nav.table.toc_ns, truth.table.toc_ns)
    assert np.array_equal(nav.derived.toe_ns, truth.derived.toe_ns)
    # georinex gives metres: one rounding when turned back into kilometres.
    assert np.allclose(nav.derived.elements, truth.derived.elements, rtol=1e-14, atol=0)
    assert np.array_equal(nav.derived.healthy, truth.derived.healthy)


def test_dataset_of_georinex_equals_the_native_reader():
    nav, truth = Ephemerides.from_georinex(georinex.load(GLONASS_DAY)), read_nav(GLONASS_DAY)
    assert_same_records(nav, truth)
    assert sorted((r.sv, r.reason) for r in nav.rejects) == sorted((r.sv, r.reason) for r in truth.rejects)


def test_engine_equals_the_native_reader():
    nav = read_nav(GLONASS_DAY, engine="georinex")
    assert_same_records(nav, read_nav(GLONASS_DAY))
    assert nav.files == (str(GLONASS_DAY),)
    assert nav.headers[0].version == 2.01


@needs_data
def test_engine_on_a_small_mixed_file():
    path = next(DATA.rglob("BRDM00DLR_S_20230081000_01D_MN.rnx"))
    assert_same_records(read_nav(path, engine="georinex"), read_nav(path).select("RC"))


def test_shifted_fields_are_refused_loudly(tmp_path: Path):
    """georinex reads only what it expects of a line, so that a blank spare field shifts those behind it."""
    text = gzip.decompress((SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz").read_bytes()).decode("latin-1")
    lines = text.splitlines(keepends=True)
    body = next(i for i, line in enumerate(lines) if "END OF HEADER" in line) + 1
    records = [i for i in range(body, len(lines)) if lines[i].startswith("C02")][:8]
    cut = tmp_path / "cut.rnx"
    cut.write_text("".join(lines[:body]) + "".join("".join(lines[i : i + 8]) for i in records))
    assert len(read_nav(cut).rejects) == 0
    with pytest.raises(RinexError, match=r"georinex .*use the native engine") as caught:
        read_nav(cut, engine="georinex")
    assert caught.value.path == str(cut)


def test_what_georinex_does_not_know_is_refused():
    with pytest.raises(RinexError, match="RINEX 4"):
        read_nav(SAMPLES / "Example_Beidou_Rinex400.n", engine="georinex")
    with pytest.raises(RinexError, match="native engine for streams"):
        read_nav(io.BytesIO(GLONASS_DAY.read_bytes()), engine="georinex")
    with pytest.raises(RinexError, match="no GLONASS or BeiDou"):
        read_nav(SAMPLES / "brdc0100.24n.gz", engine="georinex")


@pytest.mark.parametrize(
    "dataset",
    [
        xr.Dataset(),
        xr.Dataset(coords={"sv": ["R01"]}),
        xr.Dataset({"L1C": (("time", "sv"), np.ones((1, 1)))}, {"time": np.zeros(1, "datetime64[ns]"), "sv": ["R01"]}),
        xr.Dataset({"M0": (("time", "sv"), np.ones((1, 1)))}, {"time": np.zeros(1, "datetime64[ns]"), "sv": ["G01"]}),
    ],
)
def test_other_datasets_are_refused(dataset: xr.Dataset):
    with pytest.raises(RinexError):
        Ephemerides.from_georinex(dataset)
