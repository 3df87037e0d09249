"""The admin site: the organization picked in it, its dashboard, its looks. Open site.py first."""
