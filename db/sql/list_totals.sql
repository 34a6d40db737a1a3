-- The running totals of a ledger, the amounts in billions and rest. Primary key.
SELECT ledger_id, kind, count, div(amount, 1000000000)::int8, mod(amount, 1000000000)::int8
FROM ledger_totals WHERE ledger_id = $1 ORDER BY kind
