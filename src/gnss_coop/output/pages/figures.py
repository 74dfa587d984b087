"""Colours and lines of the figures in reports, and SVG that can stand inside a page.

Any two systems, and text, differ by 20 in CIELAB as readers with deuteranopia and protanopia see them, on light and on
dark pages; line styles and marks differ as well. Colours reach the page as CSS variables, so that a dark page can use
brighter ones.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

#: Stand-ins of matplotlib's for what the page decides: text, rules, obscured sky, and the page itself.
INK, RULE, SHADE, PAPER = "#010101", "#020202", "#030303", "#040404"
_PAGE_COLORS: Final = {
    INK: "currentColor",
    RULE: "var(--rule, #c8ccd0)",
    SHADE: "var(--shade, #dfe3e6)",
    PAPER: "var(--paper, #ffffff)",
}
FIGURE_WIDTH: Final = 7.4  # inches, between the margins of A4
_DOP_TICKS: Final = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 50.0)
#: Larger DOPs are off the scale: of no use to anybody, and the lines below would lie on each other.
DOP_TOP: Final = 20.0
#: Dashes [points] of joint scenarios, the first one solid.
_JOINT_DASHES: Final = ((), (6.0, 2.0), (2.0, 1.5), (7.0, 2.0, 1.5, 2.0))
_SETTINGS: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gnss-coop",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "path.simplify": True,
}


#: Numbers that follow a command of a path.
_NUMBERS: Final = {"M": 2, "L": 2, "Q": 4, "C": 6, "z": 0}


@dataclass(frozen=True, slots=True)
class Stroke:
    """How a system or scenario is drawn.

    Attributes
    ----------
    color : str
        As matplotlib takes it.
    dashes : tuple of float
        Lengths of line and gap [points]; empty for a solid line.
    width : float
        [points]
    mark : str
        Of a point, as matplotlib takes it.
    """

    color: str
    dashes: tuple[float, ...] = ()
    width: float = 1.4
    mark: str = "o"

    @property
    def style(self) -> tuple[float, tuple[float, ...] | None]:
        """The line style as matplotlib takes it."""
        return 0.0, self.dashes or None

    @property
    def sign(self) -> str:
        """The mark as a character, for legends in a page."""
        return _SIGNS[self.mark]

    @property
    def css_color(self) -> str:
        """The colour as the page takes it."""
        return _css(self.color)


SYSTEM_STROKES: Final = {
    "R": Stroke("#d55e00"),
    "C": Stroke("#0072b2", (5.0, 1.5), mark="s"),
    "G": Stroke("#26985e", (1.5, 1.2), mark="D"),
    "E": Stroke("#7b4100", (6.0, 1.5, 1.5, 1.5), mark="^"),
    "J": Stroke("#cd74a0", (3.0, 1.0, 1.0, 1.0, 1.0, 1.0), mark="v"),
    "I": Stroke("#03466a", (8.0, 3.0), mark="P"),
    "S": Stroke("#585858", (1.0, 2.0), mark="X"),
}
#: Marks of joint scenarios in their order, and all marks as characters.
_JOINT_MARKS: Final = ("*", "<", ">", "d")
_SIGNS: Final = {
    "o": "●", "s": "■", "D": "◆", "^": "▲", "v": "▼", "P": "✚", "X": "✖", "*": "★", "<": "◀", ">": "▶", "d": "⬧",
}  # fmt: skip
_SYSTEM_OF: Final = {stroke.color: letter for letter, stroke in SYSTEM_STROKES.items()}


def scenario_strokes(scenarios: Sequence[str]) -> dict[str, Stroke]:
    """Return how each scenario is drawn: as its system, or in the colour of text where it joins several.

    Examples
    --------
    >>> {name: stroke.css_color for name, stroke in scenario_strokes(["R", "R+C"]).items()}
    {'R': 'var(--system-R, #d55e00)', 'R+C': 'currentColor'}
    """
    joint = [name for name in scenarios if name not in SYSTEM_STROKES]
    return {name: SYSTEM_STROKES.get(name) or _joint_stroke(joint.index(name)) for name in scenarios}


def _joint_stroke(index: int) -> Stroke:
    dashes, mark = _JOINT_DASHES[index % len(_JOINT_DASHES)], _JOINT_MARKS[index % len(_JOINT_MARKS)]
    return Stroke(INK, dashes, 2.0, mark)


def settings() -> Any:
    """Return a context in which figures are drawn."""
    import matplotlib as mpl

    return mpl.rc_context(_SETTINGS)


def new_figure(height: float) -> Figure:
    """Return an empty figure of the width of all [inches]."""
    from matplotlib.figure import Figure

    return Figure(figsize=(FIGURE_WIDTH, height))


def dop_axis(axis: Axis, values: npt.NDArray[np.float64], shown: float) -> None:
    """Make an axis logarithmic, with round numbers, and so long that it holds the values and one to be shown."""
    finite = values[np.isfinite(values)]
    low = min(finite.min(), 1.0) * 0.9 if finite.size else 0.9
    top = max(DOP_TOP, shown * 1.5)
    high = min(max(finite.max() * 1.3, shown * 1.5), top) if finite.size else top
    name = "x" if axis is axis.axes.xaxis else "y"
    axis.axes.set(**{f"{name}scale": "log", f"{name}lim": (low, high)})
    ticks = [tick for tick in _DOP_TICKS if low <= tick <= high]
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)


def runs_of(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return where true values begin and end (not included).

    Examples
    --------
    >>> runs_of(np.array([True, True, False, True]))
    [(0, 2), (3, 4)]
    """
    steps = np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8))
    return [(int(a), int(b)) for a, b in np.flatnonzero(steps).reshape(-1, 2)]


