"""The dictionary of ISO 20022 types that the files' readers check against: how it is made from schemas."""
