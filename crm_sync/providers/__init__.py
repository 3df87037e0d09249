"""One file, or one package, per CRM vendor. Imports the kernel alone; read provider.py first."""
