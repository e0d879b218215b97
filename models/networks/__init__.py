"""The networks of the papers, one file each; their parameters carry the names of the public checkpoints."""
