"""Runs the parent process."""

import sys

from tandem.adapters.jail.parent import main

if __name__ == "__main__":
    sys.exit(main())
