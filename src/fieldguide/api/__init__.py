"""A function for each command, with the command's words and defaults; `fieldguide` has them at its top."""
