import sys

from ccxt_mmp.cli import main

sys.exit(main())
