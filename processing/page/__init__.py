"""A session's report as one HTML page."""
