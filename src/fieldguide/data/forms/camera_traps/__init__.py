"""Exports of camera traps and of biodiversity archives: photos, deployments and what was seen, in tables."""
