"""Where values come from: flag over environment over config file over default."""

import pytest

from gnss_coop.cli import config, main

AT = ("--at", "2022-10-05T00:20:00")
SHARED = set(config.KEYS.values())


@pytest.fixture
def masks(run, glonass):
    """Run `dop` and return the masks that it used."""

    def call(*options, before=()):
        chosen = ("--stations", "Irkutsk", "--systems", "R", "--format", "csv")
        result = run(*before, "dop", glonass, *AT, *chosen, *options)
        assert result.code == 0, result.err
        return result.table["mask_deg"].tolist()

    return call


def test_flag_over_environment_over_file_over_default(masks, monkeypatch, tmp_path):
    assert masks() == [5]
    (tmp_path / "gnss-coop.toml").write_text("mask = 10")
    assert masks() == [10]
    (tmp_path / "gnss-coop.toml").write_text("mask = 10\n[dop]\nmask = [11, 12]\n[compare]\nmask = 13\n")
    assert masks() == [11, 12]
    monkeypatch.setenv("GNSS_COOP_MASK", "20,21")
    assert masks() == [20, 21]
    assert masks("--mask", "30") == [30]


def test_which_file_is_taken(masks, monkeypatch, tmp_path):
    user = tmp_path / "user-config" / "gnss-coop" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("mask = 41")
    assert masks() == [41]
    (tmp_path / "gnss-coop.toml").write_text("mask = 42")
    assert masks() == [42]
    (tmp_path / "named.toml").write_text("mask = 43")
    monkeypatch.setenv("GNSS_COOP_CONFIG", "named.toml")
    assert masks() == [43]
    (tmp_path / "flag.toml").write_text("mask = 44")
    assert masks(before=("--config", "flag.toml")) == [44]


def test_values_may_be_written_as_toml_has_them(run, glonass, tmp_path):
    (tmp_path / "gnss-coop.toml").write_text(
        """
        stations = ["china", "Irkutsk"]
        systems = ["R", "G"]
        mask = 7.5
        at = 2022-10-05T00:20:00Z
        max-age = { R = 1800, C = 3600 }
        exclude-sv = ["R02"]
        format = "csv"
        quiet = true
        """
    )
    result = run("dop", glonass)
    assert (result.code, result.err) == (0, "")
    assert result.table["station"].unique().tolist() == ["Changchun", "Urumqi", "Shanghai", "Irkutsk"]
    assert result.table["systems"].unique().tolist() == ["R", "G"]
    assert result.table["mask_deg"].unique().tolist() == [7.5]
    assert result.table["time_gpst"].unique().tolist() == ["2022-10-05T00:20:18"]


def test_stations_is_an_option_and_a_command(run, glonass, tmp_path):
    (tmp_path / "gnss-coop.toml").write_text('stations = "china"')
    assert "Irkutsk" in run("stations").out
    assert "Irkutsk" not in run("dop", glonass, *AT).out
    (tmp_path / "gnss-coop.toml").write_text('[stations]\nformat = "csv"')
    assert len(run("stations").table) == 6
    assert "Irkutsk" in run("dop", glonass, *AT).out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mask 5", ("gnss-coop.toml", "line 1")),
        ("masks = 5", ("unknown key masks", "known: systems")),
        ("[dop]\nmasks = 5", ("unknown key dop.masks",)),
        ("[dopp]\nmask = 5", ("unknown key dopp",)),
        ("dop = 5", ("unknown key dop",)),
        ("step = -5", ("must be positive",)),
        ('format = "xml"', ("'xml' is not one of",)),
        ("mask = []", ("at least one",)),
    ],
)
def test_a_faulty_file_is_refused(run, glonass, tmp_path, text, words):
    (tmp_path / "gnss-coop.toml").write_text(text)
    run("dop", glonass, *AT).refused(*words)


def test_a_file_that_is_missing_or_no_text(run, tmp_path):
    run("--config", "missing.toml", "stations").refused("missing.toml", "No such file")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    run("--config", "binary.toml", "stations").refused("binary.toml")
    run("--config", tmp_path, "stations").refused("is a directory")


@pytest.mark.parametrize(
    ("variable", "value", "options"),
    [
        ("GNSS_COOP_STATIONS", "china", ("--stations", "china")),
        ("GNSS_COOP_SYSTEMS", "R,G", ("--systems", "R,G")),
        ("GNSS_COOP_CLOCKS", "common", ("--clocks", "common")),
        ("GNSS_COOP_EXCLUDE_SV", "R01", ("--exclude-sv", "R01")),
        ("GNSS_COOP_MAX_AGE", "R:60", ("--max-age", "R:60")),
        ("GNSS_COOP_FORMAT", "json", ("--format", "json")),
        ("GNSS_COOP_QUIET", "1", ("--quiet",)),
    ],
)
def test_the_environment_does_what_the_flag_does(run, glonass, monkeypatch, variable, value, options):
    plain, flagged = run("dop", glonass, *AT), run("dop", glonass, *AT, *options)
    monkeypatch.setenv(variable, value)
    assert run("dop", glonass, *AT) == flagged
    assert flagged != plain or variable == "GNSS_COOP_CLOCKS"  # one system has one clock


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_shared_option_has_its_variable_and_its_key(name):
    command = main.cli.get_command(None, name)
    for param in command.params:
        flag = next((o for o in param.opts if o.startswith("--")), None)
        if flag is None or param.name not in SHARED:
            continue
        assert param.envvar == "GNSS_COOP_" + flag[2:].replace("-", "_").upper()
        assert config.KEYS[flag[2:]] == param.name
