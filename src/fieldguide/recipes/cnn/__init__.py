"""`cnn`: a convolutional network from scratch."""
