"""The classic colour chart: found in a picture, and the colour map fitted to it."""
