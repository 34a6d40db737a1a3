-- Is every lot that is drained closed, every other one that never expires open, and is one that
-- expires closed exactly if that is recorded (events of type 7: of lots that agree in operation,
-- address and amount the first to be over were recorded first)? Full scan.
WITH lots AS (
    SELECT l.* FROM credit_operations o JOIN credit_lots l ON l.operation_id = o.id
    WHERE o.ledger_id = $1::uuid
), both_kinds AS (
    SELECT operation_id, account_id, amount_remaining AS amount, index, is_open, expires_at
    FROM lots WHERE amount_remaining > 0 AND expires_at IS NOT NULL
    UNION ALL
    SELECT subject, account, amount, NULL, NULL, NULL
    FROM events WHERE scope_id = $1::uuid AND type = 7
), judged AS (
    SELECT operation_id, index, is_open,
        row_number() OVER (same ORDER BY index IS NULL, is_open, expires_at, index)
            > count(*) FILTER (WHERE index IS NULL) OVER same AS stays_open
    FROM both_kinds
    WINDOW same AS (PARTITION BY operation_id, account_id, amount)
), bad AS (
    SELECT operation_id FROM judged WHERE is_open <> stays_open
    UNION ALL
    SELECT operation_id FROM lots
    WHERE is_open <> (amount_remaining > 0) AND (amount_remaining = 0 OR expires_at IS NULL)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' lots; of operation ' || min(operation_id::text) FROM bad
         HAVING count(*) > 0),
        (SELECT count(*) || ' lots' FROM lots))
