"""Forms of annotation tools, and of data sets whose photos have annotated objects.

A photo has a label where all that is annotated on it is of one class.
"""
