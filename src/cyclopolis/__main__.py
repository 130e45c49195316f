"""Run the command line as ``python -m cyclopolis``."""

from cyclopolis.cli import main

if __name__ == "__main__":
    main()
