"""One file per CRM vendor. Imports the kernel alone; read provider.py first."""
