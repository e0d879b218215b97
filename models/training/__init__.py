"""Training: where pairs come from, what is lost, and the loop that lowers it."""
