// Package sqlite is the durable store: one SQLite file in WAL mode with a
// single writer that commits in groups, a pool of readers, and the tables of
// the appliance behind small typed stores.
//
// Every write goes through one queue: what arrives while a commit waits for
// the disk shares the next one, so that many messages cost one sync. A write
// returns after its commit is on disk: in the journal (journal.go), which is
// synced while SQLite works, or in the WAL (synchronous=FULL). See
// https://www.sqlite.org/wal.html and https://www.sqlite.org/pragma.html.
//
// The writer and the reads of a turn speak to SQLite's own interface (conn.go);
// everything else goes through database/sql, whose comfort costs more than the
// query where a query is small.
//
// The package is the only importer of modernc.org/sqlite and modernc.org/libc.
package sqlite
