"""The virtual rig: a GenTL producer in C, a world for its cameras to see, a trigger box on a pty."""
