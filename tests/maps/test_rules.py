"""The published rules: their figures, and what to do with a name that is none."""

import pytest

from gnss_coop.errors import ScenarioError
from gnss_coop.maps.rules import RULES, rule_named

# Days, mean over the globe and worst place as GPS SPS PS 2020, BDS-OS-PS-3.0 and Galileo OS SDD 1.3 state them;
# the GLONASS centre states a method and promises nothing.
FIGURES = {
    "iac": (1.0, None, None),
    "gps-sps": (1.0, 98.0, 88.0),
    "bds-os": (7.0, 98.0, 88.0),
    "galileo-os": (30.0, 90.0, 87.0),
}


@pytest.mark.parametrize(("name", "figures"), FIGURES.items())
def test_figures_are_the_published_ones(name, figures):
    rule = rule_named(name)
    assert (rule.days, rule.global_pct, rule.worst_pct) == figures
    assert (rule.mask_deg, rule.max_pdop, rule.step_s, rule.grid_deg) == (5.0, 6.0, 240.0, 1.0)
    assert rule.title
    assert rule.source


def test_every_rule_is_known_by_its_name():
    assert list(RULES) == list(FIGURES)
    assert all(RULES[name].name == name for name in RULES)


@pytest.mark.parametrize("name", ["", "GPS-SPS", "gps", "iac "])
def test_an_unknown_name_is_told_with_those_known(name):
    with pytest.raises(ScenarioError, match=f"unknown rule '{name}'.*iac, gps-sps, bds-os, galileo-os"):
        rule_named(name)
