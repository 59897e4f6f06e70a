"""Facts of known corpora that are wrong, each with the rule that shows it: (file name, fact) → why."""

DISPUTED = {
    ("genkgo__camt052.v1.xml", "readable"): (
        "the oracle's reader does not know version 01; the report has no entries, and says so readably"
    ),
    ("srousseau__statement.xml", "readable"): (
        "a template, whose amounts and balances are placeholders such as {{stmt.amount}}: no fact can be read"
    ),
    ("iban-bad-checksum-pain001.xml", "valid"): (
        "the schema's IBAN2007Identifier is a pattern and no check sum, and validity is by the letter: other"
        " files of that corpus with wrong check digits are valid. It is a warning; payment rules refuse it"
    ),
    ("salesking__pain.001.001.03.ch.02.xml", "valid"): (
        "the Swiss character set has the letter ü; the schema that refused it was read in the wrong encoding"
    ),
}
