package adminapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"haoke/backend/internal/filter"
	wordset "haoke/backend/internal/filter/words"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// Bounds of imports.
const (
	maxWordEdit = 10_000
	maxNotes    = 100
	previewRows = 10
)

// note adds a remark to a report, up to the bound.
func note(r *wire.ImportReport, line int, code, text string) {
	if len(r.Notes) >= maxNotes {
		r.Truncated = true
		return
	}
	r.Notes = append(r.Notes, wire.ImportNote{Line: line, Code: code, Text: text})
}

func newReport() wire.ImportReport {
	return wire.ImportReport{Encoding: "utf-8", Notes: []wire.ImportNote{}, Preview: []wire.ImportEntry{}}
}

// upload reads a raw body whole; the route bounds it.
func (c *call) upload() ([]byte, error) {
	data, err := io.ReadAll(c.r.Body)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return nil, bodyFault(err)
	}
	if err != nil {
		return nil, &fault{Title: "Cut off", Status: 400, Detail: "The upload ended early."}
	}
	return data, nil
}

func (a *API) editWords(c *call) (any, error) {
	l, err := a.ownList(c)
	if err != nil {
		return nil, err
	}
	in, err := body[wire.WordEdit](c)
	if err != nil {
		return nil, err
	}
	if len(in.Add) > maxWordEdit || len(in.Remove) > maxWordEdit || len(in.Own) > maxWordEdit {
		return nil, invalid("add", fmt.Sprintf("At most %d words at once.", maxWordEdit), "Import a file instead.")
	}
	report := newReport()
	var add []string
	seen := map[string]int{}
	for i, w := range in.Add {
		w = strings.TrimSpace(w)
		info, err := wordset.Parse(w)
		if err != nil || len(w) > 1000 || strings.ContainsAny(w, "\r\n") {
			report.Rejected++
			note(&report, i+1, "invalid", fmt.Sprintf("%q cannot be a word: %v", cut(w, 80), reasonOf(err)))
			continue
		}
		if first, ok := seen[info.Key]; ok {
			report.Skipped++
			note(&report, i+1, "duplicate", fmt.Sprintf("%q is the same as entry %d.", w, first))
			continue
		}
		seen[info.Key] = i + 1
		if info.Letters == 1 {
			note(&report, i+1, "one_letter", fmt.Sprintf("%q is a single character and will hit very often.", w))
		}
		if slices.Contains(in.Remove, w) {
			note(&report, i+1, "contradiction", fmt.Sprintf("%q is to be added and removed; it is added.", w))
		}
		add = append(add, w)
	}
	added, removed, err := a.DB.Filters().EditWords(c.ctx(), l.ID, add, in.Remove, false)
	if err != nil {
		return nil, err
	}
	report.Added, report.Skipped = added, report.Skipped+len(add)-added
	if report.Updated, err = a.ownWords(c, l, in.Own); err != nil {
		return nil, err
	}
	for _, w := range add[:min(len(add), previewRows)] {
		report.Preview = append(report.Preview, wire.ImportEntry{Key: w})
	}
	if added+removed+report.Updated > 0 {
		a.filterChanged(c.ctx())
	}
	return report, nil
}

func reasonOf(err error) string {
	if err == nil {
		return "it is too long or has several lines"
	}
	return err.Error()
}

// ownWords gives entries what is their own; it counts those that changed.
func (a *API) ownWords(c *call, l sqlite.WordList, own map[string]wire.WordOwn) (int, error) {
	if len(own) == 0 {
		return 0, nil
	}
	have, err := a.DB.Filters().WordRows(c.ctx(), l.ID, "", 0, 0)
	if err != nil {
		return 0, err
	}
	var set []sqlite.Word
	for _, w := range have {
		o, ok := own[w.Text]
		if !ok {
			continue
		}
		way := wire.WayBoth
		if err := checkRule(o.Action, &way, ""); err != nil {
			return 0, err
		}
		if err := within("category", o.Category, 0, 80); err != nil {
			return 0, err
		}
		set = append(set, plainWord(l, filter.Row{Word: w.Text, Category: o.Category, Action: o.Action}))
	}
	_, updated, err := a.DB.Filters().PutWords(c.ctx(), l.ID, set, false)
	return updated, err
}

