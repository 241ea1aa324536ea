package wire

import "time"

// ArchiveStatus is the cold tier.
type ArchiveStatus struct {
	Hot  int64 `json:"hot"`
	Warm int64 `json:"warm"` // conversations
	Cold int64 `json:"cold"`
	// ClickHouse: "off", "ok" or "down".
	ClickHouse string     `json:"clickhouse"`
	Server     string     `json:"server,omitempty"` // host and database, never the password
	Version    string     `json:"version,omitempty"`
	Reason     string     `json:"reason,omitempty"` // of "down"
	Pending    int64      `json:"pending"`          // sealed, not shipped
	Shipped    int64      `json:"shipped"`
	Failures   int64      `json:"failures"` // batches that failed since the last success
	NextTry    *time.Time `json:"next_try,omitempty"`
	LastShip   *time.Time `json:"last_ship,omitempty"`

	RawBytes    int64   `json:"raw_bytes"`    // JSON of all cold conversations
	StoredBytes int64   `json:"stored_bytes"` // of their blobs here
	Ratio       float64 `json:"ratio"`        // 0: nothing sealed yet
	SQLiteBytes int64   `json:"sqlite_bytes"` // the database's file
	DiskFree    int64   `json:"disk_free"`
	ColdAfterS  int64   `json:"cold_after_s"`
	KeepDays    int     `json:"keep_days"` // retention; 0: for ever
	Corrupt     int64   `json:"corrupt"`   // blobs that could not be read
}

// ArchiveProbe tests a ClickHouse that is not saved yet.
type ArchiveProbe struct {
	DSN string `json:"dsn"` // empty: the one in use
}

// ArchiveTest is the result of a test; status 200 whether it worked or not.
type ArchiveTest struct {
	OK        bool       `json:"ok"`
	Text      string     `json:"text"`
	Hint      string     `json:"hint,omitempty"`
	Version   string     `json:"version,omitempty"`
	LatencyMS float64    `json:"latency_ms,omitempty"`
	FreeBytes int64      `json:"free_bytes,omitempty"`
	Steps     []TestStep `json:"steps"`
}

// ArchiveRun is what "archive now" did.
type ArchiveRun struct {
	Sealed  int `json:"sealed"`
	Shipped int `json:"shipped"`
}

// LogQuery filters the log in memory, oldest first.
type LogQuery struct {
	Level string `json:"level"` // "debug", "info" (default), "warn", "error": at least this
	Query string `json:"query"` // substring of message and attributes
	After uint64 `json:"after"` // lines with N greater than this; 0: the latest Limit
	Limit int    `json:"limit"` // 1-1000; 0: 200
}

// LogPage is a stretch of the log.
type LogPage struct {
	Items   []LogLine `json:"items"`
	Last    uint64    `json:"last"`    // N to follow on from
	Dropped uint64    `json:"dropped"` // lines lost since the start because the queue was full
}

// LogLine is one line, already redacted.
type LogLine struct {
	N     uint64    `json:"n"`
	At    time.Time `json:"at"`
	Level string    `json:"level"`
	Text  string    `json:"text"`
	// Attrs are key and value pairs in order.
	Attrs [][2]string `json:"attrs"`
}

// Backups is all backups with their schedule.
type Backups struct {
	Items    []Backup `json:"items"`    // newest first
	Schedule string   `json:"schedule"` // "off", "daily" or "weekly" (setting backup.schedule)
	At       string   `json:"at"`       // "03:30", owner's time
	Keep     int      `json:"keep"`
	Folder   string   `json:"folder"`
	// Passphrase: one is stored for scheduled backups.
	Passphrase bool `json:"passphrase"`
	// Staged is a restore that the next start will do; nil: none.
	Staged *Staged `json:"staged,omitempty"`
	// Running: a backup is being made.
	Running bool `json:"running"`
}

// Backup is one file.
type Backup struct {
	Name       string     `json:"name"`
	At         time.Time  `json:"at"`
	Bytes      int64      `json:"bytes"`
	Version    string     `json:"version"` // of the program that made it
	Encrypted  bool       `json:"encrypted"`
	Auto       bool       `json:"auto"` // by schedule or before an upgrade
	VerifiedAt *time.Time `json:"verified_at,omitempty"`
	Fault      string     `json:"fault,omitempty"` // of the last verification
}

