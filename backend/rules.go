package backend

import (
	"context"

	"haoke/backend/internal/filter"
	"haoke/backend/internal/sqlite"
)

// storedRules adds what the owner keeps in the window: lists, patterns and
// exceptions.
func (p *parts) storedRules(ctx context.Context, c *filter.Config) error {
	store := p.db.Filters()
	lists, err := store.Lists(ctx)
	if err != nil {
		return err
	}
	for _, l := range lists {
		if !l.Enabled {
			continue
		}
		words, err := allWords(ctx, store, l.ID)
		if err != nil {
			return err
		}
		c.Words = append(c.Words, filter.WordList{
			Name: l.Name, Category: l.Category, Action: l.Action, Direction: filter.Scope(l.Way), Entries: words, Replace: l.Replace,
		})
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

// allWords reads a list page by page.
func allWords(ctx context.Context, store *sqlite.Filters, list int64) ([]string, error) {
	const page = 5000
	var out []string
	for after := ""; ; {
		words, err := store.Words(ctx, list, "", after, page)
		if err != nil {
			return nil, err
		}
		out = append(out, words...)
		if len(words) < page {
			return out, nil
		}
		after = words[len(words)-1]
	}
}
