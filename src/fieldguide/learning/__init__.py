"""The whole line from DATA to a measured model file."""