// BackupNew makes a backup.
type BackupNew struct {
	// Passphrase seals the file, keys included. Empty: the file is not sealed
	// and carries no keys.
	Passphrase string `json:"passphrase"`
}

// BackupOpen opens a sealed backup.
type BackupOpen struct {
	Passphrase string `json:"passphrase"`
}

// Staged is a restore to come.
type Staged struct {
	Name          string    `json:"name"`
	At            time.Time `json:"at"` // when the backup was made
	Conversations int64     `json:"conversations"`
	Version       string    `json:"version"`
}

// RestoreQuery goes with an uploaded file.
type RestoreQuery struct {
	Name string `json:"name"` // file name to show
}

// UpdateState is what is known of newer versions.
type UpdateState struct {
	Current   string     `json:"current"`
	Latest    string     `json:"latest,omitempty"` // empty: none newer known
	Notes     string     `json:"notes,omitempty"`  // plain text
	URL       string     `json:"url,omitempty"`
	CheckedAt *time.Time `json:"checked_at,omitempty"`
	Enabled   bool       `json:"enabled"` // setting updates.check
	Fault     string     `json:"fault,omitempty"`
	NotesZH   string     `json:"notes_zh,omitempty"` // Notes in Chinese
	// Managed says who else updates this installation: "deb", "rpm", "docker",
	// "service" (on Windows: a service may not change itself).
	Managed string `json:"managed,omitempty"`
	// CanApply: applyUpdate would install Latest. Where it would not, Command is
	// what to type and File the address of what has to be fetched for it.
	CanApply bool   `json:"can_apply"`
	Command  string `json:"command,omitempty"`
	File     string `json:"file,omitempty"`
	// Stage is what is done now: "", "downloading", "checking", "keeping" (a
	// backup), "trying" (on a copy), "restarting". Done and Total count bytes
	// while downloading; ApplyFault says why the latest try ended.
	Stage      string `json:"stage,omitempty"`
	Done       int64  `json:"done,omitempty"`
	Total      int64  `json:"total,omitempty"`
	ApplyFault string `json:"apply_fault,omitempty"`
	// Last is how the latest update ended.
	Last *UpdateOutcome `json:"last,omitempty"`
}

// UpdateOutcome is how an update ended. OK false: From is in use again, or
// still.
type UpdateOutcome struct {
	From  string    `json:"from"`
	To    string    `json:"to"`
	OK    bool      `json:"ok"`
	Fault string    `json:"fault,omitempty"`
	At    time.Time `json:"at"`
	// Seen: somebody has taken notice that it came to nothing.
	Seen bool `json:"seen,omitempty"`
}

// Wizard is how far the first run is.
type Wizard struct {
	Done bool `json:"done"`
	// Step is where to go on: "language", "shop", "provider", "look", "port",
	// "embed" or "try".
	Step string `json:"step"`
	// Visited steps may be returned to.
	Visited []string `json:"visited"`
	// FirstAnswer: a visitor has been answered already.
	FirstAnswer bool `json:"first_answer"`
}

// WizardWrite stores how far the first run is.
type WizardWrite struct {
	Step string `json:"step"`
	Done bool   `json:"done"`
}

// About is what is running here.
type About struct {
	Version    string    `json:"version"`
	Commit     string    `json:"commit"`
	Built      string    `json:"built"`
	Go         string    `json:"go"`
	OS         string    `json:"os"`
	Arch       string    `json:"arch"`
	DataFolder string    `json:"data_folder"`
	ConfigFile string    `json:"config_file,omitempty"`
	SQLite     string    `json:"sqlite"`
	Licence    string    `json:"licence"` // "Apache-2.0"
	Licences   []Licence `json:"licences"`
	// Leaves says what leaves the machine, one sentence an entry.
	Leaves []Words `json:"leaves"`
}

// Licence is of one package that is built in.
type Licence struct {
	Package string `json:"package"`
	Version string `json:"version"`
	Licence string `json:"licence"` // SPDX
	Text    string `json:"text,omitempty"`
}
