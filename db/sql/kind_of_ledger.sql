-- Which kind of ledger is it: of money (0) or of credits (1)? Primary key.
SELECT kind FROM ledgers WHERE id = $1
