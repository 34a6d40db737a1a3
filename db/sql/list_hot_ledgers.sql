-- A page of the ledgers that are posted hot, of every organization. Both primary keys.
SELECT l.id, l.organization_id, l.name, l.asset_code, l.asset_scale, l.kind, l.posting,
    l.royalty_percent, l.drain, l.accounts, l.issuers, l.created_at
FROM hot_ledgers h JOIN ledgers l ON l.id = h.ledger_id
WHERE h.ledger_id > $1 AND l.deleted_at IS NULL
ORDER BY h.ledger_id LIMIT $2
