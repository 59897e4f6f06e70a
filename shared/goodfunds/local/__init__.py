"""The local stack: a real Kafka and a real Postgres from packages, and goodfunds' processes on them.

For demos, tests and development; everything listens on loopback alone, and lies in one folder.
"""
