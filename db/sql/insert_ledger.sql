-- One new ledger. Not a set: an array of issuer arrays would have to be rectangular. One that was
-- deleted in the same batch is inserted deleted.
INSERT INTO ledgers (id, organization_id, name, asset_code, asset_scale, kind, posting,
    royalty_percent, drain, accounts, issuers, created_at, deleted_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
