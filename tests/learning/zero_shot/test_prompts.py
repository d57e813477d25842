"""From class names to texts."""

import numpy as np
import pytest

from fieldguide.errors import OptionError
from fieldguide.learning.zero_shot.prompts import BACKGROUND, class_texts, named_classes


def test_several_prompts_are_averaged():
    texts = class_texts(["oak", "ash"], ["a {} leaf", "{} bark"])
    assert texts.flat() == ["a ash leaf", "ash bark", "a oak leaf", "oak bark"]
    vectors = texts.vectors(np.array([[1.0, 0], [0, 1], [1, 0], [1, 0]]))
    assert np.allclose(vectors, [[0.5**0.5] * 2, [1, 0]])


def test_what_none_of_them_is_has_texts_of_its_own():
    texts = class_texts(["oak", "None of these"])
    assert texts.background == 0 and texts.texts == (BACKGROUND, ("a photo of a oak",))
    assert class_texts(["oak", "ash"]).background is None


def test_names_that_the_encoder_reads_as_the_same_are_refused():
    texts = class_texts(["oak", "Oak", "ash"])
    with pytest.raises(OptionError, match="reads 'Oak' and 'oak' as the same"):
        texts.vectors(np.array([[1.0, 0], [0, 1], [1, 0]]))


@pytest.mark.parametrize(
    ("classes", "prompts", "said"),
    [
        (["oak"], (), 'need two names at least, .* --classes "oak,none of these"'),
        ([], (), "got none"),
        (["oak", "oak "], (), "'oak' stands twice"),
        (["oak", ""], (), "a name has 1 to 1,000 characters"),
        (["oak", "none", "other"], (), "one name at most may stand for all else, got none, other"),
        (["oak", "ash"], ["a leaf"], "prompt: must hold {} once"),
        (["oak", "ash"], ["{} and {}"], "prompt: must hold {} once"),
    ],
)
def test_names_and_prompts_that_cannot_be_used(classes, prompts, said):
    with pytest.raises(OptionError, match=said):
        class_texts(classes, prompts)


def test_names_come_from_a_file_with_a_name_a_line(tmp_path):
    file = tmp_path / "names.txt"
    file.write_text("\ufeffash, common\r\noak\n\n", encoding="utf-8")
    assert named_classes(str(file)) == ["ash, common", "oak"]
    with pytest.raises(OptionError, match="cannot be read as text"):
        named_classes(str(tmp_path / "none.txt"))
