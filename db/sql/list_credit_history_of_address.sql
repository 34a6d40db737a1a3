-- The same of the address $7: a range of credit_entries_by_account; entries of other kinds are
-- passed over. accounts_by_address.
SELECT a.ledger_id, n.operation_id, n.index, n.kind, n.reference, a.id, a.address, n.amount,
    n.shortfall, n.expires_at
FROM accounts a
CROSS JOIN LATERAL (
    SELECT e.operation_id, e.index, o.kind, o.reference, e.amount,
        coalesce(e.shortfall, 0) AS shortfall, e.expires_at
    FROM credit_entries e
    JOIN credit_operations o ON o.ledger_id = a.ledger_id AND o.id = e.operation_id
    WHERE e.account_id = a.id AND o.kind = ANY ($2)
        AND (e.operation_id, e.index) < ($3, $4) AND e.operation_id >= $5 AND e.operation_id < $6
    ORDER BY e.operation_id DESC, e.index DESC LIMIT $8) n
WHERE a.ledger_id = $1 AND a.address = $7
ORDER BY n.operation_id DESC, n.index DESC
