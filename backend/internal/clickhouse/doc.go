// Package clickhouse keeps copies of archived conversations in a ClickHouse
// server: one table of sealed sessions, from which a conversation is restored
// exactly, and one of messages, which the owner can ask SQL questions.
//
// Both are ReplacingMergeTree tables whose key names a row for good, so that
// repeating a batch leaves one copy to whoever reads with FINAL, GROUP BY or
// DISTINCT. Sealed sessions are keyed by conversation, version and checksum:
// nothing that was confirmed is ever replaced by something else. A batch has
// been shipped only when every session of it was read back and matched.
//
// Servers from 18.16 on are served. Where the server knows them, columns get
// ZSTD codecs, LowCardinality, DateTime64 and a time to live.
package clickhouse
