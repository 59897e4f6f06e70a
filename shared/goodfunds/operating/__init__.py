"""What operators see and ask over HTTP: lanes, parked events, the outbox, replays, the audit.

Every service mounts the same routes below `/v1`, behind its door.
"""
