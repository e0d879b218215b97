"""RAW files of any camera, read with care and developed by the same steps."""
