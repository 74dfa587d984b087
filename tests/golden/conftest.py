"""Scripts that made the values need other programs; they are run by hand and hold no tests."""

collect_ignore_glob = ["make_*.py"]
