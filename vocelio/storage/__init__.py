"""The files of the product: uploads past the web processes, downloads, and what nobody refers to any more.

Files lie in Django's default storage, a folder or an S3-compatible bucket (settings.STORAGES), as
`<kind>/<organization>/...`. Imports other parts of the kernel only. Open downloads.py first.
"""
