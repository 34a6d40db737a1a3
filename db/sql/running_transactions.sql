-- The transactions of this database that have written, or have locked what they may write: those
-- of other databases on the server may last as long as they like.
SELECT a.backend_xid::text FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.backend_xid IS NOT NULL
