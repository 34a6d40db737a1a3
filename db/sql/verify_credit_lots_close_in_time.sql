-- Is every lot that is drained closed, and has every other one that is closed expired? Full scan.
WITH bad AS (
    SELECT l.operation_id
    FROM credit_operations o JOIN credit_lots l ON l.operation_id = o.id
    WHERE o.ledger_id = $1::uuid AND (
        (l.is_open AND l.amount_remaining = 0)
        OR (NOT l.is_open AND l.amount_remaining > 0 AND l.expires_at IS NULL))
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' lots; of operation ' || min(operation_id::text) FROM bad
         HAVING count(*) > 0),
        (SELECT count(*) || ' lots' FROM credit_operations o
         JOIN credit_lots l ON l.operation_id = o.id WHERE o.ledger_id = $1::uuid))
