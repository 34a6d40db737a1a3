-- Was every stream funded once with its total (9) by its sender, and is what it released (10
-- withdrawn, 12 paid out when it was cancelled) and what it gave back (11, once, when it was
-- settled or cancelled) exactly its transfers, between its own account and its parties? Full scan.
WITH s AS (
    SELECT s.*, a.id AS escrow FROM streams s
    LEFT JOIN accounts a ON a.ledger_id = s.ledger_id AND a.address = '@stream:' || s.id
    WHERE s.ledger_id = $1::uuid
), t AS (
    SELECT t.cause, t.kind, t.amount, CASE t.kind
        WHEN 9 THEN t.from_account = s.sender AND t.to_account = s.escrow
        WHEN 11 THEN t.from_account = s.escrow AND t.to_account = s.sender
        ELSE t.from_account = s.escrow AND t.to_account = s.recipient END AS is_its
    FROM transfers t LEFT JOIN s ON s.id = t.cause
    WHERE t.ledger_id = $1::uuid AND t.kind IN (9, 10, 11, 12)
), sums AS (
    SELECT cause, coalesce(sum(amount) FILTER (WHERE kind = 9), 0) AS funded,
        coalesce(sum(amount) FILTER (WHERE kind IN (10, 12)), 0) AS released,
        coalesce(sum(amount) FILTER (WHERE kind = 11), 0) AS refunded,
        count(*) FILTER (WHERE kind = 9) AS fundings, count(*) FILTER (WHERE kind = 11) AS refunds,
        count(*) FILTER (WHERE kind = 12) AS payouts
    FROM t GROUP BY cause
), bad AS (
    SELECT coalesce(cause::text, 'none') AS stream FROM t WHERE is_its IS NOT TRUE
    UNION ALL
    SELECT s.id::text FROM s LEFT JOIN sums m ON m.cause = s.id
    WHERE coalesce(m.funded, 0) <> CASE WHEN s.started_at IS NULL THEN 0 ELSE s.total END
        OR coalesce(m.released, 0) <> s.released OR coalesce(m.refunded, 0) <> s.refunded
        OR m.fundings > 1
        OR m.refunds > CASE WHEN s.settled_at IS NOT NULL OR s.status = 5 THEN 1 ELSE 0 END
        OR m.payouts > CASE WHEN s.status = 5 THEN 1 ELSE 0 END
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' differences; stream ' || min(stream) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' streams' FROM s))
