"""Work spread over the cores of a machine or of many by Ray, with the promises of work on one core."""
