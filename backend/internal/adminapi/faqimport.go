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
	table, err := openTable(text, q)
	if err != nil {
		return nil, err
	}
	report.Columns = table.columns()
	if table.place("question") < 0 || table.place("answer") < 0 {
		if q.DryRun { // the page asks which column is which
			note(&report, 1, "missing_column", "The first line does not name the columns question and answer.")
			return report, nil
		}
		return nil, invalid("columns", "The first line does not name the columns question and answer.", "question,answer,lang,alternatives (separated by |)")
	}
	entries, err := table.entries(&report)
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

// table is a CSV file of which it is known, or not yet, which column is which.
type table struct {
	r     *csv.Reader
	head  []string // names in the first line; nil: it is an entry
	ahead *row     // the first entry, read already
	use   []string // of each column: a name of faqColumns, or ""
}

// openTable reads the beginning of a table and tells its columns by what the
// caller says, else by their names.
func openTable(text string, q wire.ImportQuery) (*table, error) {
	first, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	for _, sep := range []rune{';', '\t'} {
		if strings.Count(first, string(sep)) > strings.Count(first, string(r.Comma)) {
			r.Comma = sep
		}
	}
	t := &table{r: r}
	ahead := t.read()
	if ahead.err != nil {
		return nil, invalid("", "This is not a table.", "question,answer,lang,alternatives (separated by |)")
	}
	if !q.NoHeader {
		t.head, ahead = ahead.rec, t.read()
	}
	t.ahead, t.use = &ahead, make([]string, max(len(t.head), len(ahead.rec)))
	if q.Columns == "" {
		t.recognise()
		return t, nil
	}
	for i, name := range strings.Split(q.Columns, ",") {
		if name == "" {
			continue
		}
		if _, known := faqColumns[name]; !known || slices.Contains(t.use, name) || i >= len(t.use) {
			return nil, invalid("columns", fmt.Sprintf("%q cannot be column %d.", name, i+1), "question, answer, lang and alternatives, each once")
		}
		t.use[i] = name
	}
	return t, nil
}

// recognise tells the columns by the names in the first line.
func (t *table) recognise() {
	for name, known := range faqColumns {
		i := slices.IndexFunc(t.head, func(h string) bool {
			return slices.Contains(known, strings.ToLower(strings.Trim(h, " \t\"\ufeff")))
		})
		if i >= 0 {
			t.use[i] = name
		}
	}
}

// place is the column that is used as name; -1: none.
func (t *table) place(name string) int { return slices.Index(t.use, name) }

// columns shows the page what the table has.
func (t *table) columns() []wire.ImportColumn {
	out := make([]wire.ImportColumn, len(t.use))
	for i := range out {
		out[i].Use = t.use[i]
		if i < len(t.head) {
			out[i].Name = cut(strings.Trim(t.head[i], " \t\"\ufeff"), 60)
		}
		if t.ahead != nil && i < len(t.ahead.rec) {
			out[i].Sample = cut(strings.TrimSpace(t.ahead.rec[i]), 60)
		}
	}
	return out
}

// row is one line of a table as it was read.
type row struct {
	rec  []string
	line int
	err  error
}

// read reads the next line; io.EOF after the last.
func (t *table) read() row {
	if ahead := t.ahead; ahead != nil {
		t.ahead = nil
		return *ahead
	}
	rec, err := t.r.Read()
	out := row{rec: rec, err: err}
	var bad *csv.ParseError
	switch {
	case errors.As(err, &bad):
		out.line = bad.StartLine
	case err == nil:
		out.line, _ = t.r.FieldPos(0)
	}
	return out
}

// entries reads the table; bad lines are noted and left out.
func (t *table) entries(report *wire.ImportReport) ([]sqlite.FAQEntry, error) {
	var out []sqlite.FAQEntry
	seen := map[string]int{}
	for {
		r := t.read()
		if errors.Is(r.err, io.EOF) {
			return out, nil
		}
		if r.err != nil {
			report.Rejected++
			note(report, r.line, "invalid", "This line cannot be read: "+r.err.Error())
			continue
		}
		e, err := faqRow(r.rec, t.place)
		if err != nil {
			report.Rejected++
			note(report, r.line, rowCode(err), rowText(err))
			continue
		}
		if e.Question == "" {
			continue // an empty line
		}
		if at, ok := seen[faqMark(&e)]; ok {
			report.Skipped++
			note(report, r.line, "duplicate", fmt.Sprintf("The same question stands in line %d.", at))
			continue
		}
		seen[faqMark(&e)] = r.line
		if out = append(out, e); len(out) > maxFAQRows {
			return nil, &fault{Type: wire.ProblemTooLarge, Title: "Too large", Status: 413, Detail: fmt.Sprintf("At most %d lines are taken.", maxFAQRows)}
		}
	}
}

func faqRow(rec []string, place func(string) int) (sqlite.FAQEntry, error) {
	field := func(name string) string {
		if i := place(name); i >= 0 && i < len(rec) {
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
