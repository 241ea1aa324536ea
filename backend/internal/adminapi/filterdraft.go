package adminapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"haoke/backend/internal/filter"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/wire"
)

// Bounds of a draft.
const (
	maxDraftWords    = 10_000
	maxDraftPatterns = 50
)

// drafts keeps the latest draft compiled, so that a text can be changed under
// it without compiling anew.
type drafts struct {
	mu   sync.Mutex
	base *filter.Filter
	key  string
	made *filter.Filter
}

// filter returns the draft's filter over the one in use.
func (d *drafts) filter(base *filter.Filter, in *wire.FilterDraft) (*filter.Filter, error) {
	draft, err := readDraft(in)
	if err != nil {
		return nil, err
	}
	key, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("read a draft: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.base == base && d.key == string(key) {
		return d.made, nil
	}
	made, err := base.With(draft)
	var bad *pattern.Error
	if errors.As(err, &bad) {
		return nil, invalid("draft.patterns", fmt.Sprintf("The pattern %q %s.", bad.Pattern, bad.Reason), "Patterns are in RE2 syntax: no look-around, no back-references.")
	}
	if err != nil {
		return nil, invalid("draft", err.Error(), "")
	}
	d.base, d.key, d.made = base, string(key), made
	return made, nil
}

func readDraft(in *wire.FilterDraft) (filter.Draft, error) {
	if len(in.Words) > maxDraftWords || len(in.Allow) > maxDraftWords || len(in.Patterns) > maxDraftPatterns {
		return filter.Draft{}, invalid("draft", fmt.Sprintf("At most %d words, %d exceptions and %d patterns.", maxDraftWords, maxDraftWords, maxDraftPatterns), "Import a list, switched off, and try it there.")
	}
	way := wire.WayBoth
	if err := checkRule(in.Action, &way, in.Replace); err != nil {
		return filter.Draft{}, err
	}
	out := filter.Draft{
		Alone: in.Alone, Words: in.Words, Allow: in.Allow, Category: in.Category, Action: in.Action, Replace: in.Replace, Pinyin: in.Pinyin,
	}
	for i, p := range in.Patterns {
		if p.Name == "" {
			p.Name = fmt.Sprintf("draft %d", i+1)
		}
		out.Patterns = append(out.Patterns, filter.Pattern{Name: p.Name, Expr: p.Expr, Category: in.Category, Action: in.Action, Replace: in.Replace})
	}
	switch in.MaskStyle {
	case "":
	case "same", "three", "label":
		style := filter.MaskStyle(in.MaskStyle)
		if in.MaskStyle == "same" {
			style = filter.MaskSame
		}
		out.Mask = &style
	default:
		return filter.Draft{}, invalid("draft.mask_style", fmt.Sprintf("%q is not a way to mask.", in.MaskStyle), "same, three or label")
	}
	return out, nil
}

// draftNotes are the oddities of a draft, in words.
func draftNotes(f *filter.Filter) []string {
	out := []string{}
	for _, p := range f.Report().Problems {
		if (p.List == filter.DraftList || p.List == "allow") && len(out) < maxNotes {
			out = append(out, fmt.Sprintf("%q %s.", cut(p.Entry, 80), p.Reason))
		}
	}
	return out
}
