"""`make chaos`: the real processes on three brokers and a real Postgres, under faults, and then audited."""
