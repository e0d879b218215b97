"""What speaks against a take or a pair, while it is taken and after development."""
