-- New organizations.
INSERT INTO organizations (id, name, created_at) SELECT * FROM unnest($1, $2, $3)
