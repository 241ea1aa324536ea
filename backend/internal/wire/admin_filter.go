package wire

import (
	"time"

	"haoke/backend/internal/chat"
)

// Filters is the whole set-up of the filter.
type Filters struct {
	Config     FilterConfig      `json:"config"`
	Lists      []WordList        `json:"lists"`
	Patterns   []FilterPattern   `json:"patterns"`
	Detectors  []Detector        `json:"detectors"` // built-in personal data
	Exceptions []FilterException `json:"exceptions"`
	// Words is the number of entries of all lists that are on.
	Words   int           `json:"words"`
	BuildMS float64       `json:"build_ms"` // of the set in use
	Bytes   int64         `json:"bytes"`    // memory of the set in use
	Layers  []LayerHealth `json:"layers"`
	// Invalid says why the last change could not be put to use, when the set in
	// use is an older one.
	Invalid string `json:"invalid,omitempty"`
	// Problems are the oddities of the set in use, at most 200, and More how
	// many there are beyond.
	Problems []FilterProblem `json:"problems"`
	More     int             `json:"more"`
}

// FilterProblem is an entry that is odd, or that was left out.
type FilterProblem struct {
	List  string `json:"list"`
	Entry string `json:"entry"`
	Code  string `json:"code"` // as of ImportNote
	Text  string `json:"text"`
}

// LayerHealth is what a layer does and costs, over the last 15 minutes.
type LayerHealth struct {
	Layer  chat.Layer `json:"layer"`
	On     bool       `json:"on"`
	Hits   int64      `json:"hits"`
	P50US  float64    `json:"p50_us"`
	P95US  float64    `json:"p95_us"`
	Checks int64      `json:"checks"`
}

// FilterConfig is the switches of the three layers. They are settings as well
// (paths filter.*): a locked one answers 409.
type FilterConfig struct {
	WordsOn    bool `json:"words_on"`
	PatternsOn bool `json:"patterns_on"`
	// Shadow: everything is recorded ("would have blocked"), nothing changes.
	Shadow bool `json:"shadow"`
	// ActionIn and ActionOut hold for lists and patterns whose Action is "".
	ActionIn  chat.Action `json:"action_in"`
	ActionOut chat.Action `json:"action_out"`
	Pinyin    bool        `json:"pinyin"`
	// MaskPersonalData keeps personal data from the upstream and puts it back
	// in the answer.
	MaskPersonalData bool `json:"mask_personal_data"`
	// StoredPersonalData is what is stored of what is kept from the upstream:
	// "original", "masked" (stars) or "label" (the name of its kind).
	StoredPersonalData string `json:"stored_personal_data"`
	// MaskStyle is what action "mask" puts in place of a hit: "same" (one star a
	// character), "three" (***) or "label" (the category).
	MaskStyle string       `json:"mask_style"`
	Review    ReviewConfig `json:"review"`
	// BlockedText is what the visitor reads; empty: the sentence in the
	// visitor's language.
	BlockedText string   `json:"blocked_text"`
	Locked      []string `json:"locked"` // settings paths that a file, environment or flag holds; ignored on writes
	Revision    int64    `json:"revision"`
}

// ReviewConfig is the third layer, the model's judgement.
type ReviewConfig struct {
	On bool `json:"on"`
	// Hold: nothing is shown before the verdict. Otherwise the review runs
	// beside the answer and retracts it.
	Hold bool `json:"hold"`
	// OnFailure: "allow", "hold" or "block".
	OnFailure string `json:"on_failure"`
	TimeoutMS int    `json:"timeout_ms"` // 200-30000
	Model     string `json:"model"`      // empty: the provider's moderation, else the main model
	Questions bool   `json:"questions"`  // judge what visitors write
	Answers   bool   `json:"answers"`    // judge answers
	// Topics is what is forbidden, in the owner's words; empty: the built-in policy.
	Topics string      `json:"topics"`
	Action chat.Action `json:"action"`
}

// FilterWay says which way a rule looks.
type FilterWay string

const (
	WayIn   FilterWay = "in"
	WayOut  FilterWay = "out"
	WayBoth FilterWay = "both"
)

// WordList is a list of words without its entries.
type WordList struct {
	ID        int64       `json:"id"`
	Name      string      `json:"name"`
	Category  string      `json:"category"`
	Action    chat.Action `json:"action"` // "": the default of the direction
	Way       FilterWay   `json:"way"`
	Replace   string      `json:"replace"` // with action "replace"
	Enabled   bool        `json:"enabled"`
	Count     int         `json:"count"`
	Source    string      `json:"source"`    // "own", "starter" or the file of filter.words_files
	ReadOnly  bool        `json:"read_only"` // from a file
	UpdatedAt time.Time   `json:"updated_at"`
}

