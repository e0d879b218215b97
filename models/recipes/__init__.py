"""The recipes that ship; `beamrig train NAME` takes them by name."""
