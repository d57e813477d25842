"""A file laid into a hub cache as the hub's own client would."""


def put_into_hub(hub, repository, file, source):
    """Lay a file into a hub cache as the hub's own client would."""
    repo = hub / f"models--{repository.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = repo / "snapshots" / commit
    (snapshot / file).parent.mkdir(parents=True, exist_ok=True)
    (repo / "refs").mkdir(exist_ok=True)
    (repo / "refs" / "main").write_text(commit)
    (snapshot / file).write_bytes(source.read_bytes())
    return snapshot / file
