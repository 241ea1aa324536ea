// Package archive is the cold tier: it seals silent conversations into
// compressed blobs, thaws them when somebody returns, and ships copies to a
// ClickHouse where there is one.
//
// A sealed conversation is a packed record (see record.go) behind a codec.
// Snappy is the fast path: it needs nothing and serves until enough
// conversations have been seen to train a dictionary. From then on context
// mixing primed with that dictionary takes over (package mix), which measures
// a third of what zstd with a trained dictionary makes (package measure).
// Every blob names its codec and its dictionary, dictionaries are numbered and
// kept for ever, so a blob of any age can be read; they hold what several
// conversations have in common, never one's own words (see anonymous.go).
//
// Sealing and thawing are one transaction of the store each: a kill leaves a
// conversation warm or cold, never between. Shipping goes through an outbox,
// at least once, with the batch named before the first try; the remote tables
// make it exactly once on read. A local copy is dropped only after the remote
// one has been read back and matched.
package archive
