"""The virtual rig: a GenTL producer in C, a world that renders what its cameras see, a trigger box on a pty."""
