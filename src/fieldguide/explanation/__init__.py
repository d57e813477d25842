"""Why a model answers what it answers: contributions, occlusion, overlays, nearest images."""
