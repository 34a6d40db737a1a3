-- Is every captured hold one transfer of kind capture (8), of its amount and between its accounts,
-- and has no other hold one? Has every hold that was captured, voided or expired (1 to 3, in both
-- tables) exactly one event of that? Full scan of the holds and of the ledger's events.
WITH wanted AS (
    SELECT id AS hold, transfer, from_account, to_account, captured_amount AS amount
    FROM holds WHERE ledger_id = $1::uuid AND status = 1
), booked AS (
    SELECT cause AS hold, id AS transfer, from_account, to_account, amount
    FROM transfers WHERE ledger_id = $1::uuid AND kind = 8
), bad AS (
    SELECT hold FROM (
        SELECT w.*, 1 AS sign FROM wanted w UNION ALL SELECT b.*, -1 FROM booked b
    ) s
    GROUP BY hold, transfer, from_account, to_account, amount HAVING sum(sign) <> 0
    UNION ALL
    SELECT hold FROM booked GROUP BY hold HAVING count(*) > 1
    UNION ALL
    SELECT id FROM holds
    WHERE ledger_id = $1::uuid AND ((status = 0) <> (ended_at IS NULL) OR captured_amount > amount)
    UNION ALL
    SELECT hold FROM (
        SELECT id AS hold, status AS how, 1 AS sign FROM holds
        WHERE ledger_id = $1::uuid AND status > 0
        UNION ALL
        SELECT subject, type, -1 FROM events WHERE scope_id = $1::uuid AND type BETWEEN 1 AND 3
    ) e
    GROUP BY hold, how HAVING sum(sign) <> 0
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' differences; hold ' || coalesce(min(hold::text), 'none') FROM bad
         HAVING count(*) > 0),
        (SELECT count(*) || ' captures' FROM booked))
