-- The same of the address $7: a range of credit_entries_by_account; entries of other kinds are
-- passed over. accounts_by_address. The account is looked up first and by itself: then the range
-- comes in order, and no more of it is read than the page needs. So is each operation (LIMIT 1),
-- lest a plan that was made on empty tables begins with them.
SELECT $1::uuid, e.operation_id, e.index, o.kind, o.reference, e.account_id, $7::text,
    e.amount, coalesce(e.shortfall, 0), e.expires_at
FROM credit_entries e
CROSS JOIN LATERAL (
    SELECT n.kind, n.reference FROM credit_operations n
    WHERE n.ledger_id = $1 AND n.id = e.operation_id AND n.kind = ANY ($2) LIMIT 1) o
WHERE e.account_id = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $7)
    AND (e.operation_id, e.index) < ($3, $4) AND e.operation_id >= $5 AND e.operation_id < $6
ORDER BY e.operation_id DESC, e.index DESC LIMIT $8
