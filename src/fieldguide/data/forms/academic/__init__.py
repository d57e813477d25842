"""Well-known data sets as their authors publish them: lists and splits beside the images."""
