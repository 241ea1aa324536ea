package adminapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/offline"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

func (a *API) faqHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"listFAQ":           a.listFAQ,
		"addFAQ":            func(c *call) (any, error) { return a.putFAQ(c, 0) },
		"changeFAQ":         a.changeFAQ,
		"deleteFAQ":         a.deleteFAQ,
		"exportFAQ":         a.exportFAQ,
		"importFAQ":         a.importFAQ,
		"testFAQ":           a.testFAQ,
		"listUnanswered":    a.listUnanswered,
		"dismissUnanswered": a.dismissUnanswered,
	}
}

func (a *API) faqEntry(e sqlite.FAQEntry) wire.FAQEntry {
	if e.Alternatives == nil {
		e.Alternatives = []string{}
	}
	return wire.FAQEntry{
		ID: e.ID, Lang: e.Lang, Question: e.Question, Alternatives: e.Alternatives, Answer: e.Answer,
		Enabled: e.Enabled, Silent: a.silent(e), Hits: e.Hits, UpdatedAt: e.Updated,
	}
}

// silent reports that an entry is the demo's and not said.
func (a *API) silent(e sqlite.FAQEntry) bool { return a.FAQSilent != nil && a.FAQSilent(e) }

func (a *API) listFAQ(c *call) (any, error) {
	q, err := query[wire.FAQQuery](c)
	if err != nil {
		return nil, err
	}
	from, err := number64(q.Cursor)
	if err != nil {
		return nil, err
	}
	all, err := a.DB.FAQ().All(c.ctx())
	if err != nil {
		return nil, err
	}
	out := wire.FAQList{Items: []wire.FAQEntry{}, Total: len(all), Langs: []string{}}
	for _, e := range all {
		if a.silent(e) {
			out.Silent++
		}
		if e.Lang != "" && !slices.Contains(out.Langs, e.Lang) {
			out.Langs = append(out.Langs, e.Lang)
		}
	}
	slices.Sort(out.Langs)
	hits, err := a.searchFAQ(c.ctx(), all, q)
	if err != nil {
		return nil, err
	}
	most := limit(q.Limit, 50, 200)
	start := min(int(from), len(hits))
	end := min(start+most, len(hits))
	for _, e := range hits[start:end] {
		out.Items = append(out.Items, a.faqEntry(e))
	}
	if end < len(hits) {
		out.Next = strconv.Itoa(end)
	}
	return out, nil
}

// searchFAQ filters and orders entries: by latest change, or, with a text, by
// similarity and then by whether the text occurs in them.
func (a *API) searchFAQ(ctx context.Context, all []sqlite.FAQEntry, q wire.FAQQuery) ([]sqlite.FAQEntry, error) {
	rank := map[int64]float64{}
	if q.Query != "" {
		near, err := a.DB.FAQ().Search(ctx, q.Query, q.Lang, 100)
		if err != nil {
			return nil, err
		}
		for _, m := range near {
			rank[m.ID] = m.Score
		}
	}
	part := strings.ToLower(strings.TrimSpace(q.Query))
	var out []sqlite.FAQEntry
	for _, e := range all {
		if q.Lang != "" && e.Lang != q.Lang {
			continue
		}
		if part != "" {
			if strings.Contains(strings.ToLower(e.Question+"\n"+strings.Join(e.Alternatives, "\n")+"\n"+e.Answer), part) {
				rank[e.ID] = max(rank[e.ID], 0.001)
			}
			if rank[e.ID] == 0 {
				continue
			}
		}
		out = append(out, e)
	}
	slices.SortStableFunc(out, func(x, y sqlite.FAQEntry) int {
		return cmp.Or(cmp.Compare(rank[y.ID], rank[x.ID]), y.Updated.Compare(x.Updated), cmp.Compare(y.ID, x.ID))
	})
	return out, nil
}

// Bounds of an entry.
const (
	maxQuestion     = 500
	maxAnswer       = 8000
	maxAlternatives = 20
)

var primaryTag = regexp.MustCompile(`^[a-z]{2,3}$`)

// cleanFAQ checks what an owner wrote.
func cleanFAQ(in *wire.FAQWrite) error {
	in.Question, in.Answer = strings.TrimSpace(in.Question), strings.TrimSpace(in.Answer)
	in.Lang, _, _ = strings.Cut(strings.ToLower(strings.TrimSpace(in.Lang)), "-")
	if err := within("question", in.Question, 1, maxQuestion); err != nil {
		return err
	}
	if err := within("answer", in.Answer, 1, maxAnswer); err != nil {
		return err
	}
	if in.Lang == "" {
		in.Lang = offline.Language(in.Question, "")
	}
	if !primaryTag.MatchString(in.Lang) {
		return invalid("lang", fmt.Sprintf("%q is not a language.", in.Lang), "Two or three letters, for example en or zh.")
	}
	kept := in.Alternatives[:0:0]
	for _, alt := range in.Alternatives {
		alt = strings.TrimSpace(alt)
		if alt == "" || alt == in.Question || slices.Contains(kept, alt) {
			continue
		}
		if err := within("alternatives", alt, 1, maxQuestion); err != nil {
			return err
		}
		kept = append(kept, alt)
	}
	if len(kept) > maxAlternatives {
		return invalid("alternatives", fmt.Sprintf("At most %d other ways to ask.", maxAlternatives), "")
	}
	in.Alternatives = kept
	return nil
}

