-- Conversations and their messages, warm (rows) and cold (sealed blobs).
-- Times are Unix milliseconds.

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value ANY
) STRICT, WITHOUT ROWID;
-- Which database this is, and how many commits it has seen (see mark.go).
INSERT INTO meta VALUES ('id', lower(hex(randomblob(16)))), ('commits', 0);

-- n is never reused (AUTOINCREMENT): row keys of messages and entries of the
-- full-text index are derived from it.
CREATE TABLE conversations (
	n           INTEGER PRIMARY KEY AUTOINCREMENT,
	id          TEXT    NOT NULL UNIQUE,
	version     INTEGER NOT NULL,
	site        TEXT    NOT NULL,
	mode        TEXT    NOT NULL,
	epoch       TEXT    NOT NULL,
	last_seq    INTEGER NOT NULL,
	created_at  INTEGER NOT NULL,
	updated_at  INTEGER NOT NULL,
	cold        INTEGER NOT NULL DEFAULT 0, -- 0: rows; 1: sealed, blob here; 2: sealed, blob only in the archive
	pending     INTEGER NOT NULL DEFAULT 0,
	operator    TEXT    NOT NULL DEFAULT '',
	unread      INTEGER NOT NULL DEFAULT 0,
	rating      INTEGER NOT NULL DEFAULT 0,
	comment     TEXT    NOT NULL DEFAULT '',
	spend       REAL    NOT NULL DEFAULT 0,
	tokens      INTEGER NOT NULL DEFAULT 0,
	last_text   TEXT    NOT NULL DEFAULT '',
	last_from   TEXT    NOT NULL DEFAULT '',
	blocked     INTEGER NOT NULL DEFAULT 0,
	unanswered  INTEGER NOT NULL DEFAULT 0,
	fence       INTEGER NOT NULL DEFAULT 0,
	sub         TEXT    NOT NULL DEFAULT '', -- visitor's identity, repeated from visitor for the index
	visitor     TEXT    NOT NULL DEFAULT '', -- JSON
	page        TEXT    NOT NULL DEFAULT '', -- JSON
	indexed_seq INTEGER NOT NULL DEFAULT 0,  -- messages up to here are in message_fts
	indexed_who INTEGER NOT NULL DEFAULT 0   -- 1: visitor and page are in message_fts, under seq 0
) STRICT;

-- Lists run newest first, warm and cold apart and merged; the same index finds
-- the warm conversations that are due for the archive.
CREATE INDEX conversations_recent     ON conversations (cold, updated_at);
CREATE INDEX conversations_pending    ON conversations (updated_at) WHERE pending > 0;
CREATE INDEX conversations_waiting    ON conversations (updated_at) WHERE mode <> 'ai';
CREATE INDEX conversations_unanswered ON conversations (updated_at) WHERE unanswered = 1;
CREATE INDEX conversations_unread     ON conversations (updated_at) WHERE unread > 0;
CREATE INDEX conversations_blocked    ON conversations (updated_at) WHERE blocked = 1;
CREATE INDEX conversations_rated      ON conversations (updated_at) WHERE rating > 0;
CREATE INDEX conversations_sub        ON conversations (sub) WHERE sub <> '';
CREATE INDEX conversations_unindexed  ON conversations (n) WHERE indexed_seq < last_seq OR indexed_who = 0;

-- mid = conversation's n * 2^20 + seq: the rows of a conversation lie side by
-- side, and the full-text index needs no other key.
CREATE TABLE messages (
	mid       INTEGER PRIMARY KEY,
	sender    INTEGER NOT NULL, -- 1 visitor, 2 ai, 3 operator, 4 system
	at        INTEGER NOT NULL,
	text      TEXT    NOT NULL,
	client_id TEXT,
	extra     TEXT              -- JSON: finish, author, sources, mark, turn
) STRICT;

-- The assembled prompt of an answer, apart because it is large and rarely read.
CREATE TABLE traces (
	mid   INTEGER PRIMARY KEY,
	trace TEXT NOT NULL
) STRICT;

-- Filled in the background, so that the full-text index costs the visitor's
-- turn nothing. Chinese is spread out before it is indexed (see fold.go).
CREATE VIRTUAL TABLE message_fts USING fts5 (
	text, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram'
);

-- Ranges of message rows that wait to be deleted in small steps.
CREATE TABLE purge (
	lo  INTEGER PRIMARY KEY, -- first mid
	hi  INTEGER NOT NULL,    -- last mid
	fts INTEGER NOT NULL     -- 1: the full-text entries go too
) STRICT;

-- A running summary of the conversation for the prompt, and whatever else is
-- derived from it and can be made again.
CREATE TABLE notes (
	conv       INTEGER NOT NULL REFERENCES conversations (n) ON DELETE CASCADE,
	kind       TEXT    NOT NULL,
	upto_seq   INTEGER NOT NULL,
	value      TEXT    NOT NULL,
	updated_at INTEGER NOT NULL,
	PRIMARY KEY (conv, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
	conv       INTEGER PRIMARY KEY REFERENCES conversations (n) ON DELETE CASCADE,
	version    INTEGER NOT NULL, -- of the conversation when it was sealed
	codec      TEXT    NOT NULL,
	dict       INTEGER NOT NULL DEFAULT 0,
	messages   INTEGER NOT NULL,
	raw_size   INTEGER NOT NULL,
	size       INTEGER NOT NULL, -- kept when data goes
	sum        BLOB    NOT NULL, -- checksum of data, for the read-back
	sealed_at  INTEGER NOT NULL,
	shipped_at INTEGER NOT NULL DEFAULT 0,
	data       BLOB              -- NULL: only in the archive
) STRICT;

CREATE INDEX blobs_size ON blobs (shipped_at, size, raw_size, messages); -- the sums, without touching the data

CREATE TABLE dicts (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	codec      TEXT    NOT NULL,
	data       BLOB    NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE outbox (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	kind       TEXT    NOT NULL, -- ship, delete
	conv       TEXT    NOT NULL, -- conversation id: a deletion outlives its row
	version    INTEGER NOT NULL,
	batch      TEXT    NOT NULL DEFAULT '', -- fixed before the first try
	attempts   INTEGER NOT NULL DEFAULT 0,
	next_at    INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	error      TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX outbox_due ON outbox (next_at, id);
CREATE UNIQUE INDEX outbox_conv ON outbox (conv, kind);
