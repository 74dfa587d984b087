"""Figures inside pages: paths written shorter are the same paths."""

import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.output.pages.figures import INK, _by_steps, inline_svg, new_figure, settings

pytest.importorskip("matplotlib")
NUMBER = r"-?(?:\d+\.?\d*|\.\d+)"


def walk(path):
    """Follow a path as SVG 2 says (9.3), letters repeated or left out; return its commands with absolute hundredths."""
    words = re.findall(rf"[A-Za-z]|{NUMBER}", path)
    assert re.sub(rf"[A-Za-z]|{NUMBER}|\s", "", path) == ""
    lengths = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0}
    here = start = np.zeros(2, int)
    found: list[tuple[str, list]] = []
    letter = ""
    while words:
        letter = words.pop(0) if words[0].isalpha() else {"M": "L", "m": "l"}.get(letter, letter)
        n = lengths[letter.upper()]
        points = np.array([round(float(f"{float(words.pop(0)):.2f}") * 100) for _ in range(n)], int).reshape(-1, 2)
        points = points + (here if letter.islower() else 0)
        here = points[-1] if n else start
        start = here if letter in "Mm" else start
        found.append((letter.upper(), points.tolist()))
    return found


def drawn(line):
    """Draw a line, an area and marks; return paths as matplotlib writes them, and as the page gets them."""
    with settings():
        figure = new_figure(3.0)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.plot(*np.transpose(line), color=INK)
        axes.fill([0, 1, 2], [3, 5, 4], color=INK)
        axes.plot([1, 2], [3, 4], "o", color=INK)  # marks are curves
        page, stream = inline_svg(figure, "test"), io.StringIO()
        figure.savefig(stream, format="svg")
    return (re.findall(r' d="([^"]*)"', text) for text in (stream.getvalue(), page))


@pytest.mark.parametrize("seed", range(5))
def test_the_page_has_the_paths_of_the_figure(seed):
    line = np.random.default_rng(seed).normal(scale=5.0, size=(300, 2)).cumsum(axis=0)
    line[[50, 200]] = np.nan  # breaks
    line[60:90, 0] = line[60, 0]  # straight up and down
    figure, page = (list(paths) for paths in drawn(line))
    assert [walk(path) for path in page] == [walk(path) for path in figure]
    assert sum(map(len, page)) < 0.6 * sum(map(len, figure))


POINT = st.tuples(*[st.decimals(-2000, 2000, places=6)] * 2).map(lambda point: f"{point[0]} {point[1]}")
LINE = st.lists(st.one_of(POINT.map("L {} ".format), POINT.map("Q 1 2 {} ".format), st.just("z ")), max_size=8)


@given(st.lists(st.tuples(POINT.map("M {} ".format), LINE), min_size=1, max_size=4))
def test_any_path_is_the_same_written_by_steps(parts):
    path = "".join(move + "".join(line) for move, line in parts)
    assert walk(_by_steps(path)) == walk(path)
