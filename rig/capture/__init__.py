"""Capture: arming, counted pulses, pairing by trigger index, sync proof, recording."""
