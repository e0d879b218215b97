"""Networks that remove local motion blur, their checkpoints, and the engine that runs them.

Importing this package loads no torch: the command line looks in here for its `deblur` command, and
`beamrig --help` must answer at once. Import what is needed from the modules themselves.
"""
