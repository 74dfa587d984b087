"""Networks as a product of batches."""

from dataclasses import replace

import pandas as pd
import pytest

import gnss_coop as gc
from gnss_coop.batch.study import read_study
from gnss_coop.errors import StudyError
from gnss_coop.networks.networks import Networks


def test_figures_are_those_of_the_table_of_networks(batch, days, settings, tmp_path):
    batch(days, products=("network",))
    nav = gc.read_nav(sorted(days.iterdir())[0])
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=settings.step_s), systems="R")
    expected = gc.network_table(gc.network_views(sky, "china,joint,russia", mask_deg=5.0))
    sql = "SELECT * EXCLUDE (year, day, mask_deg) FROM network WHERE day = '2024-01-10' AND mask_deg = 5"
    found = gc.query(tmp_path / "results", sql)
    keys = ["system", "orbit", "network"]
    expected = expected.sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5, check_dtype=False)  # sigma have 6 digits


def test_other_networks_compute_themselves_alone(batch, days, settings):
    products = ("compare", "network")
    batch(days, products=products)
    again = batch(days, products=products, settings=replace(settings, networks=Networks.of("joint,china,russia")))
    assert (again.n_done, again.n_skipped) == (0, 4)
    other = batch(days, products=products, settings=replace(settings, networks=Networks.of("joint,Irkutsk")))
    assert other.n_done == 4


def test_a_study_names_networks_and_files_beside_it(tmp_path):
    (tmp_path / "mine.toml").write_text("name = 'Mine'\ngeodetic = {latitude_deg=50, longitude_deg=90, height_m=0}\n")
    study = tmp_path / "study.toml"
    study.write_text("networks = ['russia', 'more=russia+mine.toml']\n")
    networks = read_study(study, {}).settings.networks
    assert networks.names == ("more", "russia")
    assert networks.network("more").names[-1] == "Mine"
    study.write_text("networks = ['mars']\nproducts = ['network']\n")
    with pytest.raises(StudyError, match=r"networks: .*no station or network 'mars'"):
        read_study(study, {})