// plainWord is an entry without what only repeats its list.
func plainWord(l sqlite.WordList, r filter.Row) sqlite.Word {
	w := sqlite.Word{Text: r.Word, Category: r.Category, Action: r.Action}
	if w.Category == l.Category {
		w.Category = ""
	}
	if w.Action == l.Action {
		w.Action = ""
	}
	return w
}

// cut shortens a text for display, in characters.
func cut(text string, most int) string {
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

func (a *API) importWords(c *call) (any, error) {
	l, err := a.ownList(c)
	if err != nil {
		return nil, err
	}
	q, err := query[wire.ImportQuery](c)
	if err != nil {
		return nil, err
	}
	data, err := c.upload()
	if err != nil {
		return nil, err
	}
	loaded, err := filter.LoadWords(bytes.NewReader(data), filter.LoadLimits{})
	if errors.Is(err, filter.ErrTooLarge) {
		return nil, &fault{Type: wire.ProblemTooLarge, Title: "Too large", Status: 413, Detail: err.Error()}
	}
	if err != nil {
		return nil, invalid("", err.Error(), "Save the list as UTF-8 text, one word a line.")
	}
	report := newReport()
	report.Encoding = loaded.Encoding
	for _, p := range loaded.Report.Problems {
		line, code := 0, problemCode(p.Reason)
		fmt.Sscanf(p.List, "line %d", &line)
		note(&report, line, code, fmt.Sprintf("%q %s.", cut(p.Entry, 80), p.Reason))
		switch code {
		case "duplicate":
			report.Skipped++
		case "invalid", "too_long":
			report.Rejected++
		}
	}
	report.Truncated = report.Truncated || loaded.Report.More > 0
	for _, r := range loaded.Rows[:min(len(loaded.Rows), previewRows)] {
		said := slices.DeleteFunc([]string{cut(r.Category, 80), string(r.Action)}, func(s string) bool { return s == "" })
		report.Preview = append(report.Preview, wire.ImportEntry{Key: r.Word, Value: strings.Join(said, " · ")})
	}
	if q.Replace || l.Count == 0 {
		levelOf(&l, loaded.Rows)
	}
	list := make([]sqlite.Word, len(loaded.Rows))
	for i, r := range loaded.Rows {
		r.Category = cut(r.Category, 80)
		list[i] = plainWord(l, r)
	}
	if report.Added, report.Updated, err = a.takeWords(c, l, list, q); err != nil {
		return nil, err
	}
	report.Skipped += len(list) - report.Added - report.Updated
	return report, nil
}

// levelOf makes what all rows say the list's own, if the list says nothing yet.
func levelOf(l *sqlite.WordList, rows []filter.Row) {
	if len(rows) == 0 || l.Category != "" || l.Action != "" {
		return
	}
	first := rows[0]
	for _, r := range rows {
		if r.Category != first.Category {
			first.Category = ""
		}
		if r.Action != first.Action {
			first.Action = ""
		}
	}
	l.Category, l.Action = cut(first.Category, 80), first.Action
}

// takeWords imports, or only counts what an import would do.
func (a *API) takeWords(c *call, l sqlite.WordList, words []sqlite.Word, q wire.ImportQuery) (added, updated int, err error) {
	store := a.DB.Filters()
	if !q.DryRun {
		if _, err := store.PutList(c.ctx(), l); err != nil {
			return 0, 0, err
		}
		if added, updated, err = store.PutWords(c.ctx(), l.ID, words, q.Replace); err == nil {
			a.filterChanged(c.ctx())
		}
		return added, updated, err
	}
	if q.Replace {
		return len(words), 0, nil
	}
	have, err := store.WordRows(c.ctx(), l.ID, "", 0, 0)
	there := make(map[string]sqlite.Word, len(have))
	for _, w := range have {
		there[w.Text] = w
	}
	for _, w := range words {
		switch old, ok := there[w.Text]; {
		case !ok:
			added++
		case old != w:
			updated++
		}
	}
	return added, updated, err
}

// problemCode sorts a remark of the word reader.
func problemCode(reason string) string {
	switch {
	case strings.Contains(reason, "stricter"), strings.Contains(reason, "exception wins"):
		return "contradiction"
	case strings.Contains(reason, "already"), strings.Contains(reason, "twice"):
		return "duplicate"
	case strings.Contains(reason, "single"):
		return "one_letter"
	case strings.Contains(reason, "longer than"):
		return "too_long"
	}
	return "invalid"
}
