-- Which of these organizations exist? They are never deleted, so no lock. Primary key.
SELECT o.id FROM unnest($1) k (id) JOIN organizations o ON o.id = k.id
