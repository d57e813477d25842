"""DICOM, the images of hospitals: the container, the first frame, how its values become grey or colour."""
