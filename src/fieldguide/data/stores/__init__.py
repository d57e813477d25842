"""DATA that lies in an object store."""
