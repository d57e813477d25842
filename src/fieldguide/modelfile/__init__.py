"""The model file: its format, card, seal and checks; how it is written, opened and exported."""
