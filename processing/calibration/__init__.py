"""What the pipeline must know of a rig and a scene: measured from takes, kept in files, refused when old."""
