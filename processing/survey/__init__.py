"""Light, speed, noise and transmittance from a few frames: the helps for the plan."""
