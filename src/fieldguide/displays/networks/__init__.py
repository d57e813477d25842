"""How networks look while they are built and learn."""
