"""A tensor of the Open Inference Protocol for tests of the server."""

import base64

from server_made import RED, photo

PHOTO = base64.b64encode(photo(RED)).decode()


def tensor(**changes):
    """A photo as an input tensor in JSON."""
    return {"name": "image", "datatype": "BYTES", "shape": [1], "data": [PHOTO], **changes}
