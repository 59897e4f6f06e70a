"""What a process shows of itself: logs without account numbers, metrics that count money, health over HTTP.

Owns no data. `process` runs a service's parts until a signal, `http` is the skeleton of every service's
API, `metrics` reads money by state on an interval, `log` is set up once by the composition root.
"""
