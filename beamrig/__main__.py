"""`python -m beamrig` is the same as the command `beamrig`."""

from beamrig.cli import main

if __name__ == "__main__":  # worker processes import this file under another name
    main()
