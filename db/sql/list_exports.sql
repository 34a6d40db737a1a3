-- A page of an organization's exports, newest first, with id < $2. exports_of_organization.
SELECT e.id, e.organization_id, e.source, e.format, e.ledger_id, e.ledger_name, e.account,
    e.from_at, e.to_at, e.status, e.rows, e.bytes, e.sha256, e.finished_at, e.expires_at
FROM exports e WHERE e.organization_id = $1 AND e.id < $2
ORDER BY e.id DESC LIMIT $3
