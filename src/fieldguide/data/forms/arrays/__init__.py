"""Images as arrays in files of their own: nothing is unpickled."""
