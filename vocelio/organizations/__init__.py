"""Organizations, memberships, teams and the tenancy scope. May import vocelio.db only. Open scope.py first."""
