"""Subcommands of `beamrig` that belong to the rig; the root command loads each by name."""
