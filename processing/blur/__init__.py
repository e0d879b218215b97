"""How far the moving object is smeared, measured in the images."""
