-- Is every account's available balance within its overdraft limit? @world alone has no limit: it
-- is where money comes from. Full scan.
WITH bad AS (
    SELECT address, balance, held, overdraft_limit FROM accounts
    WHERE ledger_id = $1::uuid AND address <> '@world'
        AND (held < 0 OR balance::numeric - held < -overdraft_limit::numeric)
)
SELECT NOT EXISTS (SELECT 1 FROM bad),
    coalesce(
        (SELECT count(*) || ' accounts overdrawn; ' || min(address || ': balance ' || balance
            || ', held ' || held || ', limit ' || overdraft_limit) FROM bad HAVING count(*) > 0),
        (SELECT count(*) || ' accounts' FROM accounts WHERE ledger_id = $1::uuid))
