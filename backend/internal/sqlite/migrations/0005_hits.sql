-- The hit log quotes visitors: what it has of a conversation goes with it.
CREATE INDEX filter_hits_conversation ON filter_hits (conversation) WHERE conversation <> '';
CREATE TRIGGER filter_hits_follow AFTER DELETE ON conversations BEGIN
	DELETE FROM filter_hits WHERE conversation = OLD.id AND conversation <> '';
END;
