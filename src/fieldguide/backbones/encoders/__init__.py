"""Image encoders as they are published in ONNX: DINOv2, CLIP, SigLIP, ViT and others, without torch."""
