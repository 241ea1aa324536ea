package adminapi

import (
	"context"

	"haoke/backend/internal/filter"
	"haoke/backend/internal/sqlite"
)

// StoredRules adds to a filter's configuration what the owner keeps in the
// window: lists, patterns and exceptions.
func StoredRules(ctx context.Context, store *sqlite.Filters, c *filter.Config) error {
	lists, err := store.Lists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if !l.Enabled {
			continue
		}
		words, err := store.WordRows(ctx, l.ID, "", 0, 0)
		if err != nil {
			return err
		}
		list := filter.WordList{Name: l.Name, Category: l.Category, Action: l.Action, Direction: filter.Scope(l.Way), Replace: l.Replace}
		list.Entries, list.Own = entries(words)
		c.Words = append(c.Words, list)
	}
	patterns, err := store.Patterns(ctx)
	if err != nil {
		return err
	}
	for _, x := range patterns {
		if x.Enabled {
			c.Patterns = append(c.Patterns, filter.Pattern{
				Name: x.Name, Expr: x.Expr, Category: x.Category, Action: x.Action, Direction: filter.Scope(x.Way), Replace: x.Replace,
			})
		}
	}
	exceptions, err := store.Exceptions(ctx)
	for _, x := range exceptions {
		c.Except = append(c.Except, filter.Exception{Text: x.Text, Rule: x.Rule})
	}
	return err
}

// entries parts words from what some of them have of their own.
func entries(words []sqlite.Word) (texts []string, own []filter.Own) {
	texts = make([]string, len(words))
	for i, w := range words {
		texts[i] = w.Text
		if w.Category == "" && w.Action == "" {
			continue
		}
		if own == nil {
			own = make([]filter.Own, len(words))
		}
		own[i] = filter.Own{Category: w.Category, Action: w.Action}
	}
	return texts, own
}
