from django.db import migrations

FUNCTIONS = """
CREATE EXTENSION IF NOT EXISTS vector;

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := statement_timestamp();
    RETURN NEW;
END $$;

-- RFC 9562 version 7; PostgreSQL has its own only from 18 on.
CREATE FUNCTION uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
        52, 1), 53, 1), 'hex')::uuid
$$;

-- 64 bits of the transaction's number, comparable with pg_snapshot_xmin().
CREATE FUNCTION current_transaction_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_current_xact_id()::text::bigint
$$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            FUNCTIONS,
            "DROP FUNCTION refuse_change(); DROP FUNCTION current_transaction_id(); DROP FUNCTION uuid7(); DROP FUNCTION set_updated_at();",
        )
    ]
