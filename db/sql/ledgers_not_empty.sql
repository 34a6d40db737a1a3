-- Which of these ledgers hold money? Asked after their exclusive lock, so the answer stays true.
-- Walks a ledger's accounts (accounts_by_address) until it finds one.
SELECT k.id
FROM unnest($1) k (id)
WHERE EXISTS (
    SELECT 1 FROM accounts a WHERE a.ledger_id = k.id AND (a.balance <> 0 OR a.held <> 0))
