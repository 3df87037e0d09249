"""How long a change of the master key takes: `python -m benchmarks.key_rotation [--keys 10000]`, on a database to throw away.

Makes organizations with a key each, as the owner, and rotates as the application.
"""

import argparse
import os
import secrets
import time

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")
django.setup()

import psycopg
from django.conf import settings

from vocelio.crypto.envelope import master_keys, wrap
from vocelio.crypto.rotation import count_keys, rewrap_batches
from vocelio.db.ids import uuid7_series


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=10_000)
    count = parser.parse_args().keys
    old, new = settings.MASTER_KEYS, secrets.token_urlsafe(32)
    ids, keys = uuid7_series(count), uuid7_series(count)
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        with owner.cursor().copy(
            "COPY organizations (id, name, slug, settings, subscription_tier, default_region,"
            " visibility, is_active) FROM STDIN"
        ) as copy:
            for id in ids:
                copy.write_row([id, "benchmark", f"benchmark-{id}", "{}", "free", "US", "organization", True])
        with owner.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO organization_keys (id, organization_id, wrapped) VALUES (%s, %s, %s)",
                [(key, id, wrap(master_keys()[0], os.urandom(32), id)) for key, id in zip(keys, ids, strict=True)],
            )
    settings.MASTER_KEYS = [new, *old]
    began, used = time.perf_counter(), time.process_time()
    for done in rewrap_batches():
        rewrapped = done.older
    took, cpu, load = time.perf_counter() - began, time.process_time() - used, os.getloadavg()[0]
    print(f"{rewrapped} keys in {took:.2f} s, {cpu:.2f} s of this process's processor, load {load:.1f}")
    assert count_keys().older == 0
    # Back to the key that the environment knows.
    settings.MASTER_KEYS = [*old, new]
    assert [count.older for count in rewrap_batches()][-1] == rewrapped


if __name__ == "__main__":
    main()
