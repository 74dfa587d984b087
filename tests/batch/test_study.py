"""Study files: all faults at once, one form for equal questions, paths that start at the file."""

import re
import tomllib
from pathlib import Path

import pytest

from gnss_coop.batch.settings import Keys, Part, Settings, digest, in_one_order
from gnss_coop.batch.study import Study, read_study
from gnss_coop.batch.words import STUDY
from gnss_coop.batch.work.products import PRODUCTS
from gnss_coop.errors import StudyError
from gnss_coop.model.network import stations


def test_the_study_to_begin_with_is_the_default_with_every_key():
    written = tomllib.loads(STUDY)
    commented = tomllib.loads(re.sub(r"^# (?=[a-z-]+ = )", "", STUDY, flags=re.MULTILINE))
    study = Study(**written)
    assert study == Study(inputs=["archive/"], output="results")
    assert set(commented) == {field.alias for field in Study.model_fields.values()}
    assert set(commented["map"]) == {field.alias for field in type(study.map).model_fields.values()}
    Study(**commented)


def test_all_faults_at_once(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(
        """
        products = ["compare", "weather"]
        systems = ["R", "X"]
        clocks = ["prior"]
        mask = [5, 95]
        stations = ["Atlantis"]
        max-pdop = -1
        step = 0
        exclude-sv = ["R6"]
        max-age = { Q = 5 }
        start = "soon"
        colour = "red"
        [map]
        grid = 7
        percentiles = [120]
        """
    )
    with pytest.raises(StudyError) as caught:
        read_study(file, {})
    lines = str(caught.value).splitlines()
    for place in (
        "products", "systems", "clocks", "mask", "stations", "max-pdop", "step", "exclude-sv", "max-age", "start",
        "colour", "map",
    ):  # fmt: skip
        assert any(line.startswith(f"{file}: {place}") for line in lines), (place, lines)


def test_a_study_without_inputs_and_output():
    with pytest.raises(StudyError) as caught:
        read_study(None, {"start": "2024-02-01", "end": "2024-01-01"}).request()
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["inputs", "output", "end"]


def test_paths_start_at_the_file_and_options_override(tmp_path):
    file = tmp_path / "deep" / "study.toml"
    file.parent.mkdir()
    station = Path(__file__).parents[2] / "stations" / "obninsk.toml"
    (file.parent / "own.toml").write_text(station.read_text("utf-8"), "utf-8")
    file.write_text('inputs = ["a", "@b.txt", "/c"]\noutput = "out"\nstations = ["own.toml", "Irkutsk"]\nmask = 10\n')
    study = read_study(file, {"mask": [20.0], "map": {"grid": 5.0}})
    assert study.inputs == (str(file.parent / "a"), f"@{file.parent / 'b.txt'}", "/c")
    assert Path(study.output) == file.parent / "out"
    assert study.network.names == ("Obninsk", "Irkutsk")
    assert (study.mask, study.map.grid, study.map.step) == ((20.0,), 5.0, 300.0)


@pytest.mark.parametrize("text", ["not toml", "a = 1\nb = ", "\xff"])
def test_a_file_that_is_no_study(tmp_path, text):
    file = tmp_path / "study.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(StudyError, match=r"study\.toml"):
        read_study(file, {})
    with pytest.raises(StudyError, match="cannot be read"):
        read_study(tmp_path / "none.toml", {})


def test_equal_questions_are_equal():
    one = Settings(("C+R", "C", "R"), ("prior:5.0", "common"), (25, 5), stations("Shanghai,Irkutsk"), step_s=300)
    other = Settings(("R", "C", "R+C"), ("common", "prior:5"), (5.0, 25.0), stations("Irkutsk,Shanghai"), step_s=300.0)
    names = list(Settings.__dataclass_fields__)
    assert digest(one.plain(names)) == digest(other.plain(names))


def test_scenarios_have_one_order_whatever_supplements_what():
    assert in_one_order(["E+G+R", "C", "R+C", "G", "E"]) == ("G", "E", "C", "R+C", "G+R+E")


def test_keys_change_with_all_that_matters_and_nothing_else():
    base = Settings(("R",), ("per-system",), (5.0,), stations("Irkutsk"))
    product, part = PRODUCTS["compare"], Part("compare", 5.0, "per-system")
    key = product.keys(base).of("2024-01-10", part, ["b", "a", "b"])
    assert key == product.keys(base).of("2024-01-10", part, ["a", "b"])
    others = {
        product.keys(base).of("2024-01-11", part, ["a", "b"]),
        product.keys(base).of("2024-01-10", Part("compare", 10.0, "per-system"), ["a", "b"]),
        product.keys(base).of("2024-01-10", part, ["a"]),
        Keys("compare", product.revision + 1, base.plain(product.settings)).of("2024-01-10", part, ["a", "b"]),
        *(
            product.keys(Settings(**{"systems": ("R",), "clocks": ("per-system",), "mask_deg": (5.0,),
                                     "stations": stations("Irkutsk"), **change})).of("2024-01-10", part, ["a", "b"])
            for change in (
                {"systems": ("R", "C")}, {"stations": stations("Shanghai")}, {"max_pdop": 4.0}, {"step_s": 60.0},
                {"exclude_sv": ("R01",)}, {"max_age_s": 900.0},
            )
        ),
    }  # fmt: skip
    assert len(others) == 10
    assert key not in others
    unconcerned = Settings(("R",), ("per-system", "common"), (5.0, 9.0), stations("Irkutsk"), map_grid_deg=5.0)
    assert product.keys(unconcerned).of("2024-01-10", part, ["a", "b"]) == key


def test_products_name_settings_that_exist_and_columns_that_order_them():
    for product in PRODUCTS.values():
        assert set(product.settings) | set(product.divided_by) <= set(Settings.__dataclass_fields__)
        assert set(product.order) <= set(product.columns)
        assert set(product.columns.values()) <= {"VARCHAR", "DOUBLE", "BIGINT", "TIMESTAMP", "BOOLEAN"}
