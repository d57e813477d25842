"""Backbones through torch and timm: the one place that builds networks of theirs."""
