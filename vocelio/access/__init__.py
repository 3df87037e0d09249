"""Who may do what: roles.py is the permission matrix, principal.py the signed-in caller."""
