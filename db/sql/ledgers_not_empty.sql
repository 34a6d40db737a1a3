-- Which of these ledgers hold money, or lots that are open? Asked after their exclusive lock, so
-- the answer stays true. Walks a ledger's accounts (accounts_by_address) until it finds one; what
-- is booked on an address of credits may have expired, so there its lots say (credit_lots_open).
SELECT k.id
FROM unnest($1) k (id)
JOIN ledgers l ON l.id = k.id
WHERE EXISTS (
    SELECT 1 FROM accounts a WHERE a.ledger_id = k.id AND (a.balance <> 0 OR a.held <> 0)
        AND (l.kind = 0 OR EXISTS (
            SELECT 1 FROM credit_lots o WHERE o.account_id = a.id AND o.is_open)))
