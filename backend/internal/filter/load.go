package filter

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/words"
)

// LoadLimits bounds what LoadWords reads. Zero values mean the defaults.
type LoadLimits struct {
	Bytes   int64 // of the file; default 64 MiB
	Entries int   // default 500,000
	Line    int   // bytes of one line; default 1,000
}

func (l LoadLimits) defaults() LoadLimits {
	if l.Bytes <= 0 {
		l.Bytes = 64 << 20
	}
	if l.Entries <= 0 {
		l.Entries = 500_000
	}
	if l.Line <= 0 {
		l.Line = 1000
	}
	return l
}

// ErrTooLarge: a word file exceeds a limit.
var ErrTooLarge = errors.New("too large")

// Row is one entry of a word file. Category and Action are empty where the
// file says nothing about them.
type Row struct {
	Line     int
	Word     string
	Category string
	Action   chat.Action
}

// Loaded is what LoadWords read.
type Loaded struct {
	Rows     []Row
	Encoding string // "utf-8", "utf-8 with BOM", "utf-16le", "utf-16be", "gb18030" or "big5"
	CSV      bool
	Lines    int
	Report   Report // doubles, single letters, contradictions, lines left out
}

// Words returns the words alone.
func (l *Loaded) Words() []string {
	out := make([]string, len(l.Rows))
	for i, r := range l.Rows {
		out[i] = r.Word
	}
	return out
}

// List returns the rows as a list of the filter.
func (l *Loaded) List(name string) WordList {
	list := WordList{Name: name, Entries: l.Words()}
	for i, r := range l.Rows {
		if r.Category == "" && r.Action == "" {
			continue
		}
		if list.Own == nil {
			list.Own = make([]Own, len(l.Rows))
		}
		list.Own[i] = Own{Category: r.Category, Action: r.Action}
	}
	return list
}

// LoadWords reads a word list: one word a line, or a table with the columns
// word, category and action, of which only the first is needed. A first line
// that names the columns, in English or Chinese, may have them in any order and
// with semicolons or tabs between; otherwise commas or tabs do. Empty lines and
// lines that begin with "#" do not count. The encoding is recognised: UTF-8,
// UTF-16 with a byte order mark, GBK (GB18030) and Big5. A line that cannot be
// used is left out and reported; an error means that nothing can be used.
func LoadWords(r io.Reader, limits LoadLimits) (*Loaded, error) {
	limits = limits.defaults()
	raw, err := io.ReadAll(io.LimitReader(r, limits.Bytes+1))
	if err != nil {
		return nil, fmt.Errorf("read word list: %w", err)
	}
	if int64(len(raw)) > limits.Bytes {
		return nil, fmt.Errorf("word list is %w: at most %d MiB are read", ErrTooLarge, limits.Bytes>>20)
	}
	text, enc, err := decodeText(raw)
	if err != nil {
		return nil, fmt.Errorf("read word list: %w", err)
	}
	l := &loader{limits: limits, seen: words.NewDraft(0)}
	l.out.Encoding = enc
	if err := l.lines(text); err != nil {
		return nil, err
	}
	l.out.Report.Words = len(l.out.Rows)
	return &l.out, nil
}

// decodeText turns the bytes of a file into UTF-8.
func decodeText(raw []byte) (text, name string, err error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\xEF\xBB\xBF")):
		raw, name = raw[3:], "utf-8 with BOM"
	case bytes.HasPrefix(raw, []byte("\xFF\xFE")):
		return decodeAs(raw, "utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM))
	case bytes.HasPrefix(raw, []byte("\xFE\xFF")):
		return decodeAs(raw, "utf-16be", unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM))
	default:
		name = "utf-8"
	}
	if bytes.IndexByte(raw[:min(len(raw), 8000)], 0) >= 0 {
		return "", "", errors.New("this is no text file (it contains zero bytes); UTF-16 needs a byte order mark")
	}
	if utf8.Valid(raw) {
		return string(raw), name, nil
	}
	gb, _, errGB := decodeAs(raw, "gb18030", simplifiedchinese.GB18030)
	b5, _, errB5 := decodeAs(raw, "big5", traditionalchinese.Big5)
	switch {
	case errGB == nil && (errB5 != nil || common(gb) >= common(b5)):
		return gb, "gb18030", nil
	case errB5 == nil:
		return b5, "big5", nil
	}
	at := bytes.Count(raw[:firstInvalid(raw)], []byte("\n")) + 1
	return "", "", fmt.Errorf("line %d is neither UTF-8 nor GBK nor Big5: save the list as UTF-8", at)
}

