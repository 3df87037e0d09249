"""CVs: text out of files, in a child of limited memory and time; proposals out of text.

`reader.py` is what others use, `child.py` the process it starts, `proposals.py` what is read in the text,
`skills.py` the dictionary.
"""
