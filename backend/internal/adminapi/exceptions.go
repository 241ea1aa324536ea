package adminapi

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// exceptionID makes a number of an exception's text, which is its key in the
// store: stable, and small enough for JavaScript.
func exceptionID(text string) int64 {
	h := fnv.New64a()
	h.Write([]byte(text))
	return int64(h.Sum64()>>12) + 1
}

func (a *API) exceptions(ctx context.Context) ([]wire.FilterException, error) {
	rows, err := a.DB.Filters().Exceptions(ctx)
	out := []wire.FilterException{}
	for _, e := range rows {
		by, verr := a.DB.Values().Get(ctx, exceptionBy(e.Text))
		if verr != nil {
			return nil, verr
		}
		out = append(out, wire.FilterException{ID: exceptionID(e.Text), Text: e.Text, Rule: e.Rule, At: e.Created, By: by})
	}
	slices.SortStableFunc(out, func(x, y wire.FilterException) int { return y.At.Compare(x.At) })
	return out, err
}

func exceptionBy(text string) string { return fmt.Sprintf("exception_by.%d", exceptionID(text)) }

// excepted answers with an exception that was just stored.
func (a *API) excepted(c *call, text string) (any, error) {
	if err := a.DB.Values().Set(c.ctx(), exceptionBy(text), c.operator()); err != nil {
		return nil, err
	}
	a.filterChanged(c.ctx())
	all, err := a.exceptions(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.Text == text {
			return e, nil
		}
	}
	return nil, sqlite.ErrNoRow // taken back meanwhile
}

func (a *API) addException(c *call) (any, error) {
	in, err := body[wire.FilterExceptionNew](c)
	if err != nil {
		return nil, err
	}
	in.Text = strings.TrimSpace(in.Text)
	if err := within("text", in.Text, 1, 200); err != nil {
		return nil, err
	}
	if err := within("rule", in.Rule, 0, 200); err != nil {
		return nil, err
	}
	all, err := a.exceptions(c.ctx())
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(all, func(e wire.FilterException) bool { return e.Text == in.Text }) {
		return nil, exists("text", "There is an exception for this text.")
	}
	if len(in.Also) > maxExceptions {
		return nil, invalid("also", fmt.Sprintf("At most %d at once.", maxExceptions), "")
	}
	for _, text := range append([]string{in.Text}, in.Also...) {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := within("also", text, 1, 200); err != nil {
			return nil, err
		}
		if err := a.DB.Filters().Allow(c.ctx(), text, in.Rule); err != nil {
			return nil, err
		}
		if err := a.DB.Values().Set(c.ctx(), exceptionBy(text), c.operator()); err != nil {
			return nil, err
		}
	}
	return a.excepted(c, in.Text)
}

// maxExceptions bounds how many exceptions are added at once.
const maxExceptions = 1000

func (a *API) deleteException(c *call) (any, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	rows, err := a.DB.Filters().Exceptions(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, e := range rows {
		if exceptionID(e.Text) != id {
			continue
		}
		if err := a.DB.Filters().TakeBack(c.ctx(), e.Text); err != nil {
			return nil, err
		}
		if err := a.DB.Values().Set(c.ctx(), exceptionBy(e.Text), ""); err != nil {
			return nil, err
		}
		a.filterChanged(c.ctx())
		return nil, nil
	}
	return nil, notFound("There is no such exception.")
}
