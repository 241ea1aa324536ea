// Package filter keeps unwanted words and personal data out of what visitors
// write and out of what answers say, whole texts and streams alike.
//
// A Filter has two layers that run here, words and patterns; the third, the
// review by a model, is the sub-package review. A Filter is compiled once and
// never changes; Holder swaps one for another.
//
// A stream is filtered while it flows: what may still become part of a match
// is held back, everything else passes at once, and whatever way the text was
// cut into pieces, the result is that of the whole text.
package filter

import (
	"time"

	"haoke/backend/internal/chat"
)

// Scope says which way a rule applies.
type Scope string

// The three scopes; empty means both.
const (
	Both    Scope = "both"
	InOnly  Scope = "in"
	OutOnly Scope = "out"
)

func (s Scope) covers(dir chat.Direction) bool {
	return s == "" || s == Both || string(s) == string(dir)
}

// WordList is a list of words with one fate.
type WordList struct {
	Name      string
	Category  string
	Action    chat.Action // empty: the direction's default
	Direction Scope
	Entries   []string // see words.Entry for "*"
	Own       []Own    // of the entry with the same index; may be shorter
	Replace   string   // for ActionReplace
}

// Own is what an entry has in place of what its list says; empty fields: as
// the list.
type Own struct {
	Category string
	Action   chat.Action
}

// Pattern is a regular expression in RE2 syntax.
type Pattern struct {
	Name      string
	Expr      string
	Category  string
	Action    chat.Action // empty: the direction's default
	Direction Scope
	Replace   string
}

// MaskStyle says what covers a masked match.
type MaskStyle string

// Mask styles.
const (
	MaskSame  MaskStyle = ""      // one "*" a character
	MaskThree MaskStyle = "three" // "***"
	MaskLabel MaskStyle = "label" // "[category]", or "[***]" without one
)

// Detector makes a built-in detector of personal data a rule of the patterns
// layer.
type Detector struct {
	Name      string      // of personal.Kinds, or "all"
	Action    chat.Action // empty: mask
	Direction Scope
}

// Exception is a text in which a rule, or any rule, finds nothing.
type Exception struct {
	Text string
	Rule string // the word or the pattern's name; empty: all rules
}

// Config is what a Filter is made of. The zero value filters nothing.
type Config struct {
	Words    []WordList
	Allow    []string // words and phrases in which nothing is ever found
	Except   []Exception
	Patterns []Pattern
	Personal []Detector

	DefaultIn  chat.Action // empty: block
	DefaultOut chat.Action // empty: mask
	Mask       MaskStyle

	// Pinyin also finds Chinese words that are written in Latin letters, in
	// whole or in part ("du博").
	Pinyin bool
	// Shadow turns every action into a note: nothing changes, but the log
	// says what would have been done.
	Shadow      bool
	WordsOff    bool
	PatternsOff bool

	// Window bounds the reach of a pattern, in bytes, and with it the
	// hold-back of a stream; 0: 512.
	Window int

	// Observer is told how long layers took and what they hit; nil: nobody,
	// and no clock is read.
	Observer Observer
	// Now is the clock for Observer and Explain; nil: time.Now.
	Now func() time.Time
}

// Observer receives measurements. Both methods are called from the goroutine
// that filters and must not block.
type Observer interface {
	// FilterTime says how long a layer needed for one text, or for one stream
	// as a whole.
	FilterTime(layer chat.Layer, dir chat.Direction, d time.Duration)
	// FilterHit says that a rule hit and what was done.
	FilterHit(dir chat.Direction, hit chat.Hit)
}

// Report says what New found odd about a configuration that it nevertheless
// accepted.
type Report struct {
	Words    int       // distinct entries
	Patterns int       // expressions, detectors included
	Bytes    int       // memory of the words layer, estimated
	Problems []Problem // at most MaxProblems
	More     int       // problems beyond that
}

// MaxProblems bounds Report.Problems.
const MaxProblems = 200

// Problem is one oddity, in words for the owner.
type Problem struct {
	List   string // name of the list, or "allow"
	Entry  string
	Reason string
}

func (r *Report) add(list, entry, reason string) {
	if len(r.Problems) >= MaxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, Problem{list, entry, reason})
}
