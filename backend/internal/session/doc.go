// Package session keeps hot conversations: decoded, in memory, bounded by count
// and bytes, written through to a durable store.
//
// The store is the truth. A session in memory is a copy of it with a
// version; every write is a compare-and-set on that version, and a conflict
// reloads and tries again. Within one Manager the writers of a conversation
// queue behind its lock, so that conflicts are rare; the version protects
// against everything else that writes to the same store.
package session
