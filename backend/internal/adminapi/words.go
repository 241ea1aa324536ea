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
	if len(in.Add) > maxWordEdit || len(in.Remove) > maxWordEdit {
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
	report.Added, report.Updated, report.Skipped = added, 0, report.Skipped+len(add)-added
	previewWords(&report, add)
	if added+removed > 0 {
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

func previewWords(r *wire.ImportReport, list []string) {
	for _, w := range list[:min(len(list), previewRows)] {
		r.Preview = append(r.Preview, wire.ImportEntry{Key: w})
	}
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
	list := loaded.Words()
	previewWords(&report, list)
	added, err := a.takeWords(c, l.ID, list, q)
	if err != nil {
		return nil, err
	}
	report.Added = added
	report.Skipped += len(list) - added
	return report, nil
}

// takeWords imports, or only counts what an import would add.
func (a *API) takeWords(c *call, list int64, words []string, q wire.ImportQuery) (int, error) {
	store := a.DB.Filters()
	if !q.DryRun {
		added, _, err := store.EditWords(c.ctx(), list, words, nil, q.Replace)
		if err == nil {
			a.filterChanged(c.ctx())
		}
		return added, err
	}
	if q.Replace {
		return len(words), nil
	}
	have, err := store.Words(c.ctx(), list, "", "", 0)
	if err != nil {
		return 0, err
	}
	there := make(map[string]bool, len(have))
	for _, w := range have {
		there[w] = true
	}
	n := 0
	for _, w := range words {
		if !there[w] {
			n++
		}
	}
	return n, nil
}

// problemCode sorts a remark of the word reader.
func problemCode(reason string) string {
	switch {
	case strings.Contains(reason, "already"), strings.Contains(reason, "twice"):
		return "duplicate"
	case strings.Contains(reason, "single"):
		return "one_letter"
	case strings.Contains(reason, "stricter"):
		return "contradiction"
	case strings.Contains(reason, "longer than"):
		return "too_long"
	}
	return "invalid"
}
