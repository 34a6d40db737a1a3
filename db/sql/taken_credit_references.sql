-- Which of these references are used in their ledgers? credit_operations_by_reference.
SELECT o.ledger_id, o.reference
FROM unnest($1, $2) k (ledger_id, reference)
JOIN credit_operations o ON o.ledger_id = k.ledger_id AND o.reference = k.reference
