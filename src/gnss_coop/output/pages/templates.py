"""What all pages share: the templates, and figures with their words filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment


def templates() -> tuple[Environment, Any]:
    """Return the templates, and the style that stands in each page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("gnss_coop.output.pages", "files"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    css, _, _ = environment.loader.get_source(environment, "style.css")  # type: ignore[union-attr]  # set above
    return environment, Markup(css)


def with_words(svg: str, t: Mapping[str, str], alt: str) -> Any:
    """Return a figure with its words in place of their keys, and with an alternative text."""
    from markupsafe import Markup, escape

    text = re.sub(r"\[\[([^\]]+)\]\]", lambda key: str(escape(t[key[1]])), svg)
    label = str(escape(alt))
    return Markup(text.replace('role="img">', f'role="img" aria-label="{label}">\n<title>{label}</title>', 1))
