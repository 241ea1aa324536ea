package wire

import "time"

// FAQQuery filters the FAQ, latest change first; with Query best match first.
type FAQQuery struct {
	Query  string `json:"query"`
	Lang   string `json:"lang"` // "en", "zh", ...; empty: all
	Limit  int    `json:"limit"`
	Cursor string `json:"cursor"`
}

// FAQEntry is a question with its answer.
type FAQEntry struct {
	ID           int64    `json:"id"`
	Lang         string   `json:"lang"` // BCP 47 primary tag
	Question     string   `json:"question"`
	Alternatives []string `json:"alternatives"` // other ways to ask; at most 20
	Answer       string   `json:"answer"`       // Markdown
	Enabled      bool     `json:"enabled"`
	// Silent: of the demo and not said, because an upstream is set up. An edit
	// makes it the owner's.
	Silent    bool      `json:"silent,omitempty"`
	Hits      int64     `json:"hits"` // how often it answered
	UpdatedAt time.Time `json:"updated_at"`
}

// FAQList is one page of entries.
type FAQList struct {
	Items []FAQEntry `json:"items"`
	Next  string     `json:"next,omitempty"`
	Total int        `json:"total"` // of the whole FAQ, not of the filter
	Langs []string   `json:"langs"` // languages that have entries
	// Silent is how many entries of the demo are not said.
	Silent int `json:"silent,omitempty"`
}

// FAQWrite adds or replaces an entry.
type FAQWrite struct {
	Lang         string   `json:"lang"`     // empty: recognised from the question
	Question     string   `json:"question"` // 1-500 characters
	Alternatives []string `json:"alternatives"`
	Answer       string   `json:"answer"` // 1-8000 characters
	Enabled      bool     `json:"enabled"`
	// Unanswered is the id of the unanswered question that this closes; 0: none.
	Unanswered int64 `json:"unanswered,omitempty"`
}

// FAQExportQuery filters an export.
type FAQExportQuery struct {
	Lang string `json:"lang"` // empty: all
}

// ImportQuery is how an import behaves.
type ImportQuery struct {
	DryRun  bool `json:"dry_run"` // report only
	Replace bool `json:"replace"` // empty the target first, in the same transaction
	// Columns says what each column of a table is, from the left, with commas
	// between, for example "question,,answer"; empty names are left out. "": told
	// from the names in the first line.
	Columns string `json:"columns"`
	// NoHeader: the first line is an entry, not the columns' names.
	NoHeader bool `json:"no_header"`
}

// ImportReport is what an import did or would do.
type ImportReport struct {
	Added     int           `json:"added"`
	Updated   int           `json:"updated"`
	Skipped   int           `json:"skipped"`  // duplicates
	Rejected  int           `json:"rejected"` // bad lines
	Encoding  string        `json:"encoding"` // recognised, for example "utf-8" or "gbk"
	Notes     []ImportNote  `json:"notes"`    // at most 100
	Truncated bool          `json:"truncated"`
	Preview   []ImportEntry `json:"preview"` // the first 10
	// Columns are those of the table that was read; empty: it was none.
	Columns []ImportColumn `json:"columns,omitempty"`
}

// ImportColumn is one column of a table.
type ImportColumn struct {
	Name   string `json:"name"`   // as the first line calls it; "": it does not
	Sample string `json:"sample"` // of the first entry, cut
	Use    string `json:"use"`    // what it is taken for, for example "question"; "": left out
}

// ImportNote is a remark on one line.
type ImportNote struct {
	Line int    `json:"line"`
	Code string `json:"code"` // "duplicate", "one_letter", "contradiction", "invalid", "too_long", "missing_column"
	Text string `json:"text"`
}

// ImportEntry is one line of a preview: a word, or a question with its answer.
type ImportEntry struct {
	Key   string `json:"key"`
	Value string `json:"value,omitempty"`
}

// FAQTest asks the FAQ.
type FAQTest struct {
	Question string `json:"question"`
	Lang     string `json:"lang"` // empty: recognised
}

// FAQTestResult is what the FAQ would answer.
type FAQTestResult struct {
	Found     bool       `json:"found"`     // the best is above the threshold
	Threshold float64    `json:"threshold"` // 0-1
	Answer    string     `json:"answer"`    // what a visitor would read, found or not
	Matches   []FAQMatch `json:"matches"`   // best first, at most 5
	Micros    int64      `json:"us"`        // time of the search
}

// FAQMatch is a candidate.
type FAQMatch struct {
	ID       int64   `json:"id"`
	Lang     string  `json:"lang"`
	Question string  `json:"question"`
	Score    float64 `json:"score"` // 0-1
}

// Unanswered is a question that got no good answer.
type Unanswered struct {
	ID           int64     `json:"id"`
	Text         string    `json:"text"`
	Lang         string    `json:"lang"`
	Count        int64     `json:"count"`
	LastAt       time.Time `json:"last_at"`
	Conversation string    `json:"conversation,omitempty"` // of the latest
}

// UnansweredList is one page, most frequent first.
type UnansweredList struct {
	Items []Unanswered `json:"items"`
	Next  string       `json:"next,omitempty"`
}
