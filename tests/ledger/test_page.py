"""The page of the ledger: it stands alone, tells the numbers of the table, and is the same each time."""

import hashlib
import html
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest

import gnss_coop as gc
from gnss_coop.ledger.page import GENERATOR, check_ledger_folder
from gnss_coop.ledger.words import FIGURES, difference_text, figure_text, tiles
from gnss_coop.reports.write import check_folder

pytest.importorskip("matplotlib")
duckdb = pytest.importorskip("duckdb")

SAMPLE = "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
NASTY = '<b>Hill & "Co" $x$ [[all]]'


@pytest.fixture(scope="module")
def table(request):
    nav = gc.read_nav(str(request.config.rootpath / SAMPLE))
    sky = gc.satellite_positions(nav, gc.epochs("2024-01-10", hours=24, step_s=900), systems="RC")
    hill = gc.Station(name=NASTY, geodetic={"latitude_deg": 48, "longitude_deg": 135, "height_m": 9})
    return gc.mutual_gain(sky, stations=["joint", hill], mask_deg=[5, 25])


@pytest.fixture(scope="module")
def folder(table, tmp_path_factory):
    target = tmp_path_factory.mktemp("out") / "ledger"
    names = [path.name for path in gc.write_ledger(table, target)]
    assert names == ["index.html", "ledger.csv", "ledger.parquet"]
    return target


@pytest.fixture(scope="module")
def text(folder):
    return (folder / "index.html").read_text("utf-8")


def test_a_sigma_that_is_undetermined_has_no_unit():
    sky = gc.nominal_constellation("R,C", gc.epochs("2024-01-10", hours=24, step_s=900))
    one_each = gc.mutual_gain(sky, stations="Irkutsk", homes="R=Irkutsk,C=Shanghai", network_mask_deg=80, mask_deg=15)
    assert one_each.query("quantity == 'sigma_3d_m'")["joint"].isna().all()
    lines = [line for tile in tiles(one_each, 15) for line in tile["lines"]]
    assert [words for words, figure in lines if figure == "undetermined"] == ["formal orbit sigma, median"] * 2


def test_the_folder_holds_the_page_and_the_tables(folder):
    kinds = {f"{name}.{kind}" for name in ("ledger", "sources") for kind in ("csv", "parquet")}
    assert {path.name for path in folder.iterdir()} == {"index.html", *kinds}
    assert [path.name for path in folder.parent.iterdir()] == ["ledger"]


def test_the_page_is_well_formed_and_stands_alone(text, parsed):
    page = parsed(text)
    assert len(set(page.ids)) == len(page.ids)
    assert {"html", "table", "svg", "figcaption"} <= set(page.tags)
    assert "script" not in page.tags
    for _, attribute, value in page.attributes:
        if attribute in ("href", "src", "aria-labelledby"):
            assert value.removeprefix("#") in page.ids
    assert not re.search(r"https?://(?!www\.w3\.org)", text)
    assert "@import" not in text
    assert len(text.encode()) < 1e6


def test_figures_have_alternative_texts_and_are_xml(text):
    figures = re.findall(r"<svg viewBox[^>]*role=\"img\".*?</svg>", text, re.DOTALL)
    assert len(figures) == 2
    for figure in figures:
        tree = ET.fromstring(figure)
        assert len(tree.attrib["aria-label"]) > 30
        assert "Petropavlovsk-Kamchatsky" in figure or "GEO" in figure
    assert not re.search(r"\[\[(?!all\]\])", text)  # no key is left; one stands in a station's name


def test_tables_have_captions_and_scopes(text):
    tables = re.findall(r"<table>.*?</table>", text, re.DOTALL)
    assert len(tables) == 6
    for part in tables:
        assert "<caption>" in part
        assert part.count("<th ") == part.count("<th scope=")


def test_names_of_stations_are_escaped(text):
    assert "<b>" not in text
    assert text.count("&lt;b&gt;Hill &amp; &#34;Co&#34; $x$ [[all]]") >= 4


def cells(text, caption):
    """Rows of the table with a caption, as text."""
    part = next(part for part in re.findall(r"<table>.*?</table>", text, re.DOTALL) if caption in part)
    body = part.split("<tbody>")[1]
    lines = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]


def test_the_ledger_on_the_page_is_that_of_the_table(text, table):
    lines = cells(text, "Signals: all sites together")
    assert len(lines) == 2 * 6 + 11
    n_numbers = 0
    for title, mask, *figures in lines:
        kind, words = title.split(": ")
        name = next(key for key, (label, _) in FIGURES.items() if label == words)
        place, orbit = {"Signals": ("all sites", ""), "Stations": ("all hosted", "all")}[kind]
        chosen = table[(table.place == place) & (table.orbit == orbit) & (table.quantity == name)]
        chosen = chosen[chosen.mask_deg == float(mask)]
        for own, (alone, joint, difference) in zip("RC", (figures[:3], figures[3:]), strict=True):
            [row] = chosen[chosen.beneficiary == own].to_dict("records")
            for shown, value in ((alone, row["standalone"]), (joint, row["joint"])):
                if math.isfinite(value):
                    assert float(shown) == pytest.approx(value, abs=0.5 * 10.0 ** -FIGURES[name][1] + 1e-9)
                    n_numbers += 1
                else:
                    assert shown == "none"
            assert ("▲" in difference) == (
                row["better"] == 1 and (difference[:3] == "new" or float(difference[:-2]) != 0)
            )
    assert n_numbers > 80


