"""What only data with several labels a photo need."""
