"""What tests of data sets by name share."""


def content_of(folder):
    """Every file of a folder that was written, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name[0] != "."
    }
