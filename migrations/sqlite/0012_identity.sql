-- From now on every database has an identity.
INSERT INTO identity (id, identity) VALUES (1, lower(hex(randomblob(16)))) ON CONFLICT DO NOTHING;
