"""What `gnss_coop` promises to its users: every name is there, explained, and shown at work."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import gnss_coop

EXAMPLE = re.compile(r"^Examples?\n-+\n(?=(?:.*\n)*?>>> )", re.MULTILINE)
ERRORS = (Exception, Warning)


def public(*, errors: bool) -> list[str]:
    """Names of errors, or of functions and other classes."""
    values = {name: getattr(gnss_coop, name) for name in gnss_coop.__all__ if name != "__version__"}
    return [name for name, value in values.items() if (inspect.isclass(value) and issubclass(value, ERRORS)) == errors]


def type_checked_imports() -> dict[str, str]:
    """Names that type checkers see, with the module that they come from."""
    tree = ast.parse(Path(gnss_coop.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module.removeprefix("gnss_coop.") for node in imports for alias in node.names}


@pytest.mark.parametrize("name", gnss_coop.__all__)
def test_name_is_importable(name):
    assert getattr(gnss_coop, name) is not None


def test_names_are_listed_once_and_in_order():
    assert dir(gnss_coop) == sorted(set(gnss_coop.__all__))
    assert len(set(gnss_coop.__all__)) == len(gnss_coop.__all__)


def test_python_and_type_checkers_see_the_same_names():
    assert type_checked_imports() == gnss_coop._HOME
    assert {*gnss_coop._HOME, "__version__"} == set(gnss_coop.__all__)


@pytest.mark.parametrize("name", public(errors=False))
def test_docstring_holds_an_example(name):
    assert EXAMPLE.search(inspect.getdoc(getattr(gnss_coop, name)) or ""), f"{name} has no Examples section"


@pytest.mark.parametrize("name", public(errors=True))
def test_error_is_explained_and_belongs_to_the_family(name):
    value = getattr(gnss_coop, name)
    # `__doc__`, for inspect would go on to the docstring of the base class.
    assert value.__doc__
    assert issubclass(value, (gnss_coop.GnssCoopError, gnss_coop.errors.GnssCoopWarning))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = gnss_coop.no_such_thing


def test_version_is_a_release_number():
    assert re.fullmatch(r"\d+\.\d+\.\d+([.a-z]+\d+)?", gnss_coop.__version__)
