"""How networks learn: the loop, its checkpoints, pixels and augmentation."""

CHECKPOINT, CHECKPOINT_HOLDS = "checkpoint", "steps of training"
"""Name of the file in a run's folder, and what it holds; here for whoever looks for one without torch."""
