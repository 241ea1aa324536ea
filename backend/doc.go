// Package backend is the whole appliance without a window, and the only package
// that the window and the daemon see. This comment is the architecture on one
// page.
//
// # What it is
//
// One process with two listeners. Visitors reach the public one (the widget,
// the chat socket); the owner reaches the admin one (page, API, metrics). The
// desktop program shows the same admin handler in its own window. Everything
// durable lives in one SQLite database in the data folder.
//
// # Layers
//
// Imports point down only; a test asserts it (internal/testkit/arch).
//
//	main, cmd/haoked                 programs
//	app                              the window (Wails), tray, dialogs
//	backend                          this package: composition, nothing else
//	httpd adminapi gateway auth      edges: listeners, admin API, visitors' protocol, doors
//	engine                           one visitor's turn, end to end
//	filter session prompt admit keypool price upstream sqlite archive clickhouse
//	wsconn wire settings secret metrics logs offline sim phrases tokens upload update
//	collector
//	chat codec span stack            the domain; JSON at speed; contexts that are used again;
//	                                 goroutines that need not grow
//
// Each fixed third-party package has one owner: Wails in app, chi in httpd,
// adminapi and auth, the WebSocket package in wsconn, the SQLite driver in
// sqlite, the ClickHouse client in clickhouse, snappy in archive, json-iterator
// in codec.
//
// # A visitor's turn
//
//	wsconn    a poller finds a silent socket awake; reads a frame, bounded in size and time
//	gateway   decodes it, checks limits, knows the conversation by the visitor's token
//	engine    Take: filter, then one durable append (group commit); the ack follows the disk
//	          turn: wait while the visitor types; otherwise it begins while the commit is on
//	          its way, and shows nothing before that is on disk; a curated answer, else
//	prompt    what the upstream sees, within a budget of tokens
//	upstream  joins an identical call in flight, or asks
//	admit     for a lease: pacing by key, queue with classes, money
//	upstream  streams; each piece is the raw JSON token of the upstream's chunk
//	filter    passes it, or holds back what could still become a hit
//	gateway   the hub writes it once a socket; part numbers let a late one catch up
//	engine    the durable answer ends every turn, an apology too
//
// The turn reads from top to bottom in engine/turn.go.
//
// # What is where
//
// A conversation is hot (decoded, in session's cache), warm (rows in SQLite) or
// cold (one compressed blob, in SQLite or ClickHouse). Each has a version; an
// append is a compare-and-set, so tabs, operators and the AI write at once.
// Settings come from defaults, the window, config.toml, the environment and
// flags, in that order, and remember where they came from. Secrets are sealed
// by a key that the operating system's keychain or a key file holds.
//
// # Life
//
// New opens everything and serves nothing. Run serves until its context ends,
// then stops in order: no new connections, idle widgets are told to come back,
// running answers finish for at most ten seconds, sockets close, stores close.
// A turn that was cut off is open on disk and is taken up at the next start.
// An exclusive lock on the data folder keeps two processes apart; runtime.json
// (mode 0600) lets the window attach to a daemon that holds the lock.
//
// An update (internal/update) is tried on a copy of the data while this version
// serves. Then Run ends with a Successor, which the program puts in its place.
// A new version that does not get as far as Run is put back by New, data
// included (*RolledBackError).
package backend
