package filter

import (
	"cmp"
	"container/list"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Kept is what is stored of personal data.
type Kept string

// The owner's choices. An unknown one counts as KeepMasked, the safe side.
const (
	KeepOriginal Kept = "original" // the text as it was written
	KeepMasked   Kept = "masked"   // one "*" a character
	KeepLabel    Kept = "label"    // the kind, as "[CARD]"
)

// Cover returns text with its personal data covered.
func (m *Masker) Cover(text string, as Kept) string {
	covered, _ := m.cover(text, as)
	return covered
}

// cover is Cover that also tells what was covered, and by what.
func (m *Masker) cover(text string, as Kept) (covered string, values map[string]string) {
	if as == KeepOriginal {
		return text, nil
	}
	t := m.NewTable("")
	masked := t.Mask(text)
	if t.Len() == 0 {
		return text, nil
	}
	values = make(map[string]string, t.Len())
	for n, value := range t.values {
		values[value] = cover(value, t.labels[n], as)
	}
	return t.each(masked, func(n int) string { return values[t.values[n]] }), values
}

func cover(value, label string, as Kept) string {
	if as == KeepLabel {
		return "[" + label + "]"
	}
	return strings.Repeat("*", utf8.RuneCountInString(value))
}

// VaultConfig bounds a Vault. Zero values mean the defaults.
type VaultConfig struct {
	Conversations int              // remembered at once, the least recent go; default 1,000
	Texts         int              // remembered of each; default 16
	Lifetime      time.Duration    // after the latest text; default 1 h
	Now           func() time.Time // default time.Now
}

// Vault remembers, in memory only and for a while, what was left out of the
// texts that were stored, so that an answer can be restored although nothing
// of it is on disk. What it has forgotten stays covered. It is safe for
// concurrent use.
type Vault struct {
	cfg VaultConfig

	mu     sync.Mutex
	byID   map[string]*list.Element // of *remembered
	recent *list.List               // most recent first
}

type remembered struct {
	id    string
	at    time.Time
	texts []coveredText // oldest first
}

// coveredText is a stored text, the one that was written, and what it left out.
type coveredText struct {
	stored, original string
	values           map[string]string // with what covers each
}

// NewVault returns an empty vault.
func NewVault(cfg VaultConfig) *Vault {
	if cfg.Conversations <= 0 {
		cfg.Conversations = 1000
	}
	if cfg.Texts <= 0 {
		cfg.Texts = 16
	}
	if cfg.Lifetime <= 0 {
		cfg.Lifetime = time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Vault{cfg: cfg, byID: map[string]*list.Element{}, recent: list.New()}
}

// Store covers the personal data in a text of conversation id, remembers it,
// and returns what is to be stored.
func (v *Vault) Store(m *Masker, id, text string, as Kept) string {
	stored, values := m.cover(text, as)
	if len(values) == 0 {
		return text
	}
	c := coveredText{stored: stored, original: text, values: values}
	now := v.cfg.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.byID[id]
	if e == nil {
		e = v.recent.PushFront(&remembered{id: id})
		v.byID[id] = e
	}
	r := e.Value.(*remembered)
	if r.at = now; len(r.texts) == v.cfg.Texts {
		r.texts = append(r.texts[:0], r.texts[1:]...)
	}
	r.texts = append(r.texts, c)
	v.recent.MoveToFront(e)
	for back := v.recent.Back(); back != e; back = v.recent.Back() {
		if old := back.Value.(*remembered); v.recent.Len() <= v.cfg.Conversations && now.Sub(old.at) < v.cfg.Lifetime {
			break
		}
		v.forget(back)
	}
	return stored
}

// Forget drops what is remembered of a conversation, when its visitor is deleted.
func (v *Vault) Forget(id string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if e := v.byID[id]; e != nil {
		v.forget(e)
	}
}

func (v *Vault) forget(e *list.Element) {
	delete(v.byID, e.Value.(*remembered).id)
	v.recent.Remove(e)
}

// texts returns what is remembered of a conversation, newest first.
func (v *Vault) texts(id string) []coveredText {
	v.mu.Lock()
	defer v.mu.Unlock()
	e := v.byID[id]
	if e == nil {
		return nil
	}
	r := e.Value.(*remembered)
	if v.cfg.Now().Sub(r.at) >= v.cfg.Lifetime {
		v.forget(e)
		return nil
	}
	out := make([]coveredText, len(r.texts))
	for i, c := range r.texts {
		out[len(out)-1-i] = c
	}
	return out
}

// Recall returns texts of conversation id, oldest first, with those that were
// stored put back to what was written, masked by table: nothing of it is in
// the result in the clear.
func (v *Vault) Recall(table *Table, id string, texts []string) []string {
	known := v.texts(id)
	out := make([]string, len(texts))
	for i := len(texts) - 1; i >= 0; i-- {
		full := texts[i]
		for k := 0; k < len(known); k++ {
			c := known[k]
			if at := strings.LastIndex(full, c.stored); at >= 0 {
				full = full[:at] + c.original + full[at+len(c.stored):]
				known = append(known[:k:k], known[k+1:]...)
				k--
			}
		}
		out[i] = table.Mask(full)
		if full != texts[i] && v.shows(id, out[i]) {
			out[i] = table.Mask(texts[i]) // in this company a number was not recognised again
		}
	}
	return out
}

// shows reports whether text has a remembered value in the clear.
func (v *Vault) shows(id, text string) bool {
	for _, c := range v.texts(id) {
		for value := range c.values {
			if strings.Contains(text, value) {
				return true
			}
		}
	}
	return false
}

// Conceal covers in a text of conversation id, such as a restored answer, what
// the conversation's stored texts leave out.
func (v *Vault) Conceal(id, text string) string {
	for _, c := range v.texts(id) {
		for _, value := range longestFirst(c.values) {
			text = strings.ReplaceAll(text, value, c.values[value])
		}
	}
	return text
}

// longestFirst orders values so that one within another does not spoil it.
func longestFirst(values map[string]string) []string {
	return slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b))
	})
}
