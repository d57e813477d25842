"""What is asked of a photo: one label, or any number of tags."""
