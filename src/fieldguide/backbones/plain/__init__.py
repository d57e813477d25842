"""Pretrained convolutional networks as ONNX graphs, made from tables of stages, without torch."""
