-- Closes the lots of a ledger, or of its account $2, whose expiry is recorded (events of type 7),
-- and opens those of which none is. An event names operation, address and amount: of lots that
-- agree in these the one that was over first was recorded first. Ranges of the operations' and the
-- events' primary keys, sorted together.
WITH both_kinds AS (
    SELECT l.operation_id, l.account_id, l.amount_remaining AS amount, l.index, l.is_open,
        l.expires_at
    FROM credit_operations o JOIN credit_lots l ON l.operation_id = o.id
    WHERE o.ledger_id = $1 AND l.amount_remaining > 0 AND l.expires_at IS NOT NULL
        AND ($2 IS NULL OR l.account_id = $2)
    UNION ALL
    SELECT e.subject, e.account, e.amount, NULL, NULL, NULL
    FROM events e
    WHERE e.scope_id = $1 AND e.type = 7 AND ($2 IS NULL OR e.account = $2)
), judged AS (
    SELECT operation_id, index, is_open,
        row_number() OVER (same ORDER BY index IS NULL, is_open, expires_at, index)
            > count(*) FILTER (WHERE index IS NULL) OVER same AS stays_open
    FROM both_kinds
    WINDOW same AS (PARTITION BY operation_id, account_id, amount)
)
UPDATE credit_lots l SET is_open = j.stays_open
FROM judged j
WHERE j.is_open <> j.stays_open AND l.operation_id = j.operation_id AND l.index = j.index
