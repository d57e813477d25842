"""Doubts: what was understood of DATA that may have been meant in another way.

They are data, a code and a sentence; the command line, the app and the JSON show them.
"""

from dataclasses import dataclass

CODES: dict[str, str] = {
    "class_like_split": "a class is named like a split",
    "class_like_system_folder": "a class is named like a folder that a system makes",
    "class_lost": "no image of a class could be read",
    "folders_repeat": "the folders of all classes hold folders of the same names",
    "unlabelled_split": "a split has images without labels, which were left out",
    "splits_share_no_class": "two splits have no class in common",
    "column_guessed": "a table has several columns that could be meant",
    "labels_as_numbers": "labels are numbers written in two ways, or that a program has turned into numbers",
    "labels_in_one": "a label is made of others, with a separator between them",
    "tables_beside_folders": "tables lie beside the folders and were not read",
    "deep_grey": "images of more than 8 bits hold values of a smaller range, and come out nearly black",
}
"""Code of a doubt to its meaning in a few words."""


@dataclass(frozen=True)
class Doubt:
    """One thing that may be meant in another way than it was understood."""

    code: str
    """A key of :data:`CODES`."""
    message: str
    """One sentence: what was found, how it was understood, and how to say otherwise."""
    grave: bool = False
    """Whether a model would be worthless if it was meant otherwise."""

    def as_dict(self) -> dict[str, str | bool]:
        """The three fields as JSON holds them."""
        return {"code": self.code, "message": self.message, "grave": self.grave}
