"""One module per noun; the only writers."""
