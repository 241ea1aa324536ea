package adminapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter"
	"haoke/backend/internal/filter/personal"
	"haoke/backend/internal/filter/review"
	"haoke/backend/internal/filter/starter"
	"haoke/backend/internal/settings"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// filterExtraName is where FilterExtra lives among the appliance's values.
const filterExtraName = "filter_extra"

// FilterExtra is what the filter page sets beside the settings filter.*: it
// lives in the database as one value. The zero value is the state of a fresh
// appliance.
type FilterExtra struct {
	Revision     int64                         `json:"revision"`
	PatternsOff  bool                          `json:"patterns_off,omitempty"`
	BlockedText  string                        `json:"blocked_text,omitempty"` // what a blocked visitor reads; "": the built-in sentence
	NoQuestions  bool                          `json:"no_questions,omitempty"` // the review does not judge what visitors write
	Topics       string                        `json:"topics,omitempty"`       // what the review forbids; "": the built-in policy
	ReviewAction chat.Action                   `json:"review_action,omitempty"`
	Detectors    map[string]wire.DetectorWrite `json:"detectors,omitempty"` // by name; absent: off
	FilesOff     []string                      `json:"files_off,omitempty"` // names in filter.words_files that are switched off
}

// LoadFilterExtra reads what the filter page has set.
func LoadFilterExtra(ctx context.Context, values *sqlite.Values) (FilterExtra, error) {
	var x FilterExtra
	text, err := values.Get(ctx, filterExtraName)
	if err != nil || text == "" {
		return x, err
	}
	if err := json.Unmarshal([]byte(text), &x); err != nil {
		return x, fmt.Errorf("read the filter page's settings: %w", err)
	}
	return x, nil
}

func (x FilterExtra) save(ctx context.Context, values *sqlite.Values) error {
	text, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("encode the filter page's settings: %w", err)
	}
	return values.Set(ctx, filterExtraName, string(text))
}

// FileOff reports whether a file of filter.words_files is switched off.
func (x FilterExtra) FileOff(name string) bool { return slices.Contains(x.FilesOff, name) }

// Filter adds what the page has set to a filter's configuration.
func (x FilterExtra) Filter(c *filter.Config) {
	c.PatternsOff = x.PatternsOff
	for _, k := range personal.Kinds() {
		if d := x.Detectors[k.Name]; d.Enabled {
			c.Personal = append(c.Personal, filter.Detector{Name: k.Name, Action: d.Action, Direction: filter.Scope(d.Way)})
		}
	}
}

// Review is the review's configuration by settings and page together.
func (x FilterExtra) Review(s *settings.Settings) review.Config {
	return review.Config{
		Questions: s.Filter.Review && !x.NoQuestions, Answers: s.Filter.Review && s.Filter.ReviewOut, Hold: s.Filter.ReviewMode == "hold",
		Model: s.Filter.ReviewModel, Timeout: s.Filter.ReviewTimeout, OnFailure: review.Failure(s.Filter.ReviewFailure),
		Action: x.ReviewAction, Policy: x.Topics, Shadow: s.Filter.Shadow,
	}
}

// SeedStarter puts the starter lists that were never there before among the
// word lists, switched on or off. A list that the owner deleted stays away.
func SeedStarter(ctx context.Context, db *sqlite.DB, on bool) error {
	lists, err := starter.Lists()
	if err != nil {
		return err
	}
	var seeded []string
	text, err := db.Values().Get(ctx, "starter_seeded")
	if err != nil {
		return err
	}
	if text != "" {
		if err := json.Unmarshal([]byte(text), &seeded); err != nil {
			return fmt.Errorf("read which starter lists were there: %w", err)
		}
	}
	before := len(seeded)
	for _, l := range lists {
		if slices.Contains(seeded, l.Name) {
			continue
		}
		if err := seedList(ctx, db.Filters(), l, on); err != nil {
			return fmt.Errorf("put the starter list %s in place: %w", l.Name, err)
		}
		seeded = append(seeded, l.Name)
	}
	if len(seeded) == before {
		return nil
	}
	data, err := json.Marshal(seeded)
	if err != nil {
		return err
	}
	return db.Values().Set(ctx, "starter_seeded", string(data))
}

func seedList(ctx context.Context, store *sqlite.Filters, l starter.List, on bool) error {
	have, err := store.Lists(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(have, func(x sqlite.WordList) bool { return x.Name == l.Title || x.Name == l.Name }) {
		return nil // cut off between list and note, or the owner's own
	}
	name := l.Title
	if name == "" {
		name = l.Name
	}
	id, err := store.PutList(ctx, sqlite.WordList{Name: name, Category: l.Category, Action: l.Action, Way: string(filter.Both), Enabled: on, Source: "starter"})
	if err != nil {
		return err
	}
	_, _, err = store.EditWords(ctx, id, l.Entries, nil, true)
	return err
}
