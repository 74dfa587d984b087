"""Real observations with the ephemerides of their day: each half hour at Cibinong; whole days where the data are."""

import os
from pathlib import Path

import pytest

import gnss_coop as gc

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_rinex"


@pytest.fixture(scope="session")
def data() -> Path:
    if "GNSS_COOP_TESTDATA" not in os.environ:
        pytest.skip("GNSS_COOP_TESTDATA is not set")
    return Path(os.environ["GNSS_COOP_TESTDATA"])


@pytest.fixture(scope="session")
def sample_obs() -> gc.Observations:
    return gc.read_obs(SAMPLES / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz", values=True)


@pytest.fixture(scope="session")
def sample_nav() -> gc.Ephemerides:
    return gc.read_nav(SAMPLES / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz")


@pytest.fixture(scope="session")
def cibinong(data: Path, sample_nav: gc.Ephemerides) -> tuple[gc.Observations, gc.Ephemerides]:
    path = data / "registry/pygnss-tec-0.3.1/CIBG00IDN_R_20240100000_01D_30S_MO.crx.gz"
    return gc.read_obs(path, values=True), sample_nav


@pytest.fixture(scope="session")
def esbjerg(data: Path) -> tuple[gc.Observations, gc.Ephemerides]:
    folder = data / "snapshot/2020-177_pair"
    obs = gc.read_obs(folder / "ESBC00DNK_R_20201770000_01D_30S_MO.crx.gz", values=True)
    return obs, gc.read_nav(folder / "ESBC00DNK_R_20201770000_01D_MN.rnx.gz")
