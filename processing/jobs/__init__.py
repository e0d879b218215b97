"""Whole sessions developed on all cores or many machines, with a record of every pair."""
