"""How results look to a person who works in Python: a module a result, found by :mod:`fieldguide.mixins`."""
