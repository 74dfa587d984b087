"""Every command and option is documented, and every example of the documents runs."""

import itertools
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest

from gnss_coop.cli import main

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(?:console|bash|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def options():
    """Each option of the group and of each command, with the command's name."""
    commands = {"gnss-coop": main.cli, **{name: main.cli.get_command(None, name) for name in main.COMMANDS}}
    for name, command in commands.items():
        context = click.Context(command, help_option_names=main.cli.context_settings["help_option_names"])
        for param in command.get_params(context):
            if isinstance(param, click.Option):
                yield name, param


def described(word, text):
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) is not None


@pytest.mark.parametrize(("command", "option"), [pytest.param(c, o, id=f"{c}-{o.name}") for c, o in options()])
def test_every_option_is_documented_and_has_help(command, option):
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    for word in option.opts:
        assert described(word, text), f"docs/cli.md does not mention {word} of {command}"
    assert option.help
    assert option.help.endswith("."), option.help


@pytest.mark.parametrize("name", main.COMMANDS)
def test_every_command_is_documented_and_has_help(name):
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    assert re.search(rf"^## {name}$", text, re.MULTILINE)
    command = main.cli.get_command(None, name)
    assert command.name == name
    assert command.get_short_help_str(limit=200)
    assert "Example:" in command.help


@pytest.mark.parametrize("name", main.COMMANDS)
def test_the_documented_columns_are_those_of_the_csv(run, hours, results, name):
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    section = re.search(rf"^## {name}$(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)[1]
    columns = re.search(r"Columns: `([^`]+)`", section)
    if columns is None:
        pytest.skip("its columns are no contract")
    span = ("--start", "2022-06-08T10:30:00", "--hours", "1", "--step", "600")  # of what one epoch cannot tell
    at = ("--at", "2022-06-08T10:30:00")
    asked = {
        "info": (hours,),
        "map": (
            ROOT / "sample_rinex" / "brdc0100.24g.gz",
            "--at",
            "2024-01-10T12:00:00",
            "--systems",
            "R",
            "--grid",
            "30",
        ),
        "stations": (),
        "position": (
            ROOT / "sample_rinex" / "CIBG00IDN_R_20240100000_01D_30M_MO.crx.gz",
            "--nav",
            ROOT / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz",
        ),
        "network": (hours, *span),
        "diff": (results, results),
        "trend": (results,),
    }
    head = run(name, *asked.get(name, (hours, *at)), "--format", "csv").out.splitlines()[0]
    assert re.split(r",\s*", columns[1]) == head.split(",")


#: A file that an example writes for itself.
FILE = re.compile(r"^cat > (\S+) <<'(\w+)'\n(.*?)^\2$", re.MULTILINE | re.DOTALL)


def commands_in(text):
    """Yield the words of each `gnss-coop` command in shell text; pipes and redirections end one."""
    for line in re.sub(r"\\\n\s*", "", FILE.sub("", text)).splitlines():
        lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word[0] not in "|&;<>":
                words.append(word)
                continue
            if words[:1] == ["gnss-coop"]:
                yield words[1:]
            words = []


def documents():
    """Yield the name of each document with commands, and its blocks of shell text in order."""
    for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        blocks = BLOCK.findall(file.read_text("utf-8"))
        if any(True for block in blocks for _ in commands_in(block)):
            yield file.name, blocks


def examples():
    for name in main.COMMANDS:
        for words in commands_in(main.cli.get_command(None, name).help.partition("Example:\n")[2]):
            yield f"{name} --help: {' '.join(words)}", words


DOCUMENTS = dict(documents())
EXAMPLES = dict(examples())


def test_there_are_examples():
    first = next(commands_in("\n".join(DOCUMENTS["README.md"])), [])
    assert first[:1] == ["compare"], "README.md starts with no command"
    assert sum(1 for block in DOCUMENTS["cli.md"] for _ in commands_in(block)) >= len(main.COMMANDS)
    # That of warm compiles for a minute, into a folder that its line names; tests/cli/test_command_warm.py runs it.
    assert {name.partition(" --help")[0] for name in EXAMPLES} == set(main.COMMANDS) - {"warm"}


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """An archive for the examples that ask one."""
    folder = tmp_path_factory.mktemp("archive") / "results"
    settings = ["--stations", "Irkutsk", "--step", "1800", "--products", "compare,passes", "--threads", "--quiet"]
    source = ROOT / "sample_rinex" / "KMS300DNK_R_20221591000_01H_MN.rnx"
    assert main.run(["batch", str(source), "-o", str(folder), *settings]) == 0
    return folder


def run_example(run, folder, words):
    """Run an example in a folder; expect it to say or write something, and the files that it names."""
    words = [re.sub(r"^\$\(gnss-coop (.*)\)$", lambda m: run(*m[1].split()).out.strip(), word) for word in words]
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    result = run(*words)
    assert result.code == 0, (words, result.err)
    assert "error" not in result.err
    written = {path.name for path in folder.iterdir() if stamps.get(path) != path.stat().st_mtime_ns}
    assert result.out.count("\n") > 1 or written or words[0] == "sample", words
    flags = {"-o", "--output", "--plot", "--depth-map"}
    named = [word.rpartition("=")[2] for flag, word in itertools.pairwise(words) if flag in flags]
    assert {Path(word).name for word in named} <= written, words


def with_archives(request, folder):
    """Lay the archives that examples ask, and that no example before has made, into a folder."""
    for name in ("results", "results-a", "results-b"):
        if not (folder / name).exists():
            shutil.copytree(request.getfixturevalue("results"), folder / name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_examples_of_a_document_run_in_order(run, monkeypatch, request, tmp_path, name):
    # What an example writes lands here, for those after it; what it reads is where it stands in the repository.
    for folder in ("sample_rinex", "stations", "tests"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    for block in DOCUMENTS[name]:
        for file, _, content in FILE.findall(block):
            (tmp_path / file).write_text(content, "utf-8")
        for words in commands_in(block):
            if words[0] in ("query", "diff", "trend") and name != "README.md":  # which makes all that it asks
                with_archives(request, tmp_path)
            run_example(run, tmp_path, words)


@pytest.mark.parametrize("words", [pytest.param(words, id=name) for name, words in EXAMPLES.items()])
def test_the_examples_of_help_run_without_the_repository(run, monkeypatch, request, tmp_path, words):
    monkeypatch.chdir(tmp_path)
    if words[0] in ("query", "diff", "trend"):
        with_archives(request, tmp_path)
    run_example(run, tmp_path, words)


def test_the_installed_sample_is_that_of_the_repository(run):
    path = Path(run("sample").out.strip())
    assert path.is_absolute()
    whole = ROOT / "sample_rinex" / path.name
    asked = ("--step", "3600", "--mask", "25", "--format", "csv")
    ours, theirs = (run("compare", file, *asked).table.drop(columns="source") for file in (path, whole))
    assert ours.equals(theirs)
    obs = Path(run("sample", "--obs").out.strip())
    assert obs.read_bytes() == (ROOT / "sample_rinex" / obs.name).read_bytes()
