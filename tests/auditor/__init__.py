"""An auditor that shares no code with the house: from what was given and the bank's books, what must be."""
