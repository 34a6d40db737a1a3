-- A page of an organization's ledgers, by name. Index ledgers_by_name.
SELECT l.id, l.organization_id, l.name, l.asset_code, l.asset_scale, l.kind, l.posting,
    l.royalty_percent, l.drain, l.accounts, l.issuers, l.created_at
FROM ledgers l WHERE l.organization_id = $1 AND l.name > $2 AND l.deleted_at IS NULL
ORDER BY l.name LIMIT $3
