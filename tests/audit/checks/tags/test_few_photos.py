"""Tags of few photos."""


def test_a_rare_tag_and_one_that_nearly_all_have(bench):
    for row, tags in enumerate(bench.tags):
        bench.tags[row] = [*tags, *(["dew"] if row < 4 else []), *(["sky"] if row > 2 else [])]
    found = bench.check("FG024")
    assert [item.note for item in found.items] == [
        "'dew': on 4 separate photos",
        "'sky': on all but 3 separate photos",
    ]
    assert found.count == 2


def test_copies_and_groups_count_once(bench):
    for row in range(12):
        bench.tags[row] = [*bench.tags[row], "dew"]
    assert bench.check("FG024") is None
    bench.groups = ["one" if row < 12 else f"own {row}" for row in range(60)]
    assert "'dew': on 1 separate photo" in [item.note for item in bench.check("FG024").items]


def test_only_what_is_learned_from_counts(bench):
    bench.split()
    for row in range(60):
        if bench.splits[row] == "test":
            bench.tags[row] = [*bench.tags[row], "dew"]
    assert [item.note for item in bench.check("FG024").items] == ["'dew': on 0 separate photos"]


def test_of_few_photos_every_tag_is_on_few_and_lacking_on_few_and_counts_once(bench):
    bench.tags[:] = [["dew"] if row < 5 else [] for row in range(60)]
    bench.groups = ["one" if row < 54 else f"own {row}" for row in range(60)]
    found = bench.check("FG024")
    assert len(found.items) == 2 and found.count == 1
    assert found.message.startswith("'dew' on, or on all but")
