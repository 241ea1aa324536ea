package offline

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

//go:embed faq/*.csv
var demo embed.FS

// Demo returns the FAQ that the demo shop ships with, in English and Chinese.
// IDs count from 1.
func Demo() ([]Entry, error) {
	var all []Entry
	for _, name := range []string{"faq/demo_en.csv", "faq/demo_zh.csv"} {
		data, err := demo.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read demo FAQ: %w", err)
		}
		entries, err := ReadCSV(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("read demo FAQ %s: %w", name, err)
		}
		all = append(all, entries...)
	}
	for i := range all {
		all[i].ID = int64(i + 1)
	}
	return all, nil
}

// Bounds of an imported file.
const (
	maxCSV     = 16 << 20 // bytes
	maxRows    = 100_000
	maxField   = 8 << 10 // bytes of one question or answer
	columnHelp = "the first line must name the columns: question,answer,lang,alternatives"
)

// ErrTooLarge: an imported file is larger than 16 MiB or longer than 100,000
// rows.
var ErrTooLarge = errors.New("file too large")

// ReadCSV reads a FAQ: UTF-8 with or without a byte order mark, comma or
// semicolon between columns, the columns named in the first line in any order.
// question and answer are needed; alternatives are separated by "|". Empty
// lines are skipped. Errors name the line.
func ReadCSV(r io.Reader) ([]Entry, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxCSV+1))
	if err != nil {
		return nil, fmt.Errorf("read FAQ file: %w", err)
	}
	if len(data) > maxCSV {
		return nil, fmt.Errorf("read FAQ file: %w (limit 16 MiB)", ErrTooLarge)
	}
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		return nil, errors.New("read FAQ file: it is not UTF-8; save it as \"CSV UTF-8\"")
	}
	cr := csv.NewReader(bytes.NewReader(data))
	cr.Comma = separator(data)
	cr.FieldsPerRecord = -1
	head, err := cr.Read()
	if err != nil {
		return nil, fmt.Errorf("read FAQ file: %s: %w", columnHelp, err)
	}
	cols, err := columns(head)
	if err != nil {
		return nil, err
	}
	var out []Entry
	for {
		rec, err := cr.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read FAQ file: %w", err) // names the line
		}
		line, _ := cr.FieldPos(0)
		e, err := entryOf(rec, cols)
		if err != nil {
			return nil, fmt.Errorf("read FAQ file: line %d: %w", line, err)
		}
		if e.Question == "" && e.Answer == "" {
			continue
		}
		if out = append(out, e); len(out) > maxRows {
			return nil, fmt.Errorf("read FAQ file: %w (limit %d rows)", ErrTooLarge, maxRows)
		}
	}
}

// separator looks at the first line: spreadsheets of many countries write
// semicolons.
func separator(data []byte) rune {
	first, _, _ := bytes.Cut(data, []byte("\n"))
	if bytes.Count(first, []byte(";")) > bytes.Count(first, []byte(",")) {
		return ';'
	}
	return ','
}

// columns finds the places of the four columns; -1: absent.
func columns(head []string) (map[string]int, error) {
	cols := map[string]int{"question": -1, "answer": -1, "lang": -1, "alternatives": -1}
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(h))
		if _, known := cols[h]; known {
			cols[h] = i
		}
	}
	if cols["question"] < 0 || cols["answer"] < 0 {
		return nil, fmt.Errorf("read FAQ file: line 1: %s", columnHelp)
	}
	return cols, nil
}

func entryOf(rec []string, cols map[string]int) (Entry, error) {
	field := func(name string) string {
		if i := cols[name]; i >= 0 && i < len(rec) {
			return strings.TrimSpace(rec[i])
		}
		return ""
	}
	e := Entry{Question: field("question"), Answer: field("answer"), Lang: strings.ToLower(field("lang"))}
	for a := range strings.SplitSeq(field("alternatives"), "|") {
		if a = strings.TrimSpace(a); a != "" {
			e.Alternatives = append(e.Alternatives, a)
		}
	}
	switch {
	case e.Question == "" && e.Answer != "":
		return e, errors.New("an answer without a question")
	case e.Question != "" && e.Answer == "":
		return e, errors.New("a question without an answer")
	case len(e.Question) > maxField || len(e.Answer) > maxField:
		return e, errors.New("longer than 8 KiB")
	}
	return e, nil
}

// WriteCSV writes entries in the form that ReadCSV reads, with a byte order
// mark so that spreadsheets recognise UTF-8. ReadCSV gives back what was
// written.
func WriteCSV(w io.Writer, entries []Entry) error {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return fmt.Errorf("write FAQ file: %w", err)
	}
	cw := csv.NewWriter(w)
	rows := [][]string{{"question", "answer", "lang", "alternatives"}}
	for _, e := range entries {
		rows = append(rows, []string{e.Question, e.Answer, e.Lang, strings.Join(e.Alternatives, "|")})
	}
	if err := cw.WriteAll(rows); err != nil {
		return fmt.Errorf("write FAQ file: %w", err)
	}
	return nil
}
