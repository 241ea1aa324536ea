-- What the owner sets and reads. Times are Unix milliseconds.

CREATE TABLE settings (
	path       TEXT PRIMARY KEY,
	value      BLOB    NOT NULL, -- JSON; secrets sealed
	revision   INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE providers (
	name       TEXT PRIMARY KEY,
	pos        INTEGER NOT NULL,
	enabled    INTEGER NOT NULL,
	config     TEXT    NOT NULL, -- JSON: preset, base URL, models
	updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
	name       TEXT PRIMARY KEY,
	provider   TEXT    NOT NULL,
	pos        INTEGER NOT NULL,
	enabled    INTEGER NOT NULL,
	sealed     BLOB    NOT NULL, -- the secret, never in clear
	masked     TEXT    NOT NULL, -- what the owner may see of it
	rpm        INTEGER NOT NULL,
	tpm        INTEGER NOT NULL,
	weight     REAL    NOT NULL,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE faq (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	lang         TEXT    NOT NULL,
	question     TEXT    NOT NULL,
	alternatives TEXT    NOT NULL, -- JSON array, '' for none
	answer       TEXT    NOT NULL,
	enabled      INTEGER NOT NULL,
	hits         INTEGER NOT NULL DEFAULT 0,
	updated_at   INTEGER NOT NULL,
	key          TEXT    NOT NULL, -- folded question
	UNIQUE (lang, key)
) STRICT;
-- With positions, unlike message_fts: ranking needs them, and it is small.
CREATE VIRTUAL TABLE faq_fts USING fts5 (
	text, content = '', contentless_delete = 1, tokenize = 'trigram'
);

CREATE TABLE unanswered (
	id           INTEGER PRIMARY KEY AUTOINCREMENT,
	key          TEXT    NOT NULL UNIQUE, -- folded text
	text         TEXT    NOT NULL,
	lang         TEXT    NOT NULL,
	count        INTEGER NOT NULL,
	last_at      INTEGER NOT NULL,
	conversation TEXT    NOT NULL
) STRICT;
CREATE INDEX unanswered_count ON unanswered (count);

CREATE TABLE word_lists (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	name       TEXT    NOT NULL UNIQUE,
	category   TEXT    NOT NULL,
	action     TEXT    NOT NULL,
	way        TEXT    NOT NULL, -- in, out, both
	replace    TEXT    NOT NULL,
	enabled    INTEGER NOT NULL,
	source     TEXT    NOT NULL,
	updated_at INTEGER NOT NULL
) STRICT;
CREATE TABLE words (
	list INTEGER NOT NULL REFERENCES word_lists (id) ON DELETE CASCADE,
	word TEXT    NOT NULL,
	PRIMARY KEY (list, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE patterns (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	name       TEXT    NOT NULL UNIQUE,
	expr       TEXT    NOT NULL,
	category   TEXT    NOT NULL,
	action     TEXT    NOT NULL,
	way        TEXT    NOT NULL,
	replace    TEXT    NOT NULL,
	enabled    INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE exceptions (
	text       TEXT PRIMARY KEY,
	rule       TEXT    NOT NULL,
	created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE filter_hits (
	id             INTEGER PRIMARY KEY AUTOINCREMENT,
	at             INTEGER NOT NULL,
	layer          TEXT    NOT NULL,
	rule           TEXT    NOT NULL,
	category       TEXT    NOT NULL,
	action         TEXT    NOT NULL,
	shadow         INTEGER NOT NULL,
	direction      TEXT    NOT NULL,
	match          TEXT    NOT NULL,
	context        TEXT    NOT NULL,
	conversation   TEXT    NOT NULL,
	seq            INTEGER NOT NULL,
	false_positive INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX filter_hits_rule ON filter_hits (rule, id);

CREATE TABLE hit_counts (
	day   TEXT    NOT NULL,
	layer TEXT    NOT NULL,
	rule  TEXT    NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (day, layer, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE spend (
	day        TEXT    NOT NULL, -- of the owner's time zone
	provider   TEXT    NOT NULL,
	key        TEXT    NOT NULL,
	model      TEXT    NOT NULL,
	visitor    TEXT    NOT NULL, -- '' after a while
	background INTEGER NOT NULL,
	calls      INTEGER NOT NULL,
	prompt     INTEGER NOT NULL,
	completion INTEGER NOT NULL,
	cached     INTEGER NOT NULL,
	cost       REAL    NOT NULL,
	PRIMARY KEY (day, provider, key, model, visitor, background)
) STRICT, WITHOUT ROWID;

CREATE TABLE series (
	id   INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE points (
	step   INTEGER NOT NULL, -- seconds
	at     INTEGER NOT NULL, -- Unix seconds
	series INTEGER NOT NULL REFERENCES series (id),
	value  REAL    NOT NULL,
	PRIMARY KEY (step, at, series)
) STRICT, WITHOUT ROWID;

CREATE TABLE operators (
	name       TEXT PRIMARY KEY,
	display    TEXT    NOT NULL,
	role       TEXT    NOT NULL,
	hash       TEXT    NOT NULL, -- argon2id, PHC form
	created_at INTEGER NOT NULL,
	seen_at    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE signins (
	token      BLOB PRIMARY KEY, -- hash of the cookie's value
	operator   TEXT    NOT NULL REFERENCES operators (name) ON DELETE CASCADE,
	created_at INTEGER NOT NULL,
	seen_at    INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	ip         TEXT    NOT NULL,
	agent      TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX signins_operator ON signins (operator);
CREATE INDEX signins_expiry ON signins (expires_at);

CREATE TABLE left_messages (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	at       INTEGER NOT NULL,
	site     TEXT    NOT NULL,
	name     TEXT    NOT NULL,
	email    TEXT    NOT NULL,
	text     TEXT    NOT NULL,
	page_url TEXT    NOT NULL,
	ip       TEXT    NOT NULL,
	done     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX left_messages_done ON left_messages (done, id);

CREATE TABLE files (
	id         TEXT PRIMARY KEY, -- random
	conv       TEXT    NOT NULL,
	name       TEXT    NOT NULL,
	type       TEXT    NOT NULL,
	size       INTEGER NOT NULL,
	created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX files_conv ON files (conv);
