"""`auto`: tries the other recipes within minutes that a person gives, and ends with one file."""
