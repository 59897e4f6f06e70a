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
    ("a-fas__test1.mt940", "valid"): ("an amount (15d) must have its decimal comma, and one of a 61 has not"),
    ("wolph__gv_codes.sta", "valid"): (
        "MT940 must have field 62a: without it nobody knows whether the message is whole"
    ),
    ("my-flow__sepa_snippet_broken_2.sta", "valid"): (
        "MT940 must have field 62a: without it nobody knows whether the message is whole"
    ),
    ("my-flow__sepa_snippet_broken_3.sta", "valid"): (
        "MT940 must have field 62a: without it nobody knows whether the message is whole"
    ),
    ("my-flow__line_breaks_with_rn.sta", "valid"): ("MT940 must have fields 25, 28C, 60a and 62a"),
    ("wolph__reference.sta", "valid"): ("MT940 must have fields 25, 28C, 60a and 62a"),
    ("railslove__mt940-headers.txt", "closing"): (
        "`11 27421,94` is no amount, of which mt-940 reads the first digits"
    ),
    ("wolph__raphaelm.sta", "valid"): (
        "a balance must have its currency; taken for the opening's, it is what opening and lines"
        " make. mt-940 reads 0"
    ),
    ("wolph__raphaelm.sta", "closing of statement 1"): (
        "a balance must have its currency; taken for the opening's, it is what opening and lines"
        " make. mt-940 reads 0"
    ),
    ("wolph__raphaelm.sta", "closing of statement 2"): (
        "a balance must have its currency; taken for the opening's, it is what opening and lines"
        " make. mt-940 reads 0"
    ),
    ("wolph__raphaelm.sta", "closing of statement 3"): (
        "a balance must have its currency; taken for the opening's, it is what opening and lines"
        " make. mt-940 reads 0"
    ),
    ("wolph__sepa_mt9401.sta", "sum_minor of statement 1"): (
        "opening balance and the lines that are found make the closing balance to the cent"
    ),
    ("wolph__sepa_mt9401.sta", "sum_minor of statement 5"): (
        "opening balance and the lines that are found make the closing balance to the cent"
    ),
    ("dovadi__MT940_voorbeeldbestanden_abnamro.txt", "sum_minor of statement 12"): (
        "opening balance and the lines that are found make the closing balance to the cent: a small d"
        " is a debit"
    ),
    ("moov-io__20180716-IAT-A17.ach", "valid"): (
        "a debit in a batch of service class 220, which is of credits alone (Nacha Operating Rules,"
        " appendix three)"
    ),
    ("moov-io__skip-validation.ach", "valid"): (
        "the immediate destination of a file header is mandatory, and is blank"
    ),
    ("moov-io__ppd-mixedDebitCredit-invalid.ach", "valid"): (
        "service class 200 is that of debits and credits together; counts, hash and totals agree. The oracle"
        " only steps through it, without checks"
    ),
    ("moov-io__4.ach", "sum_minor"): (
        "made to crash a reader: no line is a whole record, so which of them are entries is anybody's reading"
    ),
    ("moov-io__return.ach", "sum_minor"): (
        "transaction code 27 is a debit, of 1.46; the oracle has no debits"
    ),
}

DISPUTED_FILES = {
    "fruitl00p__Rabo__sample": (
        "its amounts have a decimal point, where mt-940 stops reading; and it sees 10 lines of the 39 that a"
        " hand count finds, as is found here"
    ),
    "fruitl00p__Rabo__sample2": (
        "its amounts have a decimal point, where mt-940 stops reading; its second message has no balance"
    ),
}
"""Files of which the oracle has read next to nothing."""
