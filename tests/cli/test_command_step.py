"""One figure for one thing: commands agree, since their default step is one."""

import pytest

from gnss_coop.cli import main

SPAN = ("--start", "2022-06-08T10:30:00", "--hours", "2")


@pytest.mark.parametrize("name", list(main.COMMANDS))
def test_the_default_step_is_one(name):
    defaults = {p.name: p.default for p in main.cli.get_command(None, name).params}
    assert {defaults.get(key, 300.0) for key in ("step_s", "map_step_s")} == {300.0}


def test_ledger_and_compare_agree_on_the_sample_day(run, day, tmp_path, read_exactly):
    """At a mask of 25 deg Irkutsk's GLONASS alone was 63.54 % in one and 64.10 % in the other."""
    pytest.importorskip("duckdb")
    of_irkutsk = ("--stations", "Irkutsk", "--mask", "25")
    compared = run("compare", day, *of_irkutsk, "--format", "csv").table
    assert run("ledger", day, *of_irkutsk, "-o", tmp_path / "l").code == 0
    ledger = read_exactly((tmp_path / "l" / "ledger.csv").read_text("utf-8"))
    alone = compared.loc[compared.systems == "R", "availability_pct"].item()
    chosen = ledger[(ledger.place == "Irkutsk") & (ledger.quantity == "availability_pct") & (ledger.beneficiary == "R")]
    assert float(chosen.standalone.item()) == pytest.approx(alone, abs=1e-9)


def test_the_step_is_named(run, hours):
    assert "epochs every 300 s from" in run("compare", hours, *SPAN).out
