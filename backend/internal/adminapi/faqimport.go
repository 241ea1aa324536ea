package adminapi

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"haoke/backend/internal/filter"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// maxFAQRows bounds one import.
const maxFAQRows = 50_000

// faqColumns are the names under which columns are recognised.
var faqColumns = map[string][]string{
	"question":     {"question", "questions", "q", "问题", "問題", "提问"},
	"answer":       {"answer", "answers", "a", "答案", "回答", "答复"},
	"lang":         {"lang", "language", "locale", "语言", "語言"},
	"alternatives": {"alternatives", "aliases", "其他问法", "相似问题", "相似问"},
}

func (a *API) importFAQ(c *call) (any, error) {
	q, err := query[wire.ImportQuery](c)
	if err != nil {
		return nil, err
	}
	data, err := c.upload()
	if err != nil {
		return nil, err
	}
	text, encoding, err := filter.Decode(data)
	if err != nil {
		return nil, invalid("", err.Error(), "Save the table as \"CSV UTF-8\".")
	}
	report := newReport()
	report.Encoding = encoding
	entries, err := readFAQ(text, &report)
	if err != nil {
		return nil, err
	}
	for _, e := range entries[:min(len(entries), previewRows)] {
		report.Preview = append(report.Preview, wire.ImportEntry{Key: e.Question, Value: cut(e.Answer, 200)})
	}
	if q.DryRun {
		report.Added, report.Updated, err = a.wouldImport(c, entries, q.Replace)
		return report, err
	}
	if report.Added, report.Updated, err = a.DB.FAQ().Import(c.ctx(), entries, q.Replace); err != nil {
		return nil, err
	}
	return report, a.faqChanged(c.ctx())
}

// wouldImport counts what an import would do.
func (a *API) wouldImport(c *call, entries []sqlite.FAQEntry, replace bool) (added, updated int, err error) {
	if replace {
		return len(entries), 0, nil
	}
	all, err := a.DB.FAQ().All(c.ctx())
	there := map[string]bool{}
	for _, e := range all {
		there[faqMark(&e)] = true
	}
	for i := range entries {
		if there[faqMark(&entries[i])] {
			updated++
		} else {
			added++
		}
	}
	return added, updated, err
}

func faqMark(e *sqlite.FAQEntry) string {
	return e.Lang + "\x00" + strings.Join(strings.Fields(strings.ToLower(e.Question)), " ")
}

// readFAQ reads a table; bad lines are noted and left out.
func readFAQ(text string, report *wire.ImportReport) ([]sqlite.FAQEntry, error) {
	first, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	for _, sep := range []rune{';', '\t'} {
		if strings.Count(first, string(sep)) > strings.Count(first, string(r.Comma)) {
			r.Comma = sep
		}
	}
	head, err := r.Read()
	cols := faqPlaces(head)
	if err != nil || cols["question"] < 0 || cols["answer"] < 0 {
		return nil, invalid("", "The first line does not name the columns question and answer.", "question,answer,lang,alternatives (separated by |)")
	}
	var out []sqlite.FAQEntry
	seen := map[string]int{}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			report.Rejected++
			note(report, line, "invalid", "This line cannot be read: "+err.Error())
			continue
		}
		e, err := faqRow(rec, cols)
		if err != nil {
			report.Rejected++
			note(report, line, rowCode(err), rowText(err))
			continue
		}
		if e.Question == "" {
			continue // an empty line
		}
		if at, ok := seen[faqMark(&e)]; ok {
			report.Skipped++
			note(report, line, "duplicate", fmt.Sprintf("The same question stands in line %d.", at))
			continue
		}
		seen[faqMark(&e)] = line
		if out = append(out, e); len(out) > maxFAQRows {
			return nil, &fault{Type: wire.ProblemTooLarge, Title: "Too large", Status: 413, Detail: fmt.Sprintf("At most %d lines are taken.", maxFAQRows)}
		}
	}
}

// faqPlaces finds the columns; -1: absent.
func faqPlaces(head []string) map[string]int {
	cols := map[string]int{}
	for name, known := range faqColumns {
		cols[name] = slices.IndexFunc(head, func(h string) bool {
			return slices.Contains(known, strings.ToLower(strings.Trim(h, " \t\"\ufeff")))
		})
	}
	return cols
}

func faqRow(rec []string, cols map[string]int) (sqlite.FAQEntry, error) {
	field := func(name string) string {
		if i := cols[name]; i >= 0 && i < len(rec) {
			return strings.TrimSpace(rec[i])
		}
		return ""
	}
	in := wire.FAQWrite{Question: field("question"), Answer: field("answer"), Lang: field("lang")}
	if in.Question == "" && in.Answer == "" {
		return sqlite.FAQEntry{}, nil
	}
	in.Alternatives = strings.Split(field("alternatives"), "|")
	if err := cleanFAQ(&in); err != nil {
		return sqlite.FAQEntry{}, err
	}
	return sqlite.FAQEntry{Lang: in.Lang, Question: in.Question, Alternatives: in.Alternatives, Answer: in.Answer, Enabled: true}, nil
}

// rowCode sorts what is wrong with a line.
func rowCode(err error) string {
	var f *fault
	if errors.As(err, &f) && (f.Field == "question" || f.Field == "answer") {
		return "too_long"
	}
	return "invalid"
}

// rowText says what is wrong with a line.
func rowText(err error) string {
	var f *fault
	if errors.As(err, &f) {
		return "The column " + f.Field + ": " + f.Detail
	}
	return err.Error()
}
