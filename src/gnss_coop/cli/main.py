"""Entry point: finds commands by name, loads one when it is called, turns errors into exit codes.

Exit codes: 0 fine, 1 an error of the program itself, 2 usage or unreadable input, 3 some files of many
failed, 4 all failed, 130 interrupted (SIGINT), 143 terminated (SIGTERM).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from gnss_coop._version import __version__
from gnss_coop.cli.interrupts import ending, heed_interrupts
from gnss_coop.cli.safe_streams import guard_streams, open_streams

EXIT_BUG: Final = 1
EXIT_USAGE: Final = 2
EXIT_SOME_FAILED: Final = 3
EXIT_ALL_FAILED: Final = 4

#: Commands in the order of the help, with their help line: known without importing any of them.
COMMANDS: Final = {
    "compare": "Compare systems alone and together: the main command.",
    "map": "Map DOP, availability and gain, worldwide or for a region.",
    "dop": "Compute dilution of precision per station and epoch.",
    "visibility": "List satellites above the mask, or their passes.",
    "track-check": "Compare tracked satellites with predicted visibility.",
    "position": "Position a receiver, and compare its errors with the DOP.",
    "network": "Coverage and orbit-determination strength of ground networks.",
    "ledger": "Write a statement of mutual gain of two systems, on one page.",
    "batch": "Process many files day by day into an archive of results.",
    "query": "Query an archive with SQL (read-only).",
    "diff": "Show where two archives of results differ.",
    "trend": "Availability and gain over the months of an archive.",
    "report": "Write a report for each station, for print and mail.",
    "positions": "Compute satellite positions from ephemerides or SP3.",
    "info": "Summarize navigation files and list rejected records.",
    "stations": "List the known stations and networks.",
    "sample": "Print the path of an installed sample file.",
    "warm": "Compile all kernels now, so that later runs start at once.",
}


class _PipeClosedError(Exception):
    """The reader of a pipe, such as head, has had enough."""


@contextmanager
def _own_pipe_errors() -> Iterator[None]:
    """Keep broken pipes from click, which would end the program with code 1."""
    try:
        yield
    except BrokenPipeError:
        raise _PipeClosedError from None


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called."""

    def make_context(self, *args: Any, **settings: Any) -> click.Context:
        """Read the arguments; this writes where they ask for help."""
        with _own_pipe_errors():
            return super().make_context(*args, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _own_pipe_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"gnss_coop.cli.commands.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Times that end in Z are UTC, all others GPST. Documentation: README.md and docs/.",
)
@click.version_option(__version__, prog_name="gnss-coop")
@click.option(
    "--config",
    type=click.Path(dir_okay=False),
    envvar="GNSS_COOP_CONFIG",
    metavar="PATH",
    help="TOML file with defaults [default: ./gnss-coop.toml, else the user's config.toml].",
)
@click.option("--debug", is_flag=True, envvar="GNSS_COOP_DEBUG", help="Show tracebacks.")
@click.pass_context
def cli(ctx: click.Context, config: str | None, debug: bool) -> None:
    """GLONASS/BeiDou interoperability from RINEX navigation files."""
    from gnss_coop.cli.config import load_defaults

    ctx.obj["debug"] = debug
    ctx.default_map = load_defaults(config, list(COMMANDS))


def main() -> None:
    """Run the command line and exit with its code."""
    open_streams()
    heed_interrupts()
    guard_streams()
    code = run(sys.argv[1:])
    # All is cleared away; threads that still compile are not worth waiting for.
    if code == ending()[1] and any(t.name.startswith("ThreadPoolExecutor") for t in threading.enumerate()):
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line; return the exit code."""
    state = {"debug": False}
    try:
        code = cli.main(args=arguments or ["--help"], prog_name="gnss-coop", standalone_mode=False, obj=state)
        sys.stdout.flush()
        if not arguments:
            return EXIT_USAGE
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        message, code = ending()
        click.echo(message, err=True)
        return code
    except (_PipeClosedError, BrokenPipeError):
        _discard_output()
        return 0
    except Exception as error:  # whatever it is, a user sees one sentence
        if state["debug"]:
            raise
        return _tell(error)


def _discard_output() -> None:
    """Let what is still in the buffer of standard output go nowhere, or Python complains when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    from gnss_coop.model.text import printable

    click.echo(printable(text), err=True)


def _tell(error: Exception) -> int:
    from gnss_coop.errors import GnssCoopError

    if isinstance(error, click.ClickException):
        _say(f"gnss-coop: error: {error.format_message()}")
        return EXIT_USAGE
    if isinstance(error, GnssCoopError):
        _say(f"gnss-coop: error: {error}")
        return EXIT_USAGE
    if isinstance(error, OSError) and error.filename:
        _say(f"gnss-coop: error: {Path(str(error.filename))}: {error.strerror}")
        return EXIT_USAGE
    if isinstance(error, OSError):  # all files are named by their readers and writers
        _discard_output()
        _say(f"gnss-coop: error: cannot write to standard output: {error.strerror or error}")
        return EXIT_USAGE
    name = type(error).__name__
    _say(f"gnss-coop: internal error ({name}: {error}); run gnss-coop --debug and report it")
    return EXIT_BUG
