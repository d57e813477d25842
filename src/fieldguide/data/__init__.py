"""From what a person names to a data set: readers, splits, folds, duplicates, leaks."""
