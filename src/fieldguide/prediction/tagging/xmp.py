"""Keywords in an XMP sidecar: ours are set, every other byte of it stays as it is.

A sidecar is never written anew from what was understood of it. Expat says where in its bytes the lists of
keywords stand, and words are put in and taken out there. A document type, and so every entity, is refused; so
is what is too large or too deep. Nothing is fetched.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ROOT = "fieldguide"
"""The keyword above ours in hierarchies."""
PROPERTIES = {
    "dc:subject": ("http://purl.org/dc/elements/1.1/", "Bag"),
    "lr:hierarchicalSubject": ("http://ns.adobe.com/lightroom/1.0/", "Bag"),
    "digiKam:TagsList": ("http://www.digikam.org/ns/1.0/", "Seq"),
    "fieldguide:subject": ("urn:fieldguide:keywords/1.0/", "Bag"),
}
"""Lists of keywords, with their namespaces: flat; with `|` (Lightroom, darktable); with `/` (digiKam); and
which of the flat ones are ours, so that a word that somebody else wrote is never taken away."""
MOST_BYTES, MOST_ELEMENTS, MOST_DEPTH = 16 << 20, 200_000, 100
_TAG = re.compile(rb"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EMPTY = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
    f' <rdf:RDF xmlns:rdf="{RDF}">\n'
    " </rdf:RDF>\n"
    "</x:xmpmeta>\n"
    '<?xpacket end="w"?>\n'
).encode()


class NotXmp(ValueError):
    """A sidecar cannot be changed safely; the text says why."""


@dataclass
class _Item:
    """One word of a list."""

    start: int
    text: str = ""
    end: int = 0


@dataclass
class _List:
    """One list of keywords in the bytes."""

    prefix: str
    """Of its own name, such as `rdf:`."""
    start: int
    """Where the property begins."""
    items: list[_Item] = field(default_factory=list)
    listed: bool = False
    """Whether there is a list in the property."""
    close: int = -1
    """Where the end tag of the list begins; there is none where it is empty."""
    end: int = 0
    """Where the property ends."""


def with_keywords(content: bytes | None, labels: Sequence[str]) -> bytes:
    r"""A sidecar in which our keywords are these labels, and everything else is as it was.

    Parameters
    ----------
    content
        The sidecar; None makes a new one.
    labels
        In the place of those written earlier; none takes them away.

    Raises
    ------
    NotXmp
        If it is no XMP, or none that can be changed safely.

    Examples
    --------
    >>> sidecar = with_keywords(None, ["cat"])
    >>> keywords(sidecar)["lr:hierarchicalSubject"]
    ['fieldguide|cat']
    >>> with_keywords(sidecar, ["cat"]) == sidecar
    True
    """
    content = _EMPTY if content is None else content
    found = _read(content)
    words = list(dict.fromkeys(_fit(label) for label in labels))
    present = {name: [item.text for item in one.items] for name, one in found.lists.items()}
    ours = set(present.get("fieldguide:subject", ()))
    theirs = set(present.get("dc:subject", ())) - ours
    changes = {
        "dc:subject": (ours, words),
        "lr:hierarchicalSubject": (_below("|", present), _paths("|", words)),
        "digiKam:TagsList": (_below("/", present), _paths("/", words)),
        "fieldguide:subject": (ours, [word for word in words if word not in theirs]),
    }
    edits: list[tuple[int, int, bytes]] = []
    missing = []
    for name, (old, new) in changes.items():
        one = found.lists.get(name)
        if one is not None and one.close >= 0:
            edits.extend(_edits(one, old, new))
        elif new:
            missing.append(_property(name, new))
            edits.extend([(one.start, one.end, b"")] if one is not None else [])
    if missing:
        edits.append((found.rdf_close, found.rdf_close, _description(missing, found.rdf_prefix)))
    changed = _spliced(content, edits)
    _read(changed)
    return changed


def keywords(content: bytes) -> dict[str, list[str]]:
    """The words of each list that a sidecar has.

    Raises
    ------
    NotXmp
        If it is no XMP that can be read safely.
    """
    return {name: [item.text for item in one.items] for name, one in _read(content).lists.items()}


def _paths(separator: str, words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(f"{ROOT}{separator}{word.replace(separator, '_')}" for word in words))


def _below(separator: str, present: dict[str, list[str]]) -> set[str]:
    name = "lr:hierarchicalSubject" if separator == "|" else "digiKam:TagsList"
    return {word for word in present.get(name, ()) if word.split(separator)[0] == ROOT}


def _fit(label: str) -> str:
    """A label as XML can hold it, in one line."""
    return " ".join(_UNFIT.sub("\ufffd", label).split()) or "\ufffd"


def _edits(found: _List, old: set[str], new: list[str]) -> Iterable[tuple[int, int, bytes]]:
    texts = [item.text for item in found.items]
    drop = [item for item in found.items if item.text in old and item.text not in new]
    add = [word for word in new if word not in texts]
    if not add and drop and len(drop) == len(texts):
        yield found.start, found.end, b""
        return
    for item in drop:
        yield item.start, item.end, b""
    if add:
        items = "".join(f"<{found.prefix}li>{escape(word)}</{found.prefix}li>" for word in add)
        yield found.close, found.close, items.encode()


def _spliced(content: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for start, end, new in sorted(edits, reverse=True):
        content = content[:start] + new + content[end:]
    return content


def _property(name: str, words: Sequence[str]) -> tuple[str, str]:
    """A property's namespace as an attribute, and the property."""
    uri, kind = PROPERTIES[name]
    items = "".join(f"\n     <rdf:li>{escape(word)}</rdf:li>" for word in words)
    body = f"\n   <{name}>\n    <rdf:{kind}>{items}\n    </rdf:{kind}>\n   </{name}>"
    return f'\n    xmlns:{name.split(":")[0]}="{uri}"', body


