"""Loads the product with its own settings; what is forked from here is ready at once."""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "vocelio.settings"
django.setup()
