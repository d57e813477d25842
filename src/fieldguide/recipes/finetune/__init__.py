"""`finetune`: a pretrained network adapted to the photos."""
