"""Where the parts of a picture stand: title, panels in rows, colour bar and caption, from above to below."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Final

import numpy as np

from gnss_coop.output.drawing.projection import View

Box = tuple[float, float, float, float]

MAX_COLUMNS: Final = 3
#: Width of a panel where there are one, two or more in a row, its greatest height, and margins [inch].
_PANEL_WIDTHS: Final = (8.0, 5.5, 4.4)
_MAX_PANEL_HEIGHT: Final = 5.5
_LEFT, _RIGHT, _BETWEEN = 0.55, 0.35, 0.45
_PANEL_TITLE, _PANEL_LABELS = 0.3, 0.35
_TITLE_LINE, _BAR, _BAR_WORDS, _CAPTION_LINE = 0.24, 0.16, 0.55, 0.15
_TITLE_EDGE, _CAPTION_EDGE = 0.12, 0.08
_TITLE_CHARACTERS_PER_INCH: Final = 10.5
_CAPTION_CHARACTERS_PER_INCH: Final = 18.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """Sizes of the parts of a picture [inch].

    Attributes
    ----------
    columns, rows : int
        How the panels stand.
    panel_width, panel_height, panel_head : float
        Size of a panel, and room for its title.
    width : float
    title, caption : list of str
        Lines that fit the width.
    """

    columns: int
    rows: int
    panel_width: float
    panel_height: float
    panel_head: float
    width: float
    title: list[str]
    caption: list[str]

    @classmethod
    def of(cls, view: View, panels: int, title: str, caption: str) -> Sheet:
        """Arrange so many panels of a view."""
        columns = min(panels, MAX_COLUMNS)
        x, y = view.outline()
        shape = float(np.ptp(y) / np.ptp(x))
        panel_width = min(_PANEL_WIDTHS[columns - 1], _MAX_PANEL_HEIGHT / shape)
        needed = _LEFT + columns * panel_width + (columns - 1) * _BETWEEN + _RIGHT
        width = max(needed, _PANEL_WIDTHS[-1])
        return cls(
            columns,
            -(-panels // columns),
            panel_width,
            panel_width * shape,
            # A disc has labels all round, so also between its title and its edge.
            _PANEL_TITLE + (_CAPTION_LINE if view.is_disc else 0.0),
            width,
            textwrap.wrap(title, int(width * _TITLE_CHARACTERS_PER_INCH)),
            textwrap.wrap(caption, int(width * _CAPTION_CHARACTERS_PER_INCH), break_on_hyphens=False),
        )

    @property
    def title_pad(self) -> float:
        """Distance of a panel's title from its edge [inch]."""
        return 0.08 + self.panel_head - _PANEL_TITLE

    @property
    def title_place(self) -> tuple[float, float]:
        """Middle of the title's upper edge, as shares of the picture."""
        return 0.5, 1.0 - _TITLE_EDGE / self.height

    @property
    def caption_place(self) -> tuple[float, float]:
        """Middle of the caption's lower edge, as shares of the picture."""
        return 0.5, _CAPTION_EDGE / self.height

    @property
    def height(self) -> float:
        """Height of the picture."""
        return _TITLE_LINE * (len(self.title) + 0.5) + self.rows * self._row + self._foot

    @property
    def bar(self) -> Box:
        """Left, bottom, width and height of the colour bar, as shares of the picture."""
        return 0.1, (self._foot - _BAR) / self.height, 0.8, _BAR / self.height

    def panel(self, index: int) -> Box:
        """Return left, bottom, width and height of a panel, as shares of the picture."""
        row, column = divmod(index, self.columns)
        used = self.columns * self.panel_width + (self.columns - 1) * _BETWEEN
        left = (self.width - used + _LEFT - _RIGHT) / 2 + column * (self.panel_width + _BETWEEN)
        bottom = self._foot + (self.rows - 1 - row) * self._row + _PANEL_LABELS
        sizes = (left / self.width, bottom / self.height)
        return *sizes, self.panel_width / self.width, self.panel_height / self.height

    @property
    def _row(self) -> float:
        return self.panel_head + self.panel_height + _PANEL_LABELS

    @property
    def _foot(self) -> float:
        return _BAR + _BAR_WORDS + _CAPTION_LINE * (len(self.caption) + 1)
