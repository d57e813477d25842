"""From any image to the square that a network sees; the one way for training, prediction, server and app."""

import numpy as np
from numpy.typing import NDArray

from fieldguide.images.decoding import ImageSource, Opened, open_scaled
from fieldguide.images.preprocessing import Preprocessing


def open_for(source: ImageSource, preprocessing: Preprocessing) -> Opened:
    """Open an image as large as a network needs it, which spares most of the work on large JPEGs.

    Parameters
    ----------
    source
        A path, the bytes of a file, a Pillow image or an array of pixels.
    preprocessing
        Of the network.

    Raises
    ------
    RefusedInput
        If the image cannot be read.
    """
    return open_scaled(source, preprocessing.decoded_side if preprocessing.scaled_decoding else None)


def network_pixels(source: ImageSource, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Open an image and resize it to a network's square.

    Parameters
    ----------
    source
        A path, the bytes of a file, a Pillow image or an array of pixels.
    preprocessing
        Of the network.

    Returns
    -------
    ndarray of shape (size, size, 3), uint8

    Raises
    ------
    RefusedInput
        If the image cannot be read.

    Examples
    --------
    >>> network_pixels(np.zeros((480, 640, 3), np.uint8), Preprocessing(size=96)).shape
    (96, 96, 3)
    """
    return preprocessing.resize(open_for(source, preprocessing).image)
