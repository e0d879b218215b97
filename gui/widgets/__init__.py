"""The parts of the window, one file a widget; none of them knows the rig."""
