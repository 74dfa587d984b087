"""`stations`: the six shipped ones against the coordinates that the IGS published, and files of one's own."""

import json

import numpy as np
import pymap3d

COLUMNS = ["station", "country", "networks", "marker", "domes", "latitude_deg", "longitude_deg", "height_m", "frame",
           "source"]  # fmt: skip

#: IGS weekly SINEX, week 2131, epoch 2020-11-11, IGb14; SHAO from its site log, good to about a metre.
ECEF_M = {
    "CHAN": (-2674427.683, 3757143.061, 4391521.511),
    "URUM": (193030.142, 4606851.284, 4393311.524),
    "SHAO": (-2831733.583, 4675665.958, 3275369.41),
    "MOBN": (2936431.719, 2178364.750, 5208858.357),
    "IRKJ": (-968328.993, 3794426.502, 5018167.191),
    "PETS": (-3580828.380, 1399698.257, 5072185.026),
}


def test_six_stations_stand_where_the_igs_says(run):
    table = run("stations", "--format", "csv").table
    assert list(table.columns) == COLUMNS
    assert dict(zip(table["marker"], table["country"], strict=True)) == {
        "CHAN": "CN", "URUM": "CN", "SHAO": "CN", "MOBN": "RU", "IRKJ": "RU", "PETS": "RU",
    }  # fmt: skip
    xyz = np.transpose(pymap3d.geodetic2ecef(table["latitude_deg"], table["longitude_deg"], table["height_m"]))
    np.testing.assert_allclose(xyz, [ECEF_M[marker] for marker in table["marker"]], atol=1e-3)


def test_networks_names_and_markers_select(run):
    assert run("stations", "russia", "--format", "csv").table["country"].unique().tolist() == ["RU"]
    assert run("stations", "chan", "URUMQI", "--format", "csv").table["marker"].tolist() == ["CHAN", "URUM"]
    assert len(run("stations", "china", "russia", "--format", "csv").table) == 6


def test_the_table_for_reading_has_units_in_its_head(run):
    result = run("stations", "Irkutsk")
    head, units, row = result.out.splitlines()
    assert head.split()[:6] == ["station", "country", "networks", "marker", "domes", "latitude"]
    assert units.split() == ["[deg]", "[deg]", "[m]"]
    assert "52.219020" in row


def test_names_in_other_scripts_come_through(run, tmp_path):
    (tmp_path / "roof.toml").write_text(
        'name = "Крыша 屋顶"\ngeodetic = { latitude_deg = -33.0, longitude_deg = 200.0, height_m = -20.0 }\n', "utf-8"
    )
    row = json.loads(run("stations", "./roof.toml", "--format", "json").out)[0]
    assert row["station"] == "Крыша 屋顶"
    assert abs(row["latitude_deg"] + 33) < 1e-9
    assert abs(row["height_m"] + 20) < 1e-6


def test_an_unknown_name_gets_a_suggestion(run):
    run("stations", "Irkusk").refused("no station or network 'Irkusk'", "Did you mean Irkutsk?")
