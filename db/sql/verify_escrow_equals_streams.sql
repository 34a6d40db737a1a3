-- Has every stream an account of its own, and lies there what was neither released nor given back:
-- nothing before it started, and nothing once it is withdrawn (4) or cancelled (5)? Full scan.
WITH s AS (
    SELECT id, status,
        CASE WHEN started_at IS NULL THEN 0 ELSE total - released - refunded END AS owed
    FROM streams WHERE ledger_id = $1::uuid
), a AS (
    SELECT address, balance FROM accounts
    WHERE ledger_id = $1::uuid AND address LIKE '@stream:%'
), bad AS (
    SELECT coalesce(a.address, '@stream:' || s.id) AS address, a.balance, s.owed
    FROM a FULL JOIN s ON a.address = '@stream:' || s.id
    WHERE a.balance IS DISTINCT FROM s.owed OR (s.status IN (4, 5) AND a.balance <> 0)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' accounts differ; ' || min(address || ': balance '
            || coalesce(balance::text, 'none') || ', owed ' || coalesce(owed::text, 'none'))
         FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' streams' FROM s))
