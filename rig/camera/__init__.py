"""Cameras: what a camera is, the GenTL camera behind it, and the process that keeps the two apart.

Users import from the modules: `rig.camera.process.CameraProcess` is what an app or a capture drives,
`rig.camera.gentl.GenTLCamera` is the camera itself (only ever opened inside a host process, because
genicam holds Python's lock while it waits and vendor libraries hang, leak and crash), and
`rig.camera.types` holds the plain data that both exchange. Nothing here imports harvesters until a
camera is really opened.
"""
