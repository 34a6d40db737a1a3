-- Every movement has two sides, so all balances of a ledger together are 0. Full scan.
SELECT coalesce(sum(balance), 0) = 0,
    count(*) || ' accounts, sum ' || coalesce(sum(balance), 0)
FROM accounts WHERE ledger_id = $1::uuid
