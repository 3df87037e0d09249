"""The append-only record of every write and refusal. Open services.py first; seals.py makes changes show."""
