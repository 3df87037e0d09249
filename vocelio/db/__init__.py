"""PostgreSQL helpers: tenant foreign keys, row-level security operations, COPY, encrypted fields."""
