-- The addresses of accounts, in any order. Primary key.
SELECT a.id, a.address FROM accounts a WHERE a.id = ANY ($1)
