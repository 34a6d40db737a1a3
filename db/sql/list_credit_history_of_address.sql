-- The same of the address $7: a range of credit_entries_by_account; entries of other kinds are
-- passed over. accounts_by_address.
SELECT a.ledger_id, e.operation_id, e.index, o.kind, o.reference, e.account_id, a.address,
    e.amount, coalesce(e.shortfall, 0), e.expires_at
FROM accounts a
JOIN credit_entries e ON e.account_id = a.id
JOIN credit_operations o ON o.ledger_id = a.ledger_id AND o.id = e.operation_id
WHERE a.ledger_id = $1 AND a.address = $7 AND o.kind = ANY ($2)
    AND (e.operation_id, e.index) < ($3, $4) AND e.operation_id >= $5 AND e.operation_id < $6
ORDER BY e.operation_id DESC, e.index DESC LIMIT $8
