"""The folder of a report: complete, alone-standing, the same each time, and never in place of something else."""

import dataclasses
import hashlib
import itertools
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import gnss_coop as gc
from gnss_coop.output.pages.figures import (
    _SETTINGS,
    INK,
    SYSTEM_STROKES,
    inline_svg,
    new_figure,
    scenario_strokes,
    settings,
)
from gnss_coop.output.pages.languages import LANGUAGES, TEXTS, said, words
from gnss_coop.reports import words as report_words
from gnss_coop.reports.sky_plot import sky_part
from gnss_coop.reports.words import figure_words
from gnss_coop.reports.write import GENERATOR, check_folder

pytest.importorskip("matplotlib")
duckdb = pytest.importorskip("duckdb")

SAMPLE = "sample_rinex/BRDC00IGS_R_20240100000_01D_MN.rnx.gz"
OBS = "sample_rinex/CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz"
NASTY = '<b>Hill & "Co"'


@pytest.fixture(scope="module")
def root(request):
    return request.config.rootpath


@pytest.fixture(scope="module")
def reports(root):
    nav = gc.read_nav(str(root / SAMPLE))
    place = gc.stations("Irkutsk")[0]
    hill = gc.Station(
        name=NASTY, geodetic={"latitude_deg": 48, "longitude_deg": 135, "height_m": 9}, horizon=((0, 10), (90, 40))
    )
    network, trackings = gc.receivers_of(gc.stations([place, hill]), [gc.read_obs(str(root / OBS))], nav, systems="RC")
    epochs = gc.epochs("2024-01-10", hours=12, step_s=900)
    return gc.station_reports(nav, network, epochs, mask_deg=[5, 25], trackings=trackings)


@pytest.fixture(scope="module")
def folder(reports, root, tmp_path_factory):
    target = tmp_path_factory.mktemp("out") / "report"
    gc.write_report(reports, target, observations=[str(root / OBS)])
    return target


def pages(folder):
    return {path.name: path.read_text("utf-8") for path in folder.glob("*.html")}


def test_the_folder_holds_a_page_a_station_and_all_tables(folder):
    assert set(pages(folder)) == {"index.html", "irkutsk.html", "b-hill-co.html", "cibg.html"}
    names = {path.stem for path in (folder / "data").iterdir()}
    assert names >= {"passes", "visibility", "in_view", "dop", "worst_intervals", "gain", "sources", "learned_horizon"}
    assert all((folder / "data" / f"{name}.{kind}").stat().st_size for name in names for kind in ("csv", "parquet"))
    assert [path.name for path in folder.parent.iterdir()] == ["report"]


def test_pages_are_well_formed_and_stand_alone(folder, parsed):
    for name, text in pages(folder).items():
        page = parsed(text)
        assert len(set(page.ids)) == len(page.ids), name
        for tag, attribute, value in page.attributes:
            if attribute in ("href", "src", "aria-labelledby"):
                target = value.removeprefix("#")
                assert target in page.ids or (tag == "a" and (folder / value).is_file()), (name, tag, value)
        assert not re.search(r"https?://(?!www\.w3\.org)", text)
        assert "@import" not in text
        assert len(text.encode()) < 1.5e6


def test_figures_have_alternative_texts_and_are_xml(folder):
    text = (folder / "cibg.html").read_text("utf-8")
    figures = re.findall(r"<svg viewBox[^>]*role=\"img\".*?</svg>", text, re.DOTALL)
    assert len(figures) >= 6
    for figure in figures:
        tree = ET.fromstring(figure)
        assert len(tree.attrib["aria-label"]) > 30
        assert tree[0].text == tree.attrib["aria-label"]
    assert "[[" not in text


def test_tables_have_captions_and_scopes(folder):
    for text in pages(folder).values():
        for table in re.findall(r"<table>.*?</table>", text, re.DOTALL):
            assert "<caption>" in table
            assert table.count("<th ") == table.count("<th scope=")


def test_names_of_stations_are_escaped(folder):
    text = "".join(pages(folder).values())
    assert "<b>" not in text
    assert "&lt;b&gt;Hill &amp; &#34;Co&#34;" in text


def test_the_same_input_gives_the_same_bytes(reports, root, folder, tmp_path):
    gc.write_report(reports, tmp_path / "again", observations=[str(root / OBS)])
    for path in folder.rglob("*.*"):
        assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_in_all_languages(reports, tmp_path, language):
    gc.write_report(reports[:1], tmp_path / language, language=language)
    text = (tmp_path / language / "irkutsk.html").read_text("utf-8")
    assert f'<html lang="{language}">' in text
    assert TEXTS["worst"][LANGUAGES.index(language)] in text
    if language != "en":
        left = {key for key, texts in TEXTS.items() if texts[0].count(" ") > 3 and f">{texts[0]}<" in text}
        assert left == set()


