"""Other forms of a model file, one file a form."""
