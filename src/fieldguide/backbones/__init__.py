"""Pretrained networks and classical features: where they come from, and what they make of images."""
