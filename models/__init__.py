"""Networks that remove local motion blur, their checkpoints, and the engine that runs them.

Importing this package loads no torch: the command line looks in here for its `deblur` command, and
`beamrig --help` must answer at once. Import what is needed from the modules themselves.
"""

import os

# Feature maps of a full frame are 160 MB each, and the first touch of ordinary 4 KB pages costs as much as
# the arithmetic (3.8 of 7.6 CPU seconds; 1.0 of 4.1 with huge pages). torch asks for huge pages when this is
# set before its first allocation; where the system has none, nothing happens.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
