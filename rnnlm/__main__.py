"""`python -m rnnlm` is the command `rnnlm`."""

import sys

from rnnlm.cli import main

sys.exit(main())
