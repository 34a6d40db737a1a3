-- At most $3 accounts of a deleted ledger that has no transfers left, by address, behind $2. Index
-- accounts_by_address, then the primary key. Answers how many there were and which was the last.
WITH page AS (
    SELECT id, address FROM accounts WHERE ledger_id = $1 AND address > $2
    ORDER BY address LIMIT $3
), gone AS (
    DELETE FROM accounts a USING page p WHERE a.id = p.id
)
SELECT count(*) OVER (), address FROM page ORDER BY address DESC LIMIT 1
