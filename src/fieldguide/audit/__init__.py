"""What is wrong with data before anybody learns from them."""
