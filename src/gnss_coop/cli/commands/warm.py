"""``gnss-coop warm``: compile all kernels now, so that no later run has to."""

from __future__ import annotations

import io
import os
import tempfile
import time
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final

import click

from gnss_coop.cli import options as opt
from gnss_coop.errors import GnssCoopError

#: Command lines that together call every kernel; NAV and OBS stand for the installed sample. What is computed is
#: small and of no interest. Those behind an extra that is not installed are left out.
RUNS: Final = (
    ("info", "NAV"),
    ("positions", "NAV", "--at", "2024-01-10T12:00"),
    ("visibility", "NAV", "--at", "2024-01-10T12:00"),
    ("visibility", "NAV", "--stations", "Irkutsk", "--passes", "--start", "2024-01-10T12:00", "--hours", "2"),
    ("compare", "NAV", "--step", "3600"),
    ("map", "NAV", "--grid", "30", "--step", "7200", "-o", "map.nc"),
    ("map", "NAV", "--grid", "30", "--step", "7200", "--gain"),
    ("map", "NAV", "--grid", "30", "--at", "2024-01-10T12:00"),
    ("network", "NAV", "--step", "3600"),
    ("network", "NAV", "--step", "3600", "--table", "worth"),
    ("network", "NAV", "--step", "3600", "--depth-map", "depth.png"),
    ("network", "NAV", "--step", "3600", "--table", "sites", "--candidates", "sites.csv"),
    ("network", "NAV", "--step", "3600", "--grid", "30", "--site-map", "sites.nc"),
    ("network", "NAV", "--step", "3600", "--grid", "30", "--site-map", "sigma.nc", "--objective", "sigma_3d_m"),
    ("ledger", "NAV", "--step", "3600", "-o", "ledger"),
    ("track-check", "OBS", "--nav", "NAV"),
    ("position", "OBS", "--nav", "NAV"),
    ("position", "OBS", "--nav", "NAV", "--ionosphere", "klobuchar"),
    ("report", "NAV", "--stations", "Irkutsk", "-o", "report"),
)


@click.command("warm")
@click.option("--where", is_flag=True, help="Only print the folder; compile nothing.")
@opt.option("--quiet", is_flag=True, help="No notes on standard error.")
def command(where: bool, quiet: bool) -> int:
    """Compile the kernels of all commands and print their folder.

    The first run of a command compiles what it needs for some seconds. This does it once for all, as for an image
    that is deployed to many machines of one kind. NUMBA_CACHE_DIR says where, else XDG_CACHE_HOME, else ~/.cache.

    \b
    Example:
      NUMBA_CACHE_DIR=/opt/kernels gnss-coop warm
    """
    from gnss_coop.kernels import _cache

    folder = _cache.folder_in_use()
    if folder is None:
        raise GnssCoopError("compiled kernels cannot be kept: there is no home folder; set NUMBA_CACHE_DIR to a folder")
    if not where:
        _compile_all(quiet)
        if (reason := _cache.failure()) is not None:
            raise GnssCoopError(f"{reason}: set NUMBA_CACHE_DIR to a folder that can be written")
        sizes = [path.stat().st_size for path in folder.iterdir()]
        if not quiet:
            click.echo(f"{len(sizes)} compiled kernels, {sum(sizes) / 1e6:.1f} MB, in", err=True)
    click.echo(folder)
    return 0


def _compile_all(quiet: bool) -> None:
    from gnss_coop.formats.sample import sample_file

    files = {"NAV": str(sample_file("nav")), "OBS": str(sample_file("obs"))}
    for i, words in enumerate(RUNS):
        started_s = time.monotonic()
        trouble = _run([files.get(word, word) for word in words])
        if not quiet:
            name = " ".join(word for word in words if word not in files)
            took = f"{time.monotonic() - started_s:.1f} s"
            click.echo(f"{i + 1}/{len(RUNS)} {name}: " + (f"left out: {trouble}" if trouble else took), err=True)


def _run(words: list[str]) -> str:
    """Run a command line in a folder that is removed, all words discarded; return why it failed, if it did."""
    from gnss_coop.cli.main import cli

    environment = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GNSS_COOP_")}
    try:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            Path("gnss-coop.toml").touch()  # defaults of the user must not decide what is compiled
            Path("sites.csv").write_text("name,latitude_deg,longitude_deg\nEquator,0,0\n", encoding="ascii")
            with redirect_stdout(io.TextIOWrapper(io.BytesIO())), redirect_stderr(io.StringIO()):
                cli.main(args=words, prog_name="gnss-coop", standalone_mode=False, obj={"debug": False})
    except click.ClickException as error:
        return error.format_message()
    except GnssCoopError as error:
        return str(error)
    except click.exceptions.Exit:
        pass
    finally:
        os.environ.update(environment)
    return ""
