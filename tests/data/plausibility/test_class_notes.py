from fieldguide.data.plausibility.class_notes import class_notes


def test_names_that_look_alike_are_told_once_a_group():
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    (note,) = class_notes([composed, decomposed, "tea"], [composed, decomposed, "tea"])
    assert note.startswith("the classes 'caf\\xe9' and 'cafe\\u0301' look alike")


def test_classes_without_photos_to_learn_from_are_named():
    assert list(class_notes(["a", "b"], ["a"])) == ["not in train, so never predicted: 'b'"]
    assert list(class_notes(["a", "b"], ["a", "b"])) == []
