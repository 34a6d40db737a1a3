-- One export, of the organization $2 or, where that is NULL, of whichever has it. Primary key.
SELECT e.id, e.organization_id, e.source, e.format, e.ledger_id, e.ledger_name, e.account,
    e.from_at, e.to_at, e.status, e.rows, e.bytes, e.sha256, e.finished_at, e.expires_at
FROM exports e WHERE e.id = $1 AND ($2 IS NULL OR e.organization_id = $2)
