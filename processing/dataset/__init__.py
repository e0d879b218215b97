"""Data sets in the published layout: planned, written, described, and walked by the loader's rules."""
