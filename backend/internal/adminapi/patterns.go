package adminapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/pattern"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

func (a *API) patternHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"addPattern":    a.addPattern,
		"changePattern": a.changePattern,
		"deletePattern": a.deletePattern,
		"checkPattern":  a.checkPattern,
	}
}

// patterns are the owner's and, with numbers below zero, those of the setting
// filter.patterns.
func (a *API) patterns(ctx context.Context, counts map[hitKey]int64) ([]wire.FilterPattern, error) {
	rows, err := a.DB.Filters().Patterns(ctx)
	if err != nil {
		return nil, err
	}
	out := []wire.FilterPattern{}
	for _, p := range rows {
		out = append(out, filterPattern(p, counts))
	}
	for i, expr := range a.Settings.Current().Filter.Patterns {
		name := fmt.Sprintf("pattern %d", i+1)
		out = append(out, wire.FilterPattern{
			ID: -int64(i) - 1, Name: name, Expr: expr, Way: wire.WayBoth, Enabled: true, ReadOnly: true,
			Hits: counts[hitKey{chat.LayerPatterns, name}],
		})
	}
	return out, nil
}

func filterPattern(p sqlite.Pattern, counts map[hitKey]int64) wire.FilterPattern {
	return wire.FilterPattern{
		ID: p.ID, Name: p.Name, Expr: p.Expr, Category: p.Category, Action: p.Action, Way: wire.FilterWay(p.Way), Replace: p.Replace,
		Enabled: p.Enabled, Hits: counts[hitKey{chat.LayerPatterns, p.Name}], UpdatedAt: p.Updated,
	}
}

// ownPattern checks that a number is of a pattern that can be changed here.
func (a *API) ownPattern(c *call) (int64, error) {
	id, err := c.number("id")
	if err != nil {
		return 0, err
	}
	if id < 0 && -id <= int64(len(a.Settings.Current().Filter.Patterns)) {
		return 0, locked("filter.patterns", a.Settings.Origin("filter.patterns").Where)
	}
	rows, err := a.DB.Filters().Patterns(c.ctx())
	if err != nil {
		return 0, err
	}
	if !slices.ContainsFunc(rows, func(p sqlite.Pattern) bool { return p.ID == id }) {
		return 0, notFound("There is no such pattern.")
	}
	return id, nil
}

func (a *API) addPattern(c *call) (any, error) { return a.putPattern(c, 0) }

func (a *API) changePattern(c *call) (any, error) {
	id, err := a.ownPattern(c)
	if err != nil {
		return nil, err
	}
	return a.putPattern(c, id)
}

func (a *API) putPattern(c *call, id int64) (any, error) {
	in, err := body[wire.FilterPatternWrite](c)
	if err != nil {
		return nil, err
	}
	if err := ruleName(&in.Name, in.Category); err != nil {
		return nil, err
	}
	if err := checkRule(in.Action, &in.Way, in.Replace); err != nil {
		return nil, err
	}
	var bad *pattern.Error
	if err := pattern.Check(pattern.Spec{Name: in.Name, Expr: in.Expr}); errors.As(err, &bad) {
		return nil, invalid("expr", bad.Reason, "Patterns are in RE2 syntax: no look-around, no back-references.")
	} else if err != nil {
		return nil, invalid("expr", err.Error(), "")
	}
	store := a.DB.Filters()
	id, err = store.PutPattern(c.ctx(), sqlite.Pattern{
		ID: id, Name: in.Name, Expr: in.Expr, Category: in.Category, Action: in.Action, Way: string(in.Way), Replace: in.Replace, Enabled: in.Enabled,
	})
	if errors.Is(err, sqlite.ErrExists) {
		return nil, exists("name", fmt.Sprintf("There is a pattern %q.", in.Name))
	}
	if err != nil {
		return nil, err
	}
	a.filterChanged(c.ctx())
	counts, err := a.hitCounts(c.ctx())
	if err != nil {
		return nil, err
	}
	rows, err := store.Patterns(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, p := range rows {
		if p.ID == id {
			return filterPattern(p, counts), nil
		}
	}
	return nil, sqlite.ErrNoRow // deleted meanwhile
}

func (a *API) deletePattern(c *call) (any, error) {
	id, err := a.ownPattern(c)
	if err != nil {
		return nil, err
	}
	if err := a.DB.Filters().DeletePattern(c.ctx(), id); err != nil {
		return nil, err
	}
	a.filterChanged(c.ctx())
	return nil, nil
}

func (a *API) checkPattern(c *call) (any, error) {
	in, err := body[wire.PatternCheck](c)
	if err != nil {
		return nil, err
	}
	if len(in.Text) > 4*maxTestText || !utf8.ValidString(in.Text) {
		return nil, invalid("text", "The sample is too long.", "")
	}
	i := pattern.Inspect(in.Expr, in.Text)
	out := wire.PatternReport{OK: i.Err == nil, At: i.At, Cost: i.Cost, CostMax: pattern.MaxInst, Literal: i.Literal, Spans: []wire.TextSpan{}}
	if i.Err != nil {
		var bad *pattern.Error
		if errors.As(i.Err, &bad) {
			out.Error = bad.Reason
		} else {
			out.Error = i.Err.Error()
		}
	}
	for _, s := range i.Spans {
		out.Spans = append(out.Spans, wire.TextSpan{Start: s[0], End: s[1]})
	}
	return out, nil
}
