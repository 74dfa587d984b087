"""``python -m gnss_coop`` is the command line."""

from gnss_coop.cli.main import main

if __name__ == "__main__":
    main()