// WordListWrite adds or changes a list.
type WordListWrite struct {
	Name     string      `json:"name"` // 1-80 characters, unique
	Category string      `json:"category"`
	Action   chat.Action `json:"action"`
	Way      FilterWay   `json:"way"`
	Replace  string      `json:"replace"`
	Enabled  bool        `json:"enabled"`
}

// WordQuery searches the entries of a list, in alphabetical order.
type WordQuery struct {
	Query  string `json:"query"` // substring, after normalisation
	Limit  int    `json:"limit"` // 1-1000; 0: 200
	Cursor string `json:"cursor"`
	Skip   int    `json:"skip"` // entries to leave out, for a window onto a long list; without Cursor
}

// WordPage is a stretch of entries.
type WordPage struct {
	Items []string `json:"items"`
	// Own has what some of Items have in place of what the list says.
	Own   map[string]WordOwn `json:"own,omitempty"`
	Next  string             `json:"next,omitempty"`
	Total int                `json:"total"` // matching Query
}

// WordOwn is what an entry has of its own; empty: as the list.
type WordOwn struct {
	Category string      `json:"category"` // at most 80 characters
	Action   chat.Action `json:"action"`
}

// WordEdit adds and removes entries in one step; duplicates are skipped.
type WordEdit struct {
	Add    []string `json:"add"`    // at most 10000
	Remove []string `json:"remove"` // at most 10000
	// Own gives entries, added or there already, a category and an action of
	// their own, or takes them back. At most 10000.
	Own map[string]WordOwn `json:"own,omitempty"`
}

// WordExportQuery chooses the form of an export.
type WordExportQuery struct {
	Format string `json:"format"` // "text" (default, one word a line) or "csv"
}

// FilterPattern is one RE2 pattern.
type FilterPattern struct {
	ID        int64       `json:"id"`
	Name      string      `json:"name"`
	Expr      string      `json:"expr"`
	Category  string      `json:"category"`
	Action    chat.Action `json:"action"` // "": the default of the direction
	Way       FilterWay   `json:"way"`
	Replace   string      `json:"replace"`
	Enabled   bool        `json:"enabled"`
	ReadOnly  bool        `json:"read_only"` // from config.toml
	Hits      int64       `json:"hits"`      // last 30 days
	UpdatedAt time.Time   `json:"updated_at"`
}

// FilterPatternWrite adds or changes a pattern.
type FilterPatternWrite struct {
	Name     string      `json:"name"` // 1-80 characters, unique
	Expr     string      `json:"expr"` // at most 1000 bytes, RE2
	Category string      `json:"category"`
	Action   chat.Action `json:"action"`
	Way      FilterWay   `json:"way"`
	Replace  string      `json:"replace"`
	Enabled  bool        `json:"enabled"`
}

// PatternCheck validates an expression while it is typed.
type PatternCheck struct {
	Expr string `json:"expr"`
	Text string `json:"text"` // a sample to match; may be empty
}

// PatternReport is what is to be said of an expression. It is an answer with
// status 200 whether the expression is good or not.
type PatternReport struct {
	OK      bool       `json:"ok"`
	Error   string     `json:"error,omitempty"` // one sentence
	At      int        `json:"at"`              // byte offset of the fault in Expr; -1: unknown
	Cost    int        `json:"cost"`            // size of the compiled program
	CostMax int        `json:"cost_max"`
	Literal string     `json:"literal,omitempty"` // what the prefilter looks for; empty: none, the pattern runs on every text
	Spans   []TextSpan `json:"spans"`             // matches in Text
}

// TextSpan is a half-open range of byte offsets into UTF-8.
type TextSpan struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Detector is a built-in detector of personal data.
type Detector struct {
	Name    string      `json:"name"` // "phone", "cn_id", "card", "iban", "email", "ip", "api_key"
	Enabled bool        `json:"enabled"`
	Action  chat.Action `json:"action"`
	Way     FilterWay   `json:"way"`
	Hits    int64       `json:"hits"` // last 30 days
}

// DetectorWrite changes a detector.
type DetectorWrite struct {
	Enabled bool        `json:"enabled"`
	Action  chat.Action `json:"action"`
	Way     FilterWay   `json:"way"`
}

// FilterException is a text that never counts as a hit.
type FilterException struct {
	ID   int64     `json:"id"`
	Text string    `json:"text"`
	Rule string    `json:"rule,omitempty"` // only for this rule; empty: for all
	At   time.Time `json:"at"`
	By   string    `json:"by"`
}

