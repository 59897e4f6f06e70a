"""What the bank counts, for whoever watches a demo."""

from prometheus_client import Counter, Gauge

FILES = Counter("sandbox_bank_files_total", "Files judged, by what became of them", ["standing"])
ANSWERS = Counter("sandbox_bank_answers_total", "Answers written to the outbox", ["kind"])
UPLOADS_CUT = Counter("sandbox_bank_uploads_cut_total", "Connections dropped on purpose", ["fault"])
PAYMENTS = Gauge("sandbox_bank_payments", "Payments on the books", ["status", "currency"])
MONEY = Gauge("sandbox_bank_payments_minor", "Their amounts in minor units", ["status", "currency"])
