"""The admin site: the organization picked in it, its dashboard, its pages of the kernel's own tables.

It may import every kernel package and is imported by the apps' `admin.py` and `dashboard.py` alone. Open
site.py first, then tenant.py, the base of every page that shows an organization's rows.
"""