// FilterExceptionNew adds an exception.
type FilterExceptionNew struct {
	Text string `json:"text"` // 1-200 characters
	Rule string `json:"rule"`
	// Also are further texts; those that are there already are skipped. At most 1000.
	Also []string `json:"also,omitempty"`
}

// FilterTest runs a text through the layers; nothing is stored or counted.
type FilterTest struct {
	Direction chat.Direction `json:"direction"`
	Text      string         `json:"text"`   // at most 20000 characters
	Review    bool           `json:"review"` // ask the model too; costs money
	// Draft is tried together with the rules in use, or alone; nothing of it is
	// stored.
	Draft *FilterDraft `json:"draft,omitempty"`
}

// FilterDraft are rules that are not saved yet.
type FilterDraft struct {
	Alone    bool           `json:"alone"`    // without the rules in use
	Words    []string       `json:"words"`    // at most 10000
	Patterns []DraftPattern `json:"patterns"` // at most 50
	Allow    []string       `json:"allow"`    // texts in which nothing is found; at most 10000
	Category string         `json:"category"` // of the words
	Action   chat.Action    `json:"action"`   // of words and patterns; "": the default of the direction
	Replace  string         `json:"replace"`  // with action "replace"
	// MaskStyle and Pinyin hold in place of the settings when they are given.
	MaskStyle string `json:"mask_style,omitempty"`
	Pinyin    *bool  `json:"pinyin,omitempty"`
}

// DraftPattern is a pattern that is not saved yet.
type DraftPattern struct {
	Name string `json:"name"`
	Expr string `json:"expr"`
}

// FilterTestResult is what each layer says.
type FilterTestResult struct {
	Action     chat.Action `json:"action"` // of all layers; "" allows
	Text       string      `json:"text"`   // what goes on
	Normalised string      `json:"normalised"`
	Pinyin     string      `json:"pinyin,omitempty"` // characters as syllables, where that is on
	Layers     []LayerTest `json:"layers"`           // words, patterns, review
	Excepted   []chat.Hit  `json:"excepted"`         // hits that an exception took back
	Notes      []string    `json:"notes"`            // what is odd about the draft
}

// LayerTest is one layer's line in the tester.
type LayerTest struct {
	Layer   chat.Layer  `json:"layer"`
	On      bool        `json:"on"`
	Ran     bool        `json:"ran"`
	Action  chat.Action `json:"action"`
	Nanos   int64       `json:"ns"`
	Hits    []chat.Hit  `json:"hits"`
	Reads   []HitRead   `json:"reads"`             // of each of Hits, how it was read
	Comment string      `json:"comment,omitempty"` // the model's reason, or why it did not run
}

// HitRead is how a match was read, as far as that differs from how it was
// written.
type HitRead struct {
	Normalised string `json:"normalised"`
	// Steps names what was undone: "case", "width", "form", "accents", "marks",
	// "invisible", "separators", "repeats", "digits", "symbols", "look-alikes",
	// "traditional", "pinyin".
	Steps []string `json:"steps"`
}

// HitQuery filters the hit log, newest first.
type HitQuery struct {
	Layer  chat.Layer `json:"layer"` // empty: all
	Rule   string     `json:"rule"`
	Limit  int        `json:"limit"`
	Cursor string     `json:"cursor"`
}

// FilterHit is one entry of the hit log.
type FilterHit struct {
	ID            int64          `json:"id"`
	At            time.Time      `json:"at"`
	Layer         chat.Layer     `json:"layer"`
	Rule          string         `json:"rule"`
	Category      string         `json:"category,omitempty"`
	Action        chat.Action    `json:"action"`
	Shadow        bool           `json:"shadow"` // recorded only
	Direction     chat.Direction `json:"direction"`
	Match         string         `json:"match"`   // as written, at most 100 bytes
	Context       string         `json:"context"` // some words around it
	Conversation  string         `json:"conversation,omitempty"`
	Seq           int64          `json:"seq,omitempty"`
	FalsePositive bool           `json:"false_positive"`
}

// HitList is one page of the hit log.
type HitList struct {
	Items []FilterHit   `json:"items"`
	Next  string        `json:"next,omitempty"`
	Top   []FilterCount `json:"top,omitempty"` // rules with most hits in 30 days; only on the first page
}

// FilterCount is a rule with its hits.
type FilterCount struct {
	Layer chat.Layer `json:"layer"`
	Rule  string     `json:"rule"`
	Count int64      `json:"count"`
}
