"""``python -m ccxt_mmp``: the command line."""

import sys

from ccxt_mmp.cli import main

sys.exit(main())
