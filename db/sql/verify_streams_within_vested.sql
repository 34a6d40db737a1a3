-- Is 0 <= released <= vested <= total for every stream, is what it gave back what had not vested,
-- and has it the instants that its state has? What has vested is what had when it last changed,
-- in whole milliseconds without its pauses. Statuses: 0 draft, 1 active, 2 paused, 3 ended,
-- 4 withdrawn, 5 cancelled, 6 deleted. Full scan.
WITH s AS (
    SELECT *, duration_s * 1000::numeric AS length,
        (extract(epoch FROM ends_at) - extract(epoch FROM least(updated_at, paused_at, ended_at)))
            * 1000 AS remaining
    FROM streams WHERE ledger_id = $1::uuid
), v AS (
    SELECT *, CASE WHEN started_at IS NULL THEN 0 ELSE total END AS funded,
        CASE WHEN remaining IS NULL THEN 0
             ELSE div(total * greatest(length - greatest(remaining, 0), 0), length) END AS vested
    FROM s
), bad AS (
    SELECT id FROM v
    WHERE released < 0 OR released > vested
        OR (started_at IS NULL) <> (ends_at IS NULL)
        OR extract(epoch FROM ends_at) < extract(epoch FROM started_at) + duration_s
        OR (paused_at IS NOT NULL) <> (status = 2)
        OR (ended_at IS NOT NULL) <> (status IN (3, 4, 5))
        OR (settled_at IS NOT NULL AND status NOT IN (3, 4))
        OR (status IN (0, 6) AND started_at IS NOT NULL)
        OR (status IN (1, 2, 5) AND started_at IS NULL)
        OR (status = 4 AND (settled_at IS NULL OR released + refunded <> funded))
        OR refunded <> CASE WHEN settled_at IS NULL AND status <> 5 OR started_at IS NULL THEN 0
                       ELSE total - vested END
        OR (status = 5 AND released + refunded <> total)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' streams; ' || min(id::text) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' streams' FROM v))
