"""The command line `goodfunds`: one module a subject, each with its commands."""
