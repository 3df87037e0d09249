"""The only writers of memberships, invitations and organizations."""
