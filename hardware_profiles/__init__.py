"""The hardware profiles that ship with beamrig, as YAML files beside this one.

They are data: `rig.profiles` finds, checks and loads them.
"""
