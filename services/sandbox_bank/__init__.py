"""The sandbox bank: another company, for demos and tests, that takes files in and answers them.

Owns: its books (a SQLite file under GOODFUNDS_DATA/sandbox-bank), its host key, and the folders that it
serves by SFTP: `inbox/` (we upload), `archive/` (it keeps what it took), `outbox/` (it answers).
Reads: pain.001 files. Writes: pain.002, camt.054 and camt.053 files; HTTP enquiries and its business day.
It shares no database and no domain code with the services: only the readers and writers of bank files.
"""
