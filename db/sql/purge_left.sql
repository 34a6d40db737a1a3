-- Is anything left of a deleted ledger that hangs on its accounts, because somebody held it when
-- its page went? The beginnings of the primary keys and of holds_by_status.
SELECT 1 WHERE EXISTS (SELECT 1 FROM transfers WHERE ledger_id = $1)
    OR EXISTS (SELECT 1 FROM purchases WHERE ledger_id = $1)
    OR EXISTS (SELECT 1 FROM holds WHERE ledger_id = $1)
    OR EXISTS (SELECT 1 FROM streams WHERE ledger_id = $1)
    OR EXISTS (SELECT 1 FROM events WHERE scope_id = $1)
    OR EXISTS (SELECT 1 FROM credit_operations WHERE ledger_id = $1)
