"""Files that appear whole or not at all, whoever else writes into the folder."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gnss_coop.errors import OutputError
from gnss_coop.output import whole_file
from gnss_coop.output.pages.folders import new_folder

GENERATOR = "gnss-coop report"


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")

    def fail(draft):
        draft.write_text("half")
        raise OSError(28, os.strerror(28))

    with pytest.raises(OSError, match="No space left"):
        whole_file.write_whole_file(target, fail)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_drafts_of_two_containers_with_one_process_number_are_apart(tmp_path, monkeypatch):
    """Both believe to be process 7, and write at the same time."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    target, both = tmp_path / "a.csv", threading.Barrier(2)
    drafts = []

    def write(text):
        def fill(draft):
            drafts.append(draft)
            both.wait(10)
            draft.write_text(text * 1000)
            both.wait(10)

        whole_file.write_whole_file(target, fill)

    threads = [threading.Thread(target=write, args=(text,)) for text in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(drafts)) == 2
    assert target.read_text() in ("a" * 1000, "b" * 1000)
    assert names(tmp_path) == ["a.csv"]


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path):
    target = tmp_path / "a.csv"

    def slow(draft):
        draft.write_text("second")
        target.write_text("first")

    with pytest.raises(OutputError, match="exists already"):
        whole_file.replace_file(target, slow, overwrite=False)
    assert target.read_text() == "first"
    assert names(tmp_path) == ["a.csv"]


@pytest.mark.skipif(os.name != "posix", reason="devices are files only there")
def test_a_device_is_written_to_and_stays():
    whole_file.replace_file(os.devnull, lambda path: path.write_text("x"))
    assert not Path(os.devnull).is_file()


def test_of_two_reports_into_one_folder_the_later_is_refused_at_the_end_too(tmp_path):
    pytest.importorskip("jinja2")
    target = tmp_path / "report"

    def write(text):
        with new_folder(target, GENERATOR, overwrite=False) as draft:
            (draft / "index.html").write_text(text)
            if text == "late":
                write("early")

    with pytest.raises(OutputError, match="has appeared meanwhile"):
        write("late")
    assert (target / "index.html").read_text() == "early"
    assert names(tmp_path) == ["report"]


def test_a_draft_that_a_killed_run_left_blocks_nobody(tmp_path):
    pytest.importorskip("jinja2")
    killed = (
        "import os, sys, pathlib\n"
        "from gnss_coop.output.pages.folders import new_folder\n"
        f"with new_folder(sys.argv[1], {GENERATOR!r}, overwrite=False) as draft:\n"
        "    (draft / 'index.html').write_text('half')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    target = tmp_path / "report"
    subprocess.run([sys.executable, "-c", killed, str(target)], check=False)
    assert not target.exists()
    with new_folder(target, GENERATOR, overwrite=False) as draft:
        (draft / "index.html").write_text("whole")
    assert (target / "index.html").read_text() == "whole"
