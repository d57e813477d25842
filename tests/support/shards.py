"""The files of a cache of features."""


def shards(cache):
    """Paths of all shards under a folder of caches."""
    return sorted(cache.glob("*/*.safetensors"))
