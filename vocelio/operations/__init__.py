"""What an operator does: doctor, backup and restore, keys, retention. Open doctor.py or backup.py first.

May import every other kernel package but the back office; the kernel imports it nowhere else.
"""
