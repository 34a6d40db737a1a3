-- The same of the address $7, of the newest $9 rows: those of the kinds $2, which no index knows
-- together with an address, and the last one of them, so that the next page can begin behind it.
-- What it reads is bounded by $9, however many rows there are of other kinds. A range of
-- credit_entries_by_account; accounts_by_address. The account is looked up first and by itself:
-- then the range comes in order, and no more of it is read than the page needs. So is each
-- operation (LIMIT 1), lest a plan that was made on empty tables begins with them.
SELECT $1::uuid, e.operation_id, e.index, o.kind, o.reference, e.account_id, $7::text,
    e.amount, coalesce(e.shortfall, 0), e.expires_at,
    o.kind = ANY ($2), e.place = $9
FROM (
    SELECT r.*, row_number() OVER (ORDER BY r.operation_id DESC, r.index DESC) AS place
    FROM credit_entries r
    WHERE r.account_id = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $7)
        AND (r.operation_id, r.index) < ($3, $4) AND r.operation_id >= $5 AND r.operation_id < $6
    ORDER BY r.operation_id DESC, r.index DESC LIMIT $9
) e
CROSS JOIN LATERAL (
    SELECT n.kind, n.reference FROM credit_operations n
    WHERE n.ledger_id = $1 AND n.id = e.operation_id LIMIT 1) o
WHERE o.kind = ANY ($2) OR e.place = $9
ORDER BY e.operation_id DESC, e.index DESC LIMIT $8
