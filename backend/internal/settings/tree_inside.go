package settings

import "time"

// Filter is the three layers.
type Filter struct {
	Words            bool          `toml:"words"`
	WordsFiles       []string      `toml:"words_files"` // one word a line
	Starter          bool          `toml:"starter"`     // the built-in starter lists
	Pinyin           bool          `toml:"pinyin"`
	Allow            []string      `toml:"allow"` // phrases that never count as a hit
	ActionIn         string        `toml:"action_in"`
	ActionOut        string        `toml:"action_out"`
	Patterns         []string      `toml:"patterns"` // RE2
	Shadow           bool          `toml:"shadow"`   // everything is only noted
	Review           bool          `toml:"review"`
	ReviewMode       string        `toml:"review_mode"` // parallel | hold
	ReviewOut        bool          `toml:"review_out"`  // judge answers as well
	ReviewModel      string        `toml:"review_model"`
	ReviewTimeout    time.Duration `toml:"review_timeout"`
	ReviewFailure    string        `toml:"review_failure"` // allow | hold | block
	MaskPersonalData bool          `toml:"mask_personal_data"`
	StoredPersonal   string        `toml:"stored_personal_data"` // original | masked | label: what is kept of what MaskPersonalData masks
	MaskStyle        string        `toml:"mask_style"`           // same | three | label
}

// Context is the assembly of prompts.
type Context struct {
	Tokens     int  `toml:"tokens"`
	Summaries  bool `toml:"summaries"`   // summarise older turns in the background
	KeepPrompt bool `toml:"keep_prompt"` // keep the assembled prompt with each answer
}

// Session is the conversations in memory.
type Session struct {
	HotCapacity int           `toml:"hot_capacity"`
	HotBytes    int           `toml:"hot_bytes"`
	ColdAfter   time.Duration `toml:"cold_after"` // 0: never
}

// Archive is where cold conversations go.
type Archive struct {
	ClickHouse Secret `toml:"clickhouse"`  // clickhouse://user:password@host:9000/database; empty: SQLite
	Table      string `toml:"table"`       // prefix of the two tables
	Codec      string `toml:"codec"`       // auto | snappy | s2 | zstd
	KeepLocal  bool   `toml:"keep_local"`  // keep the blob in SQLite after the read-back matched
	MaxBacklog int    `toml:"max_backlog"` // bytes waiting to be shipped before the owner is warned
}

// Privacy is what is kept of visitors and for how long.
type Privacy struct {
	RetentionDays int    `toml:"retention_days"` // conversations older than this are deleted everywhere; 0: kept
	UploadDays    int    `toml:"upload_days"`    // 0: kept
	MetricDays    int    `toml:"metric_days"`    // rollups of the charts
	StoreIP       string `toml:"store_ip"`       // full | truncated | none
}

// Backup is the scheduled one.
type Backup struct {
	Schedule   string `toml:"schedule"` // off | daily | weekly
	At         string `toml:"at"`       // 15:04 in the site's time zone
	Folder     string `toml:"folder"`   // "": backups/ in the data folder
	Keep       int    `toml:"keep"`
	Passphrase Secret `toml:"passphrase"` // seals the file and the keys in it; empty: keys are left out
}

// Updates is the check for newer releases.
type Updates struct {
	Check    bool   `toml:"check"`
	Manifest string `toml:"manifest"` // URL of the signed manifest; "": none is asked
}

// Desktop is the window and the tray.
type Desktop struct {
	Language      string `toml:"language"` // auto | en | zh-CN
	Theme         string `toml:"theme"`    // auto | light | dark
	CloseToTray   bool   `toml:"close_to_tray"`
	StartAtLogin  bool   `toml:"start_at_login"`
	Notifications bool   `toml:"notifications"`
	QuietFrom     string `toml:"quiet_from"` // 15:04; "": never quiet
	QuietTo       string `toml:"quiet_to"`
	WizardDone    bool   `toml:"wizard_done"`
	WizardStep    string `toml:"wizard_step"`
}

// Secrets is where the key that seals secrets lives.
type Secrets struct {
	Store string `toml:"store"` // auto | keychain | file
}

// Log is the program's own log.
type Log struct {
	Level       string `toml:"level"`
	Format      string `toml:"format"`
	VisitorText bool   `toml:"visitor_text"` // write visitors' texts to the log; off by default
	Lines       int    `toml:"lines"`        // kept in memory for the log viewer
}

// Default returns the built-in settings. Each call returns fresh memory.
func Default() *Settings {
	return &Settings{
		Server: Server{
			PublicAddr: "127.0.0.1:8787", AdminAddr: "127.0.0.1:8788",
			AllowedOrigins: []string{}, TrustedProxies: []string{"127.0.0.1/32"},
		},
		Admin: Admin{AllowedHosts: []string{}, SessionIdle: 12 * time.Hour, SessionMax: 30 * 24 * time.Hour},
		Site: Site{
			Name: "Demo shop", Locale: "en", Hours: []Hours{}, Holidays: []string{},
			OutsideHours: "ai", DemoFAQ: true,
		},
		Widget: Widget{Look: []byte("{}")},
		FAQ:    FAQ{Threshold: 0.46, Exact: true},
		Upload: Upload{MaxBytes: 5 << 20, Types: []string{"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain"}},
		Upstream: Upstream{
			Model: "gpt-4o-mini", Temperature: -1, Timeout: 15 * time.Second, Retries: 2,
			MaxIdleConns: 500, MaxIdleConnsPerHost: 500, IdleConnTimeout: 90 * time.Second,
			Keys: []Key{}, Providers: []Provider{},
		},
		Prices: Prices{Currency: "USD", Models: []Price{}},
		Limits: Limits{
			Connections: 20000, ConnectionsPerIP: 100, MessagesPerMinute: 20, MessageChars: 4000,
			AnswerTokens: 1000, QueueWait: 30 * time.Second, QueueLength: 5000, AtCap: "offline",
		},
		VIP:   VIP{Share: 0.3},
		Merge: Merge{Enabled: true, CacheBytes: 16 << 20},
		Burst: Burst{TypingWait: 4 * time.Second, Messages: 10},
		Filter: Filter{
			Words: true, WordsFiles: []string{}, Allow: []string{}, ActionIn: "block", ActionOut: "mask",
			Patterns: []string{}, ReviewMode: "parallel", ReviewTimeout: 4 * time.Second, ReviewFailure: "allow",
			StoredPersonal: "original", MaskStyle: "same",
		},
		Context: Context{Tokens: 4000, Summaries: true, KeepPrompt: true},
		Session: Session{HotCapacity: 10000, HotBytes: 128 << 20, ColdAfter: 24 * time.Hour},
		Archive: Archive{Table: "haoke", Codec: "auto", MaxBacklog: 1 << 30},
		Privacy: Privacy{MetricDays: 400, StoreIP: "truncated"},
		Backup:  Backup{Schedule: "off", At: "03:30", Keep: 7},
		Updates: Updates{Check: true},
		Desktop: Desktop{Language: "auto", Theme: "auto", CloseToTray: true, Notifications: true},
		Secrets: Secrets{Store: "auto"},
		Log:     Log{Level: "info", Format: "text", Lines: 5000},
	}
}