def _description(properties: list[tuple[str, str]], prefix: str) -> bytes:
    spaces = "".join(space for space, _ in properties)
    bodies = "".join(body for _, body in properties)
    rdf = "" if prefix == "rdf:" else f' xmlns:rdf="{RDF}"'
    return f' <rdf:Description{rdf} rdf:about=""{spaces}>{bodies}\n  </rdf:Description>\n '.encode()


class _Reader:
    """Notes where the lists of keywords stand."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.lists: dict[str, _List] = {}
        self.rdf_close, self.rdf_prefix = -1, "rdf:"
        self._names = {f"{uri} {name.split(':')[1]}": name for name, (uri, _) in PROPERTIES.items()}
        self._path: list[str] = []
        self._starts: list[int] = []
        self._count = 0
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartDoctypeDeclHandler = self._doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding is not None and encoding.lower() not in ("utf-8", "utf8", "us-ascii"):
            raise NotXmp(f"its encoding is {encoding[:20]}, and must be UTF-8")

    def _doctype(self, *_: object) -> None:
        raise NotXmp("it has a document type, which XMP has not")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        self._count += 1
        if self._count > MOST_ELEMENTS or len(self._path) > MOST_DEPTH:
            raise NotXmp("it has too many elements, or they lie too deep")
        at, depth = self.parser.CurrentByteIndex, self._depth
        self._starts.append(at)
        if depth == 1:
            if self.rdf_close >= 0:
                raise NotXmp("it has several rdf:RDF")
            self.rdf_prefix = self._prefix(at)
        elif depth == 2 and any(attribute in self._names for attribute in attributes):
            raise NotXmp("its keywords are no list")
        elif depth == 3 and name in self._names:
            if self._names[name] in self.lists:
                raise NotXmp(f"it has {self._names[name]} twice")
            self.lists[self._names[name]] = _List("", at)
        elif (found := self._list) is not None and depth == 4:
            if found.listed or name.removeprefix(f"{RDF} ") not in ("Bag", "Seq", "Alt"):
                raise NotXmp("its keywords are no list")
            found.listed, found.prefix = True, self._prefix(at)
        elif found is not None and depth == 5:
            found.items.append(_Item(at))

    def _end(self, name: str) -> None:
        at, depth, found = self.parser.CurrentByteIndex, self._depth, self._list
        end = self._tag_end(self._starts.pop())
        closes = self.content[end - 2 : end] != b"/>"  # else expat gives the place behind the one tag
        end = self._tag_end(at) if closes else end
        if depth == 1:
            if not closes:
                raise NotXmp("its rdf:RDF is empty")
            self.rdf_close = at
        elif found is not None and depth == 3:
            found.end = end
        elif found is not None and depth == 4 and closes:
            found.close = at
        elif found is not None and depth == 5:
            found.items[-1].end = end
        self._path.pop()

    def _text(self, text: str) -> None:
        found, depth = self._list, self._depth
        if found is None:
            return
        if depth >= 5:
            found.items[-1].text += text
        elif text.strip():
            raise NotXmp("its keywords are no list")

    @property
    def _depth(self) -> int:
        """1 in rdf:RDF, 2 in a description, 3 in a property, 4 in its list, 5 in an item; 0 elsewhere."""
        rdf = f"{RDF} RDF"
        if rdf not in self._path[:2]:
            return 0
        depth = len(self._path) - self._path.index(rdf)
        return depth if depth < 2 or self._path[-depth + 1] == f"{RDF} Description" else 0

    @property
    def _list(self) -> _List | None:
        """The list of keywords that the parser is in."""
        depth = self._depth
        name = self._path[-depth + 2] if depth >= 3 else ""
        return self.lists.get(self._names.get(name, ""))

    def _prefix(self, at: int) -> str:
        tag = self.content[at + 1 : self._tag_end(at)].decode()
        name = re.split(r"[\s/>]", tag)[0]
        return name.rpartition(":")[0] + ":" if ":" in name else ""

    def _tag_end(self, at: int) -> int:
        match = _TAG.match(self.content, at)
        if match is None:
            raise NotXmp("its tags cannot be told apart")
        return match.end()


def _read(content: bytes) -> _Reader:
    if len(content) > MOST_BYTES:
        raise NotXmp(f"it is larger than {MOST_BYTES >> 20} MB")
    if b"\0" in content:
        raise NotXmp("its encoding must be UTF-8")
    reader = _Reader(content)
    try:
        reader.parser.Parse(content, True)
    except (expat.ExpatError, UnicodeDecodeError) as error:
        raise NotXmp(f"it is damaged ({error})") from error
    if reader.rdf_close < 0:
        raise NotXmp("it is no XMP: there is no rdf:RDF in it")
    return reader
