"""Served as Vocelio is, by a2wsgi in the ASGI server."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.stock.settings"

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

application = WSGIMiddleware(get_wsgi_application(), workers=4)
