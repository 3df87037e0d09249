"""A format that lacks something is refused when it is found."""

import sys

import pytest

import dnc.formats
from dnc.formats import Format
from vocelio.plugins import find_plugins


def test_an_incomplete_format_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "half_formats"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "half.py").write_text(
        "from dnc.formats import Format\n\n\nclass Half(Format):\n    slug = 'half'\n"
        "    def recognises(self, head):\n        return True\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(TypeError, match="read"):
        find_plugins("half_formats", Format)
    for name in ("half_formats", "half_formats.half"):
        sys.modules.pop(name)
    assert "ftc-flat" in dnc.formats.all_formats()
