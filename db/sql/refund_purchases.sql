-- Refunded once; the accounts that are locked keep others from it. Primary key; no other index has
-- a column that changes, so none is touched.
UPDATE purchases p SET refunded_at = u.refunded_at, author_refund = u.author_refund
FROM unnest($1, $2, $3, $4) u (ledger_id, id, refunded_at, author_refund)
WHERE p.ledger_id = u.ledger_id AND p.id = u.id
