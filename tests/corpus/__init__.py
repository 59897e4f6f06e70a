"""Facts about real bank files, against what the readers say: for any folder with an expected.jsonl."""
