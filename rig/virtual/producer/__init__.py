"""Sources of the virtual GenTL producer and the table from which its features are made (build time only)."""
