"""FTC and CRTC lists as XML: `<list type='full' level='ac' val='416'><ac val='416'><ph val='5550100'/>...`.

The CRTC prints `<list .../>` closed at once, which no XML parser takes, so tags are read one by one. There is no other
content: text between tags, other tags and other attributes are refused.
"""

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from dnc.formats import Batch, Format, FormatError, Identity, ftc_identity

TAG = re.compile(
    rb"\s*(?:<\?xml[^>]*\?>|<(?P<close>/)?(?P<name>list|ac|ph)(?P<attributes>(?:\s+[a-z]+\s*=\s*(?:'[^'<>]*'|\"[^\"<>]*\"))*)\s*/?>)"
)
ATTRIBUTE = re.compile(rb"([a-z]+)\s*=\s*(?:'([^']*)'|\"([^\"]*)\")")
PLAIN = re.compile(rb"\s*<ph\s+val\s*=\s*['\"]([0-9]{7})['\"]\s*/>")
ROWS = 500_000


class FtcXml(Format):
    slug = "ftc-xml"
    label = "FTC or CRTC full list, XML"

    def identify(self, name: str) -> Identity | None:
        return ftc_identity(name) or (Identity() if ".xml" in name.lower() else None)

    def recognises(self, head: bytes) -> bool:
        return re.match(rb"\s*(?:<\?xml[^>]*\?>\s*)?<list\s", head) is not None

    def read(self, stream: BinaryIO, options: dict[str, Any]) -> Iterator[Batch]:
        rest, found, lines = b"", [], 0
        area, is_list, is_open = 0, False, False
        while piece := stream.read(1024 * 1024):
            text, position = rest + piece, 0
            # A tag that the piece cuts in two waits for the next one.
            end = text.rfind(b">") + 1
            while position < end:
                if (plain := PLAIN.match(text, position, end)) and area:
                    found.append(area + int(plain[1]))
                    position = plain.end()
                    continue
                tag = TAG.match(text, position, end)
                if tag is None:
                    raise FormatError("bad_tag", f"Not understood: {text[position : position + 60]!r}.")
                position = tag.end()
                if not tag["name"]:
                    continue
                if tag["close"]:
                    is_open = is_open and tag["name"] != b"list"
                    continue
                values = {match[1]: match[2] or match[3] or b"" for match in ATTRIBUTE.finditer(tag["attributes"])}
                value = values.get(b"val", b"")
                if tag["name"] == b"list":
                    if values.get(b"type", b"full") != b"full" or is_list:
                        raise FormatError("not_full", "Only full lists are known in XML, one to a file.")
                    is_list = is_open = True
                if tag["name"] in (b"list", b"ac") and value:
                    if not re.fullmatch(rb"[0-9]{3}", value):
                        raise FormatError("bad_area", f"Not an area code: {value[:20]!r}.")
                    area = (1000 + int(value)) * 10_000_000
                if tag["name"] == b"ph":
                    raise FormatError("bad_number", f"Not a number of an area code: {tag[0][:60]!r}.")
            lines += len(found)
            if found:
                yield Batch(np.array(found, dtype=np.int64), len(found))
                found = []
            rest = text[end:]
            if len(rest) > 4096:
                raise FormatError("bad_tag", f"Not understood: {rest[:60]!r}.")
        if rest.strip():
            raise FormatError("truncated", "The file breaks off within a tag.")
        if not is_list:
            raise FormatError("no_list", "The file holds no list.")
