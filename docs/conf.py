"""The documents as a site: python -m sphinx -W -n docs <folder>. Warnings, dead links among them, are errors."""

project = "Vocelio"
author = "Vocelio"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = "Vocelio"
# Anchors of headings, as GitHub makes them, so that links work in both places.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
# Examples with placeholders are no valid JSON or shell to the highlighter.
suppress_warnings = ["misc.highlighting_failure"]
exclude_patterns = ["images"]
