"""Labels written into XMP sidecars beside photos, as photo managers read them."""
