-- The same of the entries that this operation has for the address $8: a range of
-- credit_entries_by_account, so that the other entries, which may be many thousands, are not read.
-- credit_operations_by_reference, accounts_by_address; both are looked up first and by themselves.
SELECT $1::uuid, e.operation_id, e.index, o.kind, o.reference, e.account_id, $8::text,
    e.amount, coalesce(e.shortfall, 0), e.expires_at
FROM credit_entries e
CROSS JOIN LATERAL (
    SELECT n.kind, n.reference FROM credit_operations n
    WHERE n.ledger_id = $1 AND n.id = e.operation_id LIMIT 1) o
WHERE e.account_id = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $8)
    AND e.operation_id = (
        SELECT n.id FROM credit_operations n
        WHERE n.ledger_id = $1 AND n.reference = $7 AND n.kind = ANY ($2)
            AND n.id >= $5 AND n.id < $6
    )
    AND (e.operation_id, e.index) < ($3, $4)
ORDER BY e.operation_id DESC, e.index DESC LIMIT $9
