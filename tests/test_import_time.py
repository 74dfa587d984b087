"""`import gnss_coop` must stay light: scripts, `--help` and completion pay for it each time."""

import json
import subprocess
import sys

HEAVY = ("numba", "pandas", "xarray", "pydantic", "georinex")

LOADED = """
import json, sys
import gnss_coop
{use}
print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""


def heavy_modules_after(use: str) -> list[str]:
    code = LOADED.format(use=use, heavy=HEAVY)
    finished = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return json.loads(finished.stdout)


def test_import_loads_no_heavy_library():
    assert heavy_modules_after("") == []


def test_listing_names_loads_no_heavy_library():
    assert heavy_modules_after("dir(gnss_coop)") == []


def test_errors_load_no_heavy_library():
    assert heavy_modules_after("gnss_coop.RinexError, gnss_coop.GnssCoopError") == []


def test_the_check_sees_a_heavy_library():
    assert heavy_modules_after("import pandas") == ["pandas"]
