"""PostgreSQL and Valkey started for you when no URL is set, and the process supervisor of bin/up."""
