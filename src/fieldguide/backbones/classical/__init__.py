"""Edges, texture and colour, computed instead of learned, as ONNX operators."""
