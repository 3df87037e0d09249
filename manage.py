#!/usr/bin/env python
"""Django's command line. `migrate` alone connects as the role that owns the tables."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
    if sys.argv[1:2] == ["migrate"]:
        os.environ["VOCELIO_DB_ROLE"] = "owner"
    execute_from_command_line(sys.argv)
