package wire

import "time"

// Status is the answer to "is all well?".
type Status struct {
	Version   string    `json:"version"`
	StartedAt time.Time `json:"started_at"`
	Now       time.Time `json:"now"`
	// State: "ok", "degraded" (visitors are served, something needs the owner),
	// "stopped" (visitors are not answered) or "paused" (by the owner).
	State    ServiceState `json:"state"`
	Problems []Trouble    `json:"problems"` // worst first; empty when all is well
	// Upstream: "offline" (no base_url: the FAQ answers) or "upstream".
	Answerer  string `json:"answerer"`
	PublicURL string `json:"public_url"` // how the page reaches the public listener, without a trailing slash
	// ShareURL is server.public_url or, when that is empty, PublicURL: for
	// snippets and QR codes.
	ShareURL string `json:"share_url"`
	AdminURL string `json:"admin_url"`
	// AdminAnywhere: the admin page is at every address of the machine, AdminURL
	// names the one for the machine itself.
	AdminAnywhere bool `json:"admin_anywhere,omitempty"`

	Visitors int `json:"visitors"` // sockets open now
	Waiting  int `json:"waiting"`  // conversations in mode "waiting"
	// OldestWaitS is how long the longest waits, in seconds; 0: nobody.
	OldestWaitS int64 `json:"oldest_wait_s"`
	// WaitingID is the conversation that waits longest.
	WaitingID    string   `json:"waiting_id,omitempty"`
	Unread       int      `json:"unread"`         // conversations with unread visitor messages
	AnswersToday int64    `json:"answers_today"`  // since midnight of the owner's time zone
	FirstTokenMS *float64 `json:"first_token_ms"` // p50 of the last 15 minutes; null: no answers
	ReplyMS      *float64 `json:"reply_ms"`       // p50 of the last 15 minutes; null: no answers

	Currency     string  `json:"currency"` // ISO 4217, for example "USD"
	SpendToday   float64 `json:"spend_today"`
	SpendCap     float64 `json:"spend_cap"` // 0: no cap
	SavedToday   float64 `json:"saved_today"`
	UnansweredN  int     `json:"unanswered"`    // open entries of the unanswered list
	LeftMessages int     `json:"left_messages"` // messages of the offline form not yet done

	// Restart names the settings paths that wait for a restart.
	Restart []string `json:"restart"`
	// Attached: the window shows a daemon that another process runs.
	Attached bool `json:"attached"`
}

// ServiceState is how the service is.
type ServiceState string

const (
	ServiceOK       ServiceState = "ok"
	ServiceDegraded ServiceState = "degraded"
	ServiceStopped  ServiceState = "stopped"
	ServicePaused   ServiceState = "paused"
)

// Trouble is something that needs the owner. The page translates known codes
// with Args and falls back to Text.
//
// Codes and their Args: key_refused {key,status}, key_cooling {key,until,reason},
// no_key {}, upstream_down {provider,reason}, budget_near {percent}, budget_spent {},
// disk_low {free}, read_only {reason}, archive_down {reason}, archive_backlog {pending},
// origins_any {}, no_origins {}, admin_exposed {addr}, no_password {}, db_damaged {path},
// admin_unused {addr,now}, update {version}, update_failed {version,now,reason}, restart_needed {}, waiting {count,seconds}, filter_invalid {reason},
// public_unreachable {url}, clock_jump {}, logs_dropped {count}.
type Trouble struct {
	Code  string            `json:"code"`
	Level string            `json:"level"` // "bad", "warn" or "info"
	Text  string            `json:"text"`  // one English sentence with what to do
	Args  map[string]string `json:"args,omitempty"`
	// Page is where the fix is: a hash path of the page, for example "keys/main"
	// or "settings/limits.daily_spend"; empty: nothing to click.
	Page string `json:"page,omitempty"`
}

// Pause stops or resumes taking new conversations; running ones go on.
type Pause struct {
	Paused bool `json:"paused"`
}

