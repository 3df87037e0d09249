"""Who belongs to an organization: members, invitations, the organization itself. Open services/members.py first."""
