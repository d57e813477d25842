"""A written model file measured on labelled images, alone or beside others."""
