"""`python -m beamrig` is the same as the command `beamrig`."""

from beamrig.cli import main

main()