func decodeAs(raw []byte, name string, enc encoding.Encoding) (string, string, error) {
	out, err := enc.NewDecoder().Bytes(raw)
	if err != nil {
		return "", "", fmt.Errorf("decode %s: %w", name, err)
	}
	if bytes.Contains(out, []byte("\uFFFD")) {
		return "", "", fmt.Errorf("decode %s: there are bytes that are no characters", name)
	}
	return string(out), name, nil
}

// common counts everyday Chinese characters: a text read in the wrong encoding
// has few.
func common(s string) int {
	const everyday = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实这這個們來為國說時會對於著過發後裡種經學當沒動還進樣實"
	n := 0
	for _, r := range s {
		if strings.ContainsRune(everyday, r) {
			n++
		}
	}
	return n
}

func firstInvalid(raw []byte) int {
	for i := 0; i < len(raw); {
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(raw)
}

type loader struct {
	limits LoadLimits
	out    Loaded
	seen   *words.Draft // its entries are those of out.Rows
	begun  bool         // a line was read
	headed bool         // the first line named the columns
	comma  rune         // between columns; 0: told line by line
	cols   columns
}

func (l *loader) lines(text string) error {
	for line := range strings.Lines(text) {
		l.out.Lines++
		line = strings.TrimSpace(strings.TrimRight(line, "\r\n"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(line) > l.limits.Line {
			l.problem(line[:40]+"…", fmt.Sprintf("is longer than %d bytes: left out", l.limits.Line))
			continue
		}
		if l.row(line); len(l.out.Rows) > l.limits.Entries {
			return fmt.Errorf("word list is %w: at most %d entries", ErrTooLarge, l.limits.Entries)
		}
	}
	return nil
}

func (l *loader) problem(entry, reason string) {
	l.out.Report.add(fmt.Sprintf("line %d", l.out.Lines), entry, reason)
}

// row takes in one line.
func (l *loader) row(line string) {
	row := Row{Line: l.out.Lines, Word: line}
	if !l.begun {
		if l.begun = true; l.first(line) {
			return
		}
	}
	if l.headed || strings.ContainsAny(line, ",\t\"") {
		if !l.fields(line, &row) {
			return
		}
	}
	i, fresh, err := l.seen.Add(row.Word)
	if err != nil {
		l.problem(row.Word, err.Error()+": left out")
		return
	}
	if !fresh {
		old := &l.out.Rows[i]
		if old.Action == row.Action {
			l.problem(row.Word, fmt.Sprintf("stands in line %d already: left out", old.Line))
			return
		}
		l.problem(row.Word, fmt.Sprintf("has action %q here and %q in line %d: the stricter one applies", row.Action, old.Action, old.Line))
		if row.Action.Rank() > old.Action.Rank() {
			old.Action = row.Action
		}
		return
	}
	if l.seen.Letters(i) == 1 {
		l.problem(row.Word, "is a single character and will hit very often")
	}
	l.out.Rows = append(l.out.Rows, row)
}

// columns are the places of the columns of a table; -1: absent.
type columns struct{ word, category, action int }

// columnNames are the names under which the columns are recognised.
var columnNames = [3][]string{
	{"word", "words", "entry", "词", "词语", "敏感词", "詞語", "關鍵詞", "关键词"},
	{"category", "class", "tag", "类别", "分类", "類別", "標籤", "标签"},
	{"action", "do", "动作", "处理", "動作", "處理"},
}

// actionNames are further names of actions in a table.
var actionNames = map[string]chat.Action{
	"拦截": chat.ActionBlock, "屏蔽": chat.ActionBlock, "遮盖": chat.ActionMask, "替换": chat.ActionReplace, "转人工": chat.ActionHandover, "仅记录": chat.ActionNote,
}

// header reads the columns' names; false: this is no header.
func header(cells []string) (columns, bool) {
	at := [3]int{-1, -1, -1}
	known := 0
	for i, cell := range cells {
		cell = strings.ToLower(strings.TrimSpace(cell))
		for k, names := range columnNames {
			if at[k] < 0 && slices.Contains(names, cell) {
				at[k] = i
				known++
			}
		}
	}
	return columns{at[0], at[1], at[2]}, at[0] >= 0 && known == len(cells) && known > 1
}

// cells splits a line of a table, with commas, semicolons or tabs.
func (l *loader) cells(line string) ([]string, error) {
	cr := csv.NewReader(strings.NewReader(line))
	cr.TrimLeadingSpace = true
	cr.FieldsPerRecord = -1
	cr.Comma = ','
	switch {
	case l.comma != 0:
		cr.Comma = l.comma
	case strings.Contains(line, "\t"):
		cr.Comma = '\t'
	}
	return cr.Read()
}

// fields takes a line of a table apart; false: it is no entry.
func (l *loader) fields(line string, row *Row) bool {
	f, err := l.cells(line)
	if err != nil || len(f) == 0 || !l.headed && len(f) > 3 && strings.TrimSpace(strings.Join(f[3:], "")) != "" {
		l.problem(line, "is not word,category,action: left out")
		return false
	}
	l.out.CSV = true
	cell := func(i int) string {
		if i < 0 || i >= len(f) {
			return ""
		}
		return strings.TrimSpace(f[i])
	}
	row.Word, row.Category = cell(l.cols.word), cell(l.cols.category)
	action := strings.ToLower(cell(l.cols.action))
	row.Action = chat.Action(action)
	if named, ok := actionNames[action]; ok {
		row.Action = named
	}
	if row.Action != "" && row.Action.Rank() == 0 {
		l.problem(line, fmt.Sprintf("has the unknown action %q (block, mask, replace, handover, note): left out", row.Action))
		return false
	}
	return true
}

// first looks whether the first line that counts names the columns.
func (l *loader) first(line string) bool {
	l.cols = columns{0, 1, 2}
	for _, comma := range []rune{',', ';', '\t'} {
		if !strings.ContainsRune(line, comma) {
			continue
		}
		l.comma = comma
		f, err := l.cells(line)
		if err != nil {
			continue
		}
		if cols, ok := header(f); ok {
			l.cols, l.headed, l.out.CSV = cols, true, true
			return true
		}
	}
	l.comma = 0
	return false
}

// SaveWords writes rows so that LoadWords reads them back: as plain text, or
// as CSV with a header.
func SaveWords(w io.Writer, rows []Row, asCSV bool) error {
	if !asCSV {
		for _, r := range rows {
			word := r.Word
			if strings.ContainsAny(word, ",\t\"") {
				word = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
			}
			if _, err := io.WriteString(w, word+"\n"); err != nil {
				return fmt.Errorf("save word list: %w", err)
			}
		}
		return nil
	}
	cw := csv.NewWriter(w)
	recs := make([][]string, 0, len(rows)+1)
	recs = append(recs, []string{"word", "category", "action"})
	for _, r := range rows {
		recs = append(recs, []string{r.Word, r.Category, string(r.Action)})
	}
	if err := cw.WriteAll(recs); err != nil {
		return fmt.Errorf("save word list: %w", err)
	}
	return nil
}
