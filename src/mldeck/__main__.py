"""`python -m mldeck` is the same as the command `mldeck`."""

import sys

from mldeck.cli import main

if __name__ == "__main__":
    sys.exit(main())