def test_each_site_and_station_has_its_line(text, table):
    for caption, own, kind in (
        ("GLONASS users: alone", "R", "signals"),
        ("BeiDou users: alone", "C", "signals"),
        ("GLONASS satellites: without", "R", "stations"),
        ("BeiDou satellites: without", "C", "stations"),
    ):
        part = table[(table.beneficiary == own) & (table.kind == kind)]
        shown = [line[0] for line in cells(text, caption)]
        assert [name.replace("&", "") for name in dict.fromkeys(shown) if "Hill" not in name] == [
            name for name in part.place.unique() if name != NASTY
        ]


def test_the_sentences_stand_on_the_page(text, table):
    for sentence in gc.ledger_findings(table):
        assert sentence in html.unescape(text)


def test_conditions_are_told(text):
    for words in ("900 s", "5°, 25°", "per-system", "PDOP ≤ 6", "Obninsk, Irkutsk, Petropavlovsk-Kamchatsky", "C56"):
        assert words in text
    assert "2024-01-10 00:00 – 2024-01-11 00:00 GPST" in text


def test_checksums_are_those_of_the_files(folder, request, text):
    file = request.config.rootpath / SAMPLE
    row = pd.read_csv(folder / "sources.csv").iloc[0]
    assert row.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert row.sha256 in text


def test_csv_and_parquet_hold_the_table(folder, table):
    read = duckdb.read_parquet(str(folder / "ledger.parquet")).df()
    written = pd.read_csv(
        folder / "ledger.csv", keep_default_na=False, na_values={"standalone": "", "joint": "", "difference": ""},
    )  # fmt: skip
    for frame in (read, written):
        assert list(frame.columns) == [*table.columns, "day", "start_gpst", "end_gpst", "source"]
        assert frame[["day", "start_gpst", "end_gpst"]].iloc[0].tolist() == [
            table.attrs["span"][:10],
            *table.attrs["span"].split("/"),
        ]
        for name in table.columns:
            if table[name].dtype.kind == "f":
                # Older pandas reads decimals wrongly in the last digit.
                np.testing.assert_allclose(frame[name].astype(float), table[name], rtol=1e-15)
            else:
                assert frame[name].tolist() == table[name].tolist()


def test_the_same_table_gives_the_same_bytes(table, folder, tmp_path):
    gc.write_ledger(table, tmp_path / "again")
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_figures_that_are_missing_are_told_in_words():
    assert figure_text("sigma_3d_m", math.nan) == "undetermined"
    assert figure_text("gap_mean_min", math.nan) == "no gap"
    assert figure_text("pdop_median", math.inf) == "none"
    new = {"quantity": "sigma_3d_m", "difference": math.nan, "better": 1}
    assert difference_text(new) == "new ▲"
    assert difference_text({**new, "better": 0}) == "–"
    assert difference_text({"quantity": "k1_pct", "difference": 0.001, "better": 1}) == "0.0"
    assert difference_text({"quantity": "k1_pct", "difference": -0.001, "better": -1}) == "0.0"
    assert difference_text({"quantity": "pdop_median", "difference": 0.5, "better": -1}) == "+0.50 ▼"


def test_nominal_constellations_have_no_files(tmp_path):
    sky = gc.nominal_constellation("R,C", gc.epochs("2027-01-01", hours=6, step_s=1800))
    gc.write_ledger(gc.mutual_gain(sky, mask_deg=25, homes="R=Irkutsk,C=Shanghai"), tmp_path / "ledger")
    text = (tmp_path / "ledger" / "index.html").read_text("utf-8")
    assert "nominal constellations" in text
    assert "SHA-256" not in text
    assert "undetermined" in text  # one station at home tells no orbit


def test_an_existing_ledger_is_replaced_only_when_told(table, tmp_path):
    target = tmp_path / "ledger"
    gc.write_ledger(table, target)
    (target / "old.txt").write_text("x")
    with pytest.raises(gc.OutputError, match="exists; give another name, or --overwrite"):
        gc.write_ledger(table, target)
    gc.write_ledger(table, target, overwrite=True)
    assert not (target / "old.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["ledger"]


def test_a_report_is_no_ledger_and_a_ledger_no_report(table, tmp_path):
    gc.write_ledger(table, tmp_path / "ledger")
    with pytest.raises(gc.OutputError, match="holds no report"):
        check_folder(tmp_path / "ledger", overwrite=True)
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text('<meta name="generator" content="gnss-coop report">')
    with pytest.raises(gc.OutputError, match="holds no ledger"):
        check_ledger_folder(tmp_path / "report", overwrite=True)
    assert GENERATOR == "gnss-coop ledger"


def test_a_failure_leaves_nothing_behind(table, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gnss_coop.ledger.page.write_tables", full)
    with pytest.raises(gc.OutputError, match="cannot write the ledger: No space left on device"):
        gc.write_ledger(table, tmp_path / "ledger")
    assert list(tmp_path.iterdir()) == []