def test_the_table_of_words_is_complete():
    for key, texts in TEXTS.items():
        assert len(texts) == len(LANGUAGES)
        fields = [sorted(re.findall(r"\{(\w+)\}", text)) for text in texts]
        assert fields[0] == fields[1] == fields[2], key
        assert all(texts), key


def test_checksums_are_those_of_the_files(folder, root):
    table = pd.read_csv(folder / "data" / "sources.csv").set_index("file")
    for name in (SAMPLE, OBS):
        file = root / name
        assert table.loc[file.name, "sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert table.loc[file.name, "n_bytes"] == file.stat().st_size
    assert table.sha256.tolist()[0] in (folder / "irkutsk.html").read_text("utf-8")


def test_csv_and_parquet_hold_the_same(folder):
    for path in (folder / "data").glob("*.csv"):
        read = duckdb.read_parquet(str(path.with_suffix(".parquet"))).df()
        text = pd.read_csv(path, keep_default_na=False, na_values=[""])
        assert list(read.columns) == list(text.columns)
        if path.stem != "sources":
            assert {"day", "source"} <= set(read.columns), path.stem
        assert len(read) == len(text)
        for name in read.columns[[dtype.kind == "f" for dtype in read.dtypes]]:
            np.testing.assert_allclose(read[name].replace(np.inf, np.nan), text[name].replace(np.inf, np.nan))


def test_the_numbers_on_the_page_are_those_of_the_table(folder, reports):
    text = (folder / "irkutsk.html").read_text("utf-8")
    for row in reports[0].gain.itertuples():
        assert f"<td>{row.pdop_median:.2f}</td>" in text
        assert f"<td>{row.availability_pct:.2f}</td>" in text


def test_an_existing_report_is_replaced_only_when_told(reports, tmp_path):
    target = tmp_path / "report"
    gc.write_report(reports[:1], target)
    (target / "old.txt").write_text("x")
    with pytest.raises(gc.OutputError, match="exists; give another name, or --overwrite"):
        gc.write_report(reports[:1], target)
    gc.write_report(reports[:1], target, overwrite=True)
    assert not (target / "old.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_what_is_no_report_is_never_replaced(tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "index.html").write_text("<html>mine</html>")
    with pytest.raises(gc.OutputError, match="holds no report"):
        check_folder(tmp_path / "letters", overwrite=True)
    with pytest.raises(gc.OutputError, match="is a file"):
        check_folder(tmp_path / "letters" / "index.html", overwrite=True)
    with pytest.raises(gc.OutputError, match="create it first"):
        check_folder(tmp_path / "none" / "report", overwrite=False)


def test_a_failure_leaves_nothing_behind(reports, tmp_path, monkeypatch):
    gc.write_report(reports[:1], tmp_path / "report")
    before = (tmp_path / "report" / "index.html").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gnss_coop.reports.write._write_data", full)
    with pytest.raises(gc.OutputError, match="No space left on device"):
        gc.write_report(reports[:1], tmp_path / "report", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["report"]
    assert (tmp_path / "report" / "index.html").read_bytes() == before


def test_an_unknown_language_is_refused(reports, tmp_path):
    with pytest.raises(gc.OutputError, match="choose a language from en, ru, zh"):
        gc.write_report(reports[:1], tmp_path / "report", language="xx")


def luminance(color):
    """Relative luminance of WCAG 2."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_lines_and_text_stand_out_from_light_and_dark_paper(root):
    """WCAG 2.1: 3:1 for graphics, 4.5:1 for text."""
    css = (root / "src/gnss_coop/output/pages/files/style.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(blocks) == 3  # light, dark, print
    for block in blocks:
        colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        paper = luminance(colors["paper"])
        for name, least in {
            "ink": 4.5,
            "muted": 4.5,
            "link": 4.5,
            **{f"system-{s}": 3.0 for s in SYSTEM_STROKES},
        }.items():
            light, dark = sorted((luminance(colors[name]), paper), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (name, colors[name], colors["paper"])


#: Dichromacy as linear RGB, severity 1.0: G. M. Machado, M. M. Oliveira and L. A. F. Fernandes, A Physiologically-based
#: Model for Simulation of Color Vision Deficiency, IEEE TVCG 15 (2009), table 1; None is full colour vision.
DICHROMACY = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}
#: From linear sRGB to XYZ, and its white: IEC 61966-2-1.
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = TO_XYZ.sum(axis=1)


def lab(color, sight):
    """CIELAB (CIE 15, D65) of a colour as this sight has it."""
    parts = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(DICHROMACY[sight] @ linear, 0.0, 1.0) / WHITE
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", DICHROMACY)
def test_any_two_systems_and_text_look_different_to_everybody(root, sight):
    """Delta E of CIE 1976 of 20 and more, in the light and the dark theme, in print, and in pictures on white."""
    css = (root / "src/gnss_coop/output/pages/files/style.css").read_text("utf-8")
    themes = [
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
        for block in re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    ]
    themes.append({f"system-{letter}": stroke.color for letter, stroke in SYSTEM_STROKES.items()} | {"ink": INK})
    for theme in themes:
        colors = [theme["ink"], *(theme[f"system-{letter}"] for letter in SYSTEM_STROKES)]
        for one, other in itertools.combinations(colors, 2):
            assert np.linalg.norm(lab(one, sight) - lab(other, sight)) >= 20.0, (one, other)


def test_pages_and_pictures_have_one_palette(root):
    css = (root / "src/gnss_coop/output/pages/files/style.css").read_text("utf-8")
    light = dict(re.findall(r"--system-(\w): (#[0-9a-f]{6})", css[: css.index("@media")]))
    assert light == {letter: stroke.color for letter, stroke in SYSTEM_STROKES.items()}


def test_systems_differ_by_more_than_colour():
    assert len({stroke.mark for stroke in SYSTEM_STROKES.values()}) == len(SYSTEM_STROKES)
    joint = scenario_strokes(["R", "C", "G", "E", "R+C", "R+G", "C+G", "R+C+G"])
    assert len({(stroke.mark, stroke.sign) for stroke in joint.values()}) == 8
    assert len({stroke.dashes for stroke in SYSTEM_STROKES.values()}) == len(SYSTEM_STROKES)
    assert len({stroke.color for stroke in SYSTEM_STROKES.values()}) == len(SYSTEM_STROKES)


def test_svg_keeps_colours_and_numbers():
    with settings():
        figure = new_figure(1.0)
        figure.add_axes((0, 0, 1, 1)).plot([0, 1], [0, 1], color=SYSTEM_STROKES["R"].color)
        text = inline_svg(figure, "one")
    assert "var(--system-R, #d55e00)" in text
    assert not re.search(r"\d\.\d{3,}", text)
    assert GENERATOR not in text
    assert set(re.findall(r'id="([^"]*)"', text)) == {f"one-{i}" for i in re.findall(r'#one-([^")]*)', text)}
    assert _SETTINGS["svg.fonttype"] == "none"


@pytest.mark.parametrize("language", ["ru", "zh"])
def test_what_the_analysis_says_is_translated(reports, tmp_path, language):
    gc.write_report(reports, tmp_path / "report", language=language)
    text = (tmp_path / "report" / "cibg.html").read_text("utf-8")
    english = {texts[0] for key, texts in TEXTS.items() if key.startswith("says_")}
    assert {saying for saying in english if f">{saying}<" in text} == set()
    tracking = next(report.tracking for report in reports if report.tracking is not None)
    said_of = (*tracking.never_tracked.reason, *tracking.gaps.kind, *tracking.exceptions.explanation, *tracking.notes)
    assert [saying for saying in said_of if said(saying, words(language)) == saying] == []


def test_what_is_unknown_stays_in_english():
    assert said("R07", words("ru")) == "R07"


def test_the_sky_of_a_long_report_is_that_of_its_first_day(reports):
    [report, *_] = reports
    times = report.seen.time.values
    longer = xr.concat([report.seen, report.seen.assign_coords(time=times + np.timedelta64(24, "h"))], dim="time")
    twice = dataclasses.replace(report, seen=longer, step_s=86400.0 / len(times))
    assert sky_part(twice).sizes["time"] == len(times)
    assert "24" in figure_words(twice, "sky", words("en"), "en")["note"]
    assert "24" not in figure_words(report, "sky", words("en"), "en")["note"]


@pytest.mark.parametrize(("language", "mask"), [("en", "elevation mask"), ("ru", "маска"), ("zh", "截止高度角")])
def test_every_figure_says_what_it_shows_at_which_mask_and_when(reports, tmp_path, language, mask):
    gc.write_report(reports, tmp_path / "report", language=language)
    for page in (tmp_path / "report").glob("*.html"):
        text = page.read_text("utf-8")
        headings = re.findall(r'<figure>\s*<p class="heading">([^<]+)</p>', text)
        assert len(headings) == text.count("<figure>") > 0
        assert len(set(headings)) == len(headings)
        for heading in headings:
            assert report_words.span_of(reports[0]) in heading
            t = words(language)
            if heading.startswith((t["what_state"], t["what_comparison"])):  # of no mask, of all masks
                assert "°" not in heading
                continue
            tracked = heading.startswith(t["what_tracking"])
            mask_deg = reports[-1].tracking.mask_deg if tracked else reports[0].shown_mask_deg
            assert mask in heading
            assert f"{mask_deg:g}°" in heading
