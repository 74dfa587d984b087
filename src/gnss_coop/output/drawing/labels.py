"""Names beside places, on the side where they cover nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from gnss_coop.output.drawing.projection import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE: Final = 7.0
#: Height of a line by the size of the letters, and distance of a name from its place [points].
_LINE, _AWAY = 1.3, 4.0
#: Room around a name by the size of the letters, and how much wider letters become on the raster of a picture.
_PAD, _HINTED = 0.2, 1.05
_WEIGHTS: Final = {False: "normal", True: "bold"}
_POINTS_PER_INCH: Final = 72
#: Sides on which a name can stand, the best first: shares of its width and of a line, and of the distance.
_SIDES: Final = np.array([
    (across, up, (2.0 * across + 1.0) * 1.2, 0.0 if across != -0.5 else 1.4 * np.sign(up + 0.5))
    for up in (-0.2, -0.8, 0.6, -1.6, 1.4, -2.4, 2.2, -3.2)
    for across in (0.0, -1.0, -0.5)
])  # fmt: skip
#: What a side counts for that is so many places down that list [square points].
_SIDE_COST: Final = 0.5
#: Names longer than this are divided behind a hyphen or at a space.
_LONG_NAME: Final = 14
#: A covered place weighs as much as so much covered area of a name.
_DOT_WEIGHT: Final = 10.0
#: A name farther away than this has a line to its place [points].
_LEADER: Final = 7.0


class Label(NamedTuple):
    """A name, and the place on the map that it belongs to."""

    text: str
    x: float
    y: float
    bold: bool = False


def draw_labels(axes: Axes, labels: Sequence[Label], *, size: float = _SIZE) -> None:
    """Write names beside their places so that they cover neither each other nor a place, as far as there is room."""
    if not labels:
        return
    labels = [label._replace(text=_divided(label.text)) for label in labels]
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    width, height = np.asarray(axes.bbox.size) / axes.figure.dpi * _POINTS_PER_INCH
    scale = np.array([width / (east - west), height / (north - south)])
    anchors = (np.array([[label.x, label.y] for label in labels]) - (west, south)) * scale
    sizes = np.array([_extent(label, size) for label in labels])
    box: dict[str, Any] = {"boxstyle": "round,pad=0.1", "facecolor": "white", "alpha": 0.8, "linewidth": 0}
    for label, corner, extent in zip(labels, free_corners(anchors, sizes, width), sizes, strict=True):
        x, y = corner / scale + (west, south)
        axes.text(
            x, y, label.text, fontsize=size, zorder=7, bbox=box, ha="left", va="bottom", weight=_WEIGHTS[label.bold]
        )
        anchor = (np.array([label.x, label.y]) - (west, south)) * scale
        nearest = np.clip(anchor, corner, corner + extent)
        if np.hypot(*(nearest - anchor)) > _LEADER:
            ends = np.array([anchor, nearest]) / scale + (west, south)
            axes.plot(*ends.T, color="black", linewidth=0.5, zorder=5.9)


def _extent(label: Label, size: float) -> tuple[float, float]:
    """Return width and height of a label with its box [points]."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(weight=_WEIGHTS[label.bold])
    lines = label.text.split("\n")
    width = max(float(TextPath((0, 0), line, size=size, prop=font).get_extents().width) for line in lines)
    return width * _HINTED + _PAD * size, (_LINE * len(lines) + _PAD) * size


def _divided(text: str) -> str:
    """Divide a long name in two lines."""
    if len(text) <= _LONG_NAME or "\n" in text:
        return text
    return re.sub(r"(?<=-)|\s", "\n", text, count=1)


def free_corners(anchors: Floats, sizes: Floats, width: float) -> Floats:
    """Return the lower left corner of each name [points].

    Each takes the side on which it covers least of the places, of the names before it and of what lies beyond the
    map's sides.

    Parameters
    ----------
    anchors, sizes : (n, 2) float64
        Places, and widths and heights of names.
    width : float
        Width of the map.

    Returns
    -------
    (n, 2) float64

    Examples
    --------
    >>> free_corners(np.array([[50.0, 50.0], [60.0, 50.0]]), np.full((2, 2), [30.0, 10.0]), 100.0).round(2).tolist()
    [[15.2, 48.18], [64.8, 48.18]]
    """
    dots = np.concatenate([anchors - _AWAY, anchors + _AWAY], axis=1)
    corners = np.zeros_like(anchors)
    names: list[Floats] = []
    for i in np.argsort(-sizes[:, 0], kind="stable"):  # the longest are the hardest to place
        line = np.array([1.0, _LINE * _SIZE / sizes[i, 1]])
        choices = anchors[i] + _SIDES[:, :2] * sizes[i] * line + _SIDES[:, 2:] * _AWAY
        boxes = np.concatenate([choices, choices + sizes[i]], axis=1)
        other_dots = np.delete(dots, i, axis=0)
        covered = sum((_overlap(boxes, name) for name in names), np.zeros(len(boxes)))
        covered += sum((_DOT_WEIGHT * _overlap(boxes, dot) for dot in other_dots), np.zeros(len(boxes)))
        beyond = np.clip(-boxes[:, 0], 0.0, None) + np.clip(boxes[:, 2] - width, 0.0, None)
        cost = covered + beyond * sizes[i, 1] + _SIDE_COST * np.arange(len(boxes))
        best = int(np.argmin(np.round(cost, 6)))
        corners[i] = choices[best]
        names.append(boxes[best])
    return corners


def _overlap(boxes: Floats, other: Floats) -> Floats:
    """Return the common area of each box (west, south, east, north) with another."""
    low, high = np.maximum(boxes[:, :2], other[:2]), np.minimum(boxes[:, 2:], other[2:])
    return np.asarray(np.clip(high - low, 0.0, None).prod(axis=1))
