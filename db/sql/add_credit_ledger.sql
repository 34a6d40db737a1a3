-- A ledger of credits of which nothing says how far it is, as if nothing had happened on it.
INSERT INTO credit_ledgers (ledger_id, last, lots_last)
VALUES ($1, '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000000')
ON CONFLICT (ledger_id) DO NOTHING
