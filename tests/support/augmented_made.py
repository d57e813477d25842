"""Small batches of images and what happens to them, for tests of augmentation."""

import torch


def generator(seed=0):
    """What decides."""
    return torch.Generator().manual_seed(seed)


def apart(first, second):
    """By how much each value differs."""
    return (first.float() - second.float()).abs()
