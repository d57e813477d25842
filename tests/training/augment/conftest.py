"""What the tests of this folder share."""

import pytest


@pytest.fixture
def batch():
    """Smooth pictures, all different, none of them symmetric; they need torch."""
    import torch
    from torchvision.transforms.v2 import functional

    from augmented_made import generator

    coarse = torch.rand((12, 3, 5, 6), generator=generator(1)) * 255
    return functional.resize(coarse, [40, 56]).round().to(torch.uint8)
