"""Scenarios as users write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.errors import ScenarioError
from gnss_coop.model.scenario import Scenario, parse_scenarios
from gnss_coop.model.systems import SYSTEMS


@given(st.lists(st.sampled_from(list(SYSTEMS)), min_size=1, unique=True))
def test_text_comes_back(letters):
    text = "+".join(letters)
    scenario = Scenario.parse(text)
    assert str(scenario) == text
    assert scenario.systems == tuple(letters)


@pytest.mark.parametrize("text", ["", "R+", "X", "R+X", "R+R", "r", "RC", "+"])
def test_wrong_letters_are_answered_with_the_known_ones(text):
    with pytest.raises(ScenarioError, match=r"known are G \(GPS\), R \(GLONASS\)"):
        Scenario.parse(text)


@pytest.mark.parametrize(
    ("clocks", "variance_m2"),
    [
        ("per-system", math.inf),
        ("common", 0.0),
        # 5 ns of light are 1.499 m between two systems; half of the square is each clock's own.
        ("prior:5", 1.49896229**2 / 2),
        ("prior:0", 0.0),
        ("prior:inf", math.inf),
    ],
)
def test_clock_modes(clocks, variance_m2):
    assert Scenario.parse("R+C", clocks).offset_variance_m2 == pytest.approx(variance_m2, rel=1e-9)


@pytest.mark.parametrize(
    "clocks", ["", "prior", "prior:", "prior:x", "prior:-1", "prior:nan", "common:5", "per-system:5", "free"]
)
def test_wrong_clocks_are_refused(clocks):
    with pytest.raises(ScenarioError, match="prior:NS"):
        Scenario.parse("R", clocks)


def test_lists_and_strings_are_the_same():
    assert parse_scenarios("R, C,R+C", "common") == parse_scenarios(["R", "C", "R+C"], "common")


@pytest.mark.parametrize("systems", [[], "", "R,,C", "R,R", ["R+C", "C+R"]])
def test_wrong_lists_are_refused(systems):
    with pytest.raises(ScenarioError):
        parse_scenarios(systems)
