-- The same of the address $7: a range of credit_entries_by_account; entries of other kinds are
-- passed over. accounts_by_address. The account is looked up first and by itself: then the range
-- comes in order, and no more of it is read than the page needs.
SELECT o.ledger_id, e.operation_id, e.index, o.kind, o.reference, e.account_id, $7::text,
    e.amount, coalesce(e.shortfall, 0), e.expires_at
FROM credit_entries e
JOIN credit_operations o ON o.ledger_id = $1 AND o.id = e.operation_id
WHERE e.account_id = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $7)
    AND o.kind = ANY ($2)
    AND (e.operation_id, e.index) < ($3, $4) AND e.operation_id >= $5 AND e.operation_id < $6
ORDER BY e.operation_id DESC, e.index DESC LIMIT $8
