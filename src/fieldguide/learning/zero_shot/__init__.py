"""A model from class names alone, without training: texts become weights, photos make promises."""
