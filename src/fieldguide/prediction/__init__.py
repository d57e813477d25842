"""A model file at work: inputs, answers, rows of results, what to label next."""