// ChartQuery asks for stored series.
type ChartQuery struct {
	Series string `json:"series"` // required: names with commas between, at most 40; unknown: 422
	From   string `json:"from"`   // RFC 3339 or Unix seconds; absent: one hour before To
	To     string `json:"to"`     // likewise; absent: now
	Step   string `json:"step"`   // duration, for example "10s"; absent: chosen so that at most 400 points come back; never more than 2000
}

// Charts are aligned series: every Values has the length of T.
type Charts struct {
	From   int64         `json:"from"` // Unix seconds
	To     int64         `json:"to"`
	Step   int64         `json:"step"` // seconds
	T      []int64       `json:"t"`    // start of each step, Unix seconds, ascending
	Series []ChartSeries `json:"series"`
}

// ChartSeries is one line of a chart. A gap is null, never 0.
type ChartSeries struct {
	Name   string     `json:"name"`
	Unit   string     `json:"unit"` // "count", "per_second", "per_minute", "seconds", "bytes", "percent", "money", "tokens", "ratio"
	Values []*float64 `json:"values"`
}

// SeriesInfo describes a series that exists. Those of keys carry the key's name
// after a colon, for example "upstream_429:main".
type SeriesInfo struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// SeriesList is every series that has data.
type SeriesList struct {
	Items []SeriesInfo `json:"items"`
}

// Names of the series. Each is charted, stored in rollups and sent in the
// stats tick under the same name.
const (
	SeriesConnections      = "connections"             // sockets open, count
	SeriesMessagesIn       = "messages_in"             // visitor messages, per_second
	SeriesMessagesOut      = "messages_out"            // answers, per_second
	SeriesFirstP50         = "first_token_p50"         // seconds
	SeriesFirstP95         = "first_token_p95"         // seconds
	SeriesFirstP99         = "first_token_p99"         // seconds
	SeriesReplyP50         = "reply_p50"               // seconds
	SeriesReplyP95         = "reply_p95"               // seconds
	SeriesReplyP99         = "reply_p99"               // seconds
	SeriesQueueVIP         = "queue_vip"               // waiting calls, count
	SeriesQueueOrdinary    = "queue_ordinary"          // waiting calls, count
	SeriesQueueBackground  = "queue_background"        // waiting calls, count
	SeriesUpstreamOK       = "upstream_2xx"            // calls, per_minute
	SeriesUpstream429      = "upstream_429"            // calls, per_minute; also "upstream_429:KEY"
	SeriesUpstream4xx      = "upstream_4xx"            // calls other than 429, per_minute
	SeriesUpstream5xx      = "upstream_5xx"            // calls and transport faults, per_minute
	SeriesUpstreamInflight = "upstream_inflight"       // calls under way, count
	SeriesAdmitRate        = "admit_rate"              // admitted calls the buckets allow, per_minute; also "admit_rate:KEY"
	SeriesMerged           = "merged"                  // calls saved by merging, per_minute
	SeriesCacheHits        = "cache_hits"              // calls saved by the cache, per_minute
	SeriesSaved            = "saved_money"             // money saved by both, money a step
	SeriesTokensPrompt     = "tokens_prompt"           // tokens a minute
	SeriesTokensCompletion = "tokens_completion"       // tokens a minute
	SeriesSpend            = "spend"                   // money a step
	SeriesSpendToday       = "spend_today"             // running sum of the day, money
	SeriesHitsWords        = "filter_hits_words"       // per_minute
	SeriesHitsPatterns     = "filter_hits_patterns"    // per_minute
	SeriesHitsReview       = "filter_hits_review"      // per_minute
	SeriesFilterWordsP95   = "filter_seconds_words"    // p95, seconds
	SeriesFilterPatternP95 = "filter_seconds_patterns" // p95, seconds
	SeriesFilterReviewP95  = "filter_seconds_review"   // p95, seconds
	SeriesMemory           = "memory"                  // resident set, bytes
	SeriesCPU              = "cpu"                     // percent of one core
	SeriesSQLite           = "sqlite_bytes"            // bytes on disk
	SeriesColdPending      = "cold_pending"            // sealed, not shipped, count
	SeriesColdRatio        = "cold_ratio"              // raw bytes over stored bytes, ratio
	SeriesSessionsHot      = "sessions_hot"            // count
)
