"""The main job in one go on the virtual rig: plan, capture, develop, mask, deblur, report."""
