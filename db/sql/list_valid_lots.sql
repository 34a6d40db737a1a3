-- What an address ($1, $2) has at $3, in the order of granting, with the references that granted
-- it, and the ledger's drain policy of the same moment. accounts_by_address, a range of
-- credit_lots_open, the operations' and the ledgers' primary keys. The account is looked up first
-- and by itself: then the range comes in order, and nothing is sorted. So is each operation
-- (LIMIT 1), lest a plan that was made on empty tables begins with them.
SELECT l.account_id, l.operation_id, l.index, l.amount, l.amount_remaining, l.expires_at,
    o.reference, (SELECT g.drain FROM ledgers g WHERE g.id = $1)
FROM credit_lots l
CROSS JOIN LATERAL (
    SELECT n.reference FROM credit_operations n
    WHERE n.ledger_id = $1 AND n.id = l.operation_id LIMIT 1) o
WHERE l.account_id = (SELECT a.id FROM accounts a WHERE a.ledger_id = $1 AND a.address = $2)
    AND l.is_open AND (l.expires_at IS NULL OR l.expires_at > $3)
ORDER BY l.operation_id, l.index
