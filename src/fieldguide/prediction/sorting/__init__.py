"""Photos sorted into one folder a label by what a model says of them, and put back."""
