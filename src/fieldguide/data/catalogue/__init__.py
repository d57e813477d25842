"""Data sets of the field by name, made ready from their original files."""
