-- Expired exports without chunks: nothing is to be done with them any more. exports_due.
UPDATE exports e SET due_at = NULL
WHERE e.due_at <= $1 AND e.status = 4
    AND NOT EXISTS (SELECT 1 FROM export_chunks c WHERE c.export_id = e.id)
