from django.db import migrations

# Destructive: drop_partitions takes away when it is called, which the code before does not do.
# All run with the owner's rights only: what calls make_partitions and drop_partitions for the application's role is
# a function of one table each (vocelio/db/partitions.py).
FUNCTIONS = """
CREATE FUNCTION time_partitions(
    OUT parent name, OUT partition name, OUT since timestamptz, OUT until timestamptz, OUT is_default boolean,
    OUT holds_rows boolean
) RETURNS SETOF record
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp SET datestyle = 'ISO' AS $$
DECLARE
    bound text;
BEGIN
    FOR parent, partition, bound IN
        SELECT p.relname, c.relname, pg_get_expr(c.relpartbound, c.oid)
        FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_class c ON c.oid = i.inhrelid
        WHERE p.relkind = 'p' AND p.relnamespace = 'public'::regnamespace
    LOOP
        is_default := bound = 'DEFAULT';
        since := CASE WHEN bound LIKE '%FROM (MINVALUE)%' THEN '-infinity'
            ELSE substring(bound FROM 'FROM \\(''([^'']+)')::timestamptz END;
        until := substring(bound FROM 'TO \\(''([^'']+)')::timestamptz;
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', partition) INTO holds_rows;
        RETURN NEXT;
    END LOOP;
END $$;

-- A partition has no grants and the owner's policy alone: the application reaches it by the parent, or not at all.
CREATE FUNCTION close_partition(parent name, partition name) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format('CREATE POLICY owner ON public.%I TO CURRENT_USER USING (true) WITH CHECK (true)', partition);
    -- A trigger of the parent does not fire for statements that name the partition.
    IF EXISTS (
        SELECT FROM pg_trigger WHERE tgname = 'append_only' AND tgrelid = format('public.%I', parent)::regclass
    ) THEN
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.%I'
            ' EXECUTE FUNCTION public.refuse_change()', partition
        );
    END IF;
END $$;

-- Every partition is made like the default one, with its indexes; rows that fell into that meanwhile are moved.
CREATE FUNCTION make_partitions(parent name, period text, ahead int) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    step interval := ('1 ' || period)::interval;
    spare name := parent || '_default';
    since timestamptz;
    fresh name;
    strays boolean;
    made int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partitions'), hashtext(parent));
    SELECT max(t.until) INTO since FROM time_partitions() t WHERE t.parent = make_partitions.parent;
    since := coalesce(since, date_trunc(period, now()));
    WHILE since <= date_trunc(period, now()) + ahead * step LOOP
        fresh := parent || to_char(since, CASE period WHEN 'day' THEN '_YYYY_MM_DD' ELSE '_YYYY_MM' END);
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I WHERE created_at >= $1 AND created_at < $2)', spare)
            INTO strays USING since, since + step;
        IF strays OR since + step > now() THEN
            EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', fresh, spare);
            IF strays THEN
                EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', spare);
                EXECUTE format('ALTER TABLE public.%I DISABLE TRIGGER USER', spare);
                EXECUTE format(
                    'WITH moved AS (DELETE FROM public.%I WHERE created_at >= $1 AND created_at < $2 RETURNING *)'
                    ' INSERT INTO public.%I SELECT * FROM moved', spare, fresh
                ) USING since, since + step;
                EXECUTE format('ALTER TABLE public.%I ENABLE TRIGGER USER', spare);
            END IF;
            PERFORM close_partition(parent, fresh);
            EXECUTE format(
                'ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                parent, fresh, since, since + step
            );
            made := made + 1;
        END IF;
        since := since + step;
    END LOOP;
    RETURN made;
END $$;

CREATE FUNCTION drop_partitions(parent name, before timestamptz) RETURNS int
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    old name;
    dropped int := 0;
BEGIN
    FOR old IN
        SELECT t.partition FROM time_partitions() t WHERE t.parent = drop_partitions.parent AND t.until <= before
    LOOP
        EXECUTE format('DROP TABLE public.%I', old);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
EXCEPTION WHEN lock_not_available THEN
    -- Somebody reads for long: the next time, rather than letting everybody queue up behind.
    RETURN 0;
END $$;
"""
BACK = """
DROP FUNCTION drop_partitions(name, timestamptz);
DROP FUNCTION make_partitions(name, text, int);
DROP FUNCTION close_partition(name, name);
DROP FUNCTION time_partitions();
"""


class Migration(migrations.Migration):
    dependencies = [("db", "0003_outgoing_hold")]

    operations = [migrations.RunSQL(FUNCTIONS, BACK)]
