"""The app: a file a page, each thin over the functions that the command line uses too."""
