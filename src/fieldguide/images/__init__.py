"""From the bytes of a file to upright RGB pixels: formats, modes, resizing, thumbnails."""
