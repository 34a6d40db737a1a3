-- What may change about a ledger. Primary key; the row is locked.
UPDATE ledgers SET drain = $2, issuers = $3, royalty_percent = $4 WHERE id = $1
