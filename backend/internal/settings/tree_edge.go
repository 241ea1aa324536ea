package settings

import (
	"encoding/json"
	"time"
)

// Server is the two listeners and who may reach them.
type Server struct {
	PublicAddr     string   `toml:"public_addr"`     // host:port of the visitors' listener; port 0 picks a free one
	AdminAddr      string   `toml:"admin_addr"`      // host:port of the admin listener
	PublicURL      string   `toml:"public_url"`      // how visitors reach the public listener from outside; "": its address
	AllowedOrigins []string `toml:"allowed_origins"` // origins of pages that may embed the widget, or "*"
	TrustedProxies []string `toml:"trusted_proxies"` // CIDRs whose X-Forwarded-For is believed
	TLSCert        string   `toml:"tls_cert"`        // PEM file of the public listener; "": plain HTTP
	TLSKey         string   `toml:"tls_key"`         // PEM file of its key
}

// Admin is the browser's door to the admin page.
type Admin struct {
	Token        Secret        `toml:"token"`         // bearer token for scripts; empty: none
	Password     Secret        `toml:"password"`      // initial password of the owner; empty: claimed on the machine itself
	AllowedHosts []string      `toml:"allowed_hosts"` // further names under which the admin page may be opened
	SessionIdle  time.Duration `toml:"session_idle"`  // a session ends after so long without a request
	SessionMax   time.Duration `toml:"session_max"`   // and after so long in any case
	TLSCert      string        `toml:"tls_cert"`
	TLSKey       string        `toml:"tls_key"`
}

// Site is the business: its name, its words, its hours.
type Site struct {
	Name           string   `toml:"name"`
	Greeting       string   `toml:"greeting"`        // first sentence of the widget; "": the widget's own, in the visitor's language
	Instructions   string   `toml:"instructions"`    // what the AI is told about its task; "": the built-in text
	Locale         string   `toml:"locale"`          // language when the visitor's is unknown, for example "en" or "zh-CN"
	TimeZone       string   `toml:"time_zone"`       // IANA name; "": the machine's. Hours, day borders of budgets, retention
	Hours          []Hours  `toml:"hours"`           // when people answer; empty: always
	Holidays       []string `toml:"holidays"`        // dates, 2006-01-02, without people
	OutsideHours   string   `toml:"outside_hours"`   // ai | form | hidden
	IdentitySecret Secret   `toml:"identity_secret"` // HS256 secret with which the shop signs visitors' identities
	DemoFAQ        bool     `toml:"demo_faq"`        // put the demo shop's questions and answers into an empty FAQ
}

// Hours is one range of opening hours.
type Hours struct {
	Days  []string `toml:"days"`  // mon tue wed thu fri sat sun
	Open  string   `toml:"open"`  // 15:04
	Close string   `toml:"close"` // 15:04, or 24:00; before Open: until the next day
}

// FAQ is the answerer that needs no upstream.
type FAQ struct {
	Threshold float64 `toml:"threshold"` // score from 0 to 1 below which no answer is offered
	Exact     bool    `toml:"exact"`     // a curated answer wins over the upstream when its question matches
}

// Upload is what visitors may send beside text.
type Upload struct {
	Enabled  bool     `toml:"enabled"`
	MaxBytes int      `toml:"max_bytes"` // of one file
	Types    []string `toml:"types"`     // media types, "image/*" allowed
}

// Limits bound what visitors can take.
type Limits struct {
	Connections       int           `toml:"connections"`
	ConnectionsPerIP  int           `toml:"connections_per_ip"`  // 0: no limit
	MessagesPerMinute int           `toml:"messages_per_minute"` // a visitor; 0: no limit
	MessageChars      int           `toml:"message_chars"`
	AnswerTokens      int           `toml:"answer_tokens"` // bound on one answer
	QueueWait         time.Duration `toml:"queue_wait"`    // then the visitor gets an honest answer and the offer of a person
	QueueLength       int           `toml:"queue_length"`  // waiting turns
	DailySpend        float64       `toml:"daily_spend"`   // in the currency of the price table; 0: no limit (also below)
	MonthlySpend      float64       `toml:"monthly_spend"`
	VisitorDailySpend float64       `toml:"visitor_daily_spend"`
	AtCap             string        `toml:"at_cap"`        // offline | cheaper | people
	CheaperModel      string        `toml:"cheaper_model"` // for at_cap = "cheaper"
}

// VIP is the treatment of visitors whose signed identity says so.
type VIP struct {
	Share float64 `toml:"share"` // part of the capacity that ordinary visitors cannot take
}

// Widget is the look of the widget.
type Widget struct {
	// Look is a JSON object of cosmetics: colour, side, title, avatar, quick
	// questions and so on. Its fields belong to the widget's protocol, so this
	// package checks only that it is an object of at most 64 KiB; Config.Checks
	// can say more.
	Look json.RawMessage `toml:"look"`
}
