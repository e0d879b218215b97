"""Networks that remove local motion blur, their checkpoints, and the engine that runs them.

Importing this package loads no torch: the command line looks in here for its `deblur` command, and
`beamrig --help` must answer at once. Import what is needed from the modules themselves.
"""

import os

# Feature maps of a full frame are 160 MB each, and the first touch of ordinary 4 KB pages costs as much as
# the arithmetic (3.8 of 7.6 CPU seconds; 1.0 of 4.1 with huge pages). torch asks for huge pages when this is
# set before its first allocation; where the system has none, nothing happens.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

# torch's threads meet after every convolution, and by default they wait by turning round and round. Where
# anything else wants a core (the window, a capture, a training) the one that works waits for the one that
# turns: a pass on two busy cores took 3.3 s with two threads, 0.25 s with one, 0.23 s with two that sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
