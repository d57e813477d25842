"""What every piece of HTML that a result shows must be."""

import re
from html.parser import HTMLParser

OPEN_FOR_EVER = ("img", "br", "progress")


class Balance(HTMLParser):
    """Sees that every element is closed, in order, and keeps the text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in OPEN_FOR_EVER:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in OPEN_FOR_EVER:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def text_of(html):
    """The text of HTML that is whole, fetches nothing and runs nothing."""
    parser = Balance()
    parser.feed(html)
    assert parser.open == []
    assert not {"script", "link", "iframe", "object"} & set(parser.tags)
    assert re.findall(r"(?:src|href)=\"(?!data:image/)", html) == [] and "url(" not in html
    assert " on" not in re.sub(r">[^<]*<", "><", html).replace(" on ", "")
    return "".join(part for part in parser.text if not part.startswith(".fieldguide"))