// within refuses a text that is too short or too long, in characters.
func within(field, text string, least, most int) error {
	if n := utf8.RuneCountInString(text); n < least || n > most || !utf8.ValidString(text) {
		return invalid(field, fmt.Sprintf("It has %d to %d characters.", least, most), "")
	}
	return nil
}

func (a *API) changeFAQ(c *call) (any, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	if id <= 0 {
		return nil, notFound("There is no such entry.")
	}
	return a.putFAQ(c, id)
}

func (a *API) putFAQ(c *call, id int64) (any, error) {
	in, err := body[wire.FAQWrite](c)
	if err != nil {
		return nil, err
	}
	if err := cleanFAQ(&in); err != nil {
		return nil, err
	}
	store := a.DB.FAQ()
	id, err = store.Put(c.ctx(), sqlite.FAQEntry{
		ID: id, Lang: in.Lang, Question: in.Question, Alternatives: in.Alternatives, Answer: in.Answer, Enabled: in.Enabled,
	})
	if errors.Is(err, sqlite.ErrExists) {
		return nil, exists("question", "There is an entry with this question in this language.")
	}
	if err != nil {
		return nil, err
	}
	if in.Unanswered > 0 {
		if err := store.CloseUnanswered(c.ctx(), in.Unanswered); err != nil && !errors.Is(err, sqlite.ErrNoRow) {
			return nil, err
		}
	}
	if err := a.faqChanged(c.ctx()); err != nil {
		return nil, err
	}
	e, err := store.Get(c.ctx(), id)
	return a.faqEntry(e), err
}

// faqChanged brings a changed FAQ into use and tells the pages.
func (a *API) faqChanged(ctx context.Context) error {
	if err := a.Host.ReloadFAQ(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("bring the changed FAQ into use: %w", err)
	}
	a.live.FAQChanged()
	return nil
}

func (a *API) deleteFAQ(c *call) (any, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	if err := a.DB.FAQ().Delete(c.ctx(), id); err != nil {
		return nil, err
	}
	return nil, a.faqChanged(c.ctx())
}

func (a *API) exportFAQ(c *call) (any, error) {
	q, err := query[wire.FAQExportQuery](c)
	if err != nil {
		return nil, err
	}
	all, err := a.DB.FAQ().All(c.ctx())
	if err != nil {
		return nil, err
	}
	var entries []offline.Entry
	for _, e := range all {
		if q.Lang == "" || e.Lang == q.Lang {
			entries = append(entries, offline.Entry{Lang: e.Lang, Question: e.Question, Answer: e.Answer, Alternatives: e.Alternatives})
		}
	}
	w := c.file("text/csv; charset=utf-8", "faq-"+a.Now().UTC().Format("20060102")+".csv")
	return nil, offline.WriteCSV(w, entries)
}

func (a *API) testFAQ(c *call) (any, error) {
	in, err := body[wire.FAQTest](c)
	if err != nil {
		return nil, err
	}
	if err := within("question", strings.TrimSpace(in.Question), 1, 4000); err != nil {
		return nil, err
	}
	began := time.Now()
	ans, err := a.FAQ().Answer(c.ctx(), in.Question, in.Lang)
	if err != nil {
		return nil, err
	}
	out := wire.FAQTestResult{
		Found: ans.Found, Threshold: a.Settings.Current().FAQ.Threshold, Answer: ans.Text, Matches: []wire.FAQMatch{},
		Micros: time.Since(began).Microseconds(),
	}
	if ans.Entry != 0 {
		out.Matches = append(out.Matches, wire.FAQMatch{ID: ans.Entry, Lang: ans.Lang, Question: ans.Title, Score: ans.Score})
	}
	for _, m := range ans.Near {
		if m.ID != ans.Entry && len(out.Matches) < 5 {
			out.Matches = append(out.Matches, wire.FAQMatch{ID: m.ID, Lang: m.Lang, Question: m.Question, Score: m.Score})
		}
	}
	return out, nil
}

func (a *API) listUnanswered(c *call) (any, error) {
	q, err := query[wire.ListQuery](c)
	if err != nil {
		return nil, err
	}
	rows, next, err := a.DB.FAQ().ListUnanswered(c.ctx(), limit(q.Limit, 50, 200), q.Cursor)
	if errors.Is(err, sqlite.ErrBadCursor) {
		return nil, invalid("cursor", "This cursor is not one of ours.", "Start again without one.")
	}
	if err != nil {
		return nil, err
	}
	out := wire.UnansweredList{Items: []wire.Unanswered{}, Next: next}
	for _, u := range rows {
		out.Items = append(out.Items, wire.Unanswered{ID: u.ID, Text: u.Text, Lang: u.Lang, Count: u.Count, LastAt: u.Last, Conversation: string(u.Conversation)})
	}
	return out, nil
}

func (a *API) dismissUnanswered(c *call) (any, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	if err := a.DB.FAQ().CloseUnanswered(c.ctx(), id); err != nil {
		return nil, err
	}
	a.live.FAQChanged()
	return nil, nil
}