def _css(color: str) -> str:
    return f"var(--system-{_SYSTEM_OF[color]}, {color})" if color in _SYSTEM_OF else _PAGE_COLORS[color]


def inline_svg(figure: Figure, name: str) -> str:
    """Return a figure as an SVG element for a page.

    Colours become variables of the page, fonts those of the page, numbers are cut to hundredths of a point, paths
    are written by their steps, and identifiers start with the figure's name, so that several figures can share a page.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn within `settings`.
    name : str
        Different for each figure of a page.
    """
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"(?<=[\s\d,MLQCz(\"-])(\d*\.\d{3,})", lambda m: f"{float(m[1]):.2f}".rstrip("0").rstrip("."), text)
    text = re.sub(r" d=\"([^\"]*)\"", lambda m: f' d="{_by_steps(m[1])}"', text)
    text = re.sub("|".join((*_SYSTEM_OF, *_PAGE_COLORS)), lambda m: _css(m[0]), text)
    text = re.sub(r"font: ([\d.]+)px [^;\"]*", r"font: \1px var(--sans, sans-serif)", text)
    used = set(re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)\"", text))
    kept = {a or b for a, b in used}
    text = re.sub(r" id=\"([^\"]*)\"", lambda m: f' id="{name}-{m[1]}"' if m[1] in kept else "", text)
    text = re.sub(r"(url\(#|href=\"#)", rf"\g<1>{name}-", text)
    text = re.sub(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>", r'<svg \1 role="img">', text, count=1)
    text = text.replace("xlink:href", "href")
    return re.sub(r">\s+<", ">\n<", text).strip()


def _by_steps(path: str) -> str:
    """Write the absolute path that matplotlib gives as steps from point to point, which takes half of the text.

    Steps are between points cut to hundredths, so that nothing adds up.

    Examples
    --------
    >>> _by_steps("M 10.5 20 L 11.25 19.75 L 12 19.75 z M 1 2 C 1 3 2 4 3.3 4")
    'M10.5 20l.75-.25 .75 0zm-9.5-18c0 1 1 2 2.3 2'
    """
    words = path.split()
    parts: list[str] = []
    here = start = (0, 0)
    at, last = 0, ""
    while at < len(words):
        command = words[at]
        after = at + 1 + _NUMBERS[command]
        numbers = [round(float(word) * 100) for word in words[at + 1 : after]]
        steps = "".join(_joined(number - here[i % 2]) for i, number in enumerate(numbers))
        # A line goes on without a letter; the first move has none to start from.
        parts.append(steps if last == command == "L" else (command.lower() if parts else command) + steps.lstrip())
        here = (numbers[-2], numbers[-1]) if numbers else start
        start = here if command == "M" else start
        at, last = after, command
    return "".join(parts)


def _joined(hundredths: int) -> str:
    """Return a number that may follow another one."""
    text = f"{abs(hundredths) / 100:.2f}".strip("0").rstrip(".") or "0"
    return f"-{text}" if hundredths < 0 else f" {text}"
