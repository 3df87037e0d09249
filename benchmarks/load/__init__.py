"""The documents' load figures on an installation as bin/up starts it: `python -m benchmarks.load [name ...]`."""
