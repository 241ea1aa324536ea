-- far: a copy of the conversation may be on the archive's server. It is set
-- before the first try to ship and stays, so that a deletion is noted for that
-- server even after the conversation was thawed or the server was unset.
ALTER TABLE conversations ADD COLUMN far INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET far = 1
	WHERE n IN (SELECT conv FROM blobs WHERE shipped_at > 0) OR id IN (SELECT conv FROM outbox WHERE batch <> '');
