"""The command line of the beam-splitter rig, and its demonstration."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("beamrig")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
