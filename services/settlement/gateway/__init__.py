"""The bank gateway: a feed that carries sealed batches to the bank and its answers to the lanes.

Owns bank_files, bank_file_batches, attempts and bank_messages; after a restore also restores, found_files,
found_batches and found_payments. Reads batches and payments, writes none of them: what it learns reaches
the lanes as events on bank-notifications.
"""
