"""What is kept on disk to be computed only once."""
