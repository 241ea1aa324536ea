package adminapi

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"haoke/backend/internal/filter"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

func (a *API) listHandlers() map[string]func(*call) (any, error) {
	return map[string]func(*call) (any, error){
		"addWordList":    a.addWordList,
		"changeWordList": a.changeWordList,
		"deleteWordList": a.deleteWordList,
		"listWords":      a.listWords,
		"editWords":      a.editWords,
		"importWords":    a.importWords,
		"exportWords":    a.exportWords,
	}
}

func wordList(l sqlite.WordList) wire.WordList {
	return wire.WordList{
		ID: l.ID, Name: l.Name, Category: l.Category, Action: l.Action, Way: wire.FilterWay(l.Way), Replace: l.Replace,
		Enabled: l.Enabled, Count: l.Count, Source: l.Source, UpdatedAt: l.Updated,
	}
}

// wordLists are the owner's lists and, with numbers below zero, those of files.
func (a *API) wordLists(ctx context.Context, x FilterExtra) ([]wire.WordList, error) {
	rows, err := a.DB.Filters().Lists(ctx)
	if err != nil {
		return nil, err
	}
	out := []wire.WordList{}
	for _, l := range rows {
		out = append(out, wordList(l))
	}
	for i, path := range a.Settings.Current().Filter.WordsFiles {
		out = append(out, fileList(i, path, x))
	}
	return out, nil
}

// fileList is a list of filter.words_files. A file that cannot be read counts
// as empty here; that it cannot be is told where the filter is built.
func fileList(i int, path string, x FilterExtra) wire.WordList {
	l := wire.WordList{
		ID: -int64(i) - 1, Name: filepath.Base(path), Way: wire.WayBoth, Enabled: !x.FileOff(path), Source: path, ReadOnly: true,
	}
	if rows, err := fileRows(path); err == nil {
		l.Count = len(rows)
	}
	if info, err := os.Stat(path); err == nil {
		l.UpdatedAt = info.ModTime().UTC()
	}
	return l
}

func fileRows(path string) ([]filter.Row, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read word list: %w", err)
	}
	defer f.Close()
	loaded, err := filter.LoadWords(f, filter.LoadLimits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return loaded.Rows, nil
}

// foundList is a list by its number.
type foundList struct {
	row  sqlite.WordList // the owner's
	file string          // or a file's path
}

func (a *API) findList(c *call) (foundList, error) {
	id, err := c.number("id")
	if err != nil {
		return foundList{}, err
	}
	if files := a.Settings.Current().Filter.WordsFiles; id < 0 && -id <= int64(len(files)) {
		return foundList{file: files[-id-1]}, nil
	}
	rows, err := a.DB.Filters().Lists(c.ctx())
	if err != nil {
		return foundList{}, err
	}
	for _, l := range rows {
		if l.ID == id {
			return foundList{row: l}, nil
		}
	}
	return foundList{}, notFound("There is no such list.")
}

// ownList is findList for changes, which files do not take.
func (a *API) ownList(c *call) (sqlite.WordList, error) {
	l, err := a.findList(c)
	if err == nil && l.file != "" {
		err = locked("filter.words_files", "the file "+l.file)
	}
	return l.row, err
}

func checkList(in *wire.WordListWrite) error {
	if err := ruleName(&in.Name, in.Category); err != nil {
		return err
	}
	return checkRule(in.Action, &in.Way, in.Replace)
}

// putList stores a list and answers with it.
func (a *API) putList(c *call, id int64, source string, in *wire.WordListWrite) (any, error) {
	if err := checkList(in); err != nil {
		return nil, err
	}
	store := a.DB.Filters()
	id, err := store.PutList(c.ctx(), sqlite.WordList{
		ID: id, Name: in.Name, Category: in.Category, Action: in.Action, Way: string(in.Way), Replace: in.Replace, Enabled: in.Enabled, Source: source,
	})
	if errors.Is(err, sqlite.ErrExists) {
		return nil, exists("name", fmt.Sprintf("There is a list %q.", in.Name))
	}
	if err != nil {
		return nil, err
	}
	a.filterChanged(c.ctx())
	rows, err := store.Lists(c.ctx())
	if err != nil {
		return nil, err
	}
	for _, l := range rows {
		if l.ID == id {
			return wordList(l), nil
		}
	}
	return nil, sqlite.ErrNoRow // deleted meanwhile
}

func (a *API) addWordList(c *call) (any, error) {
	in, err := body[wire.WordListWrite](c)
	if err != nil {
		return nil, err
	}
	return a.putList(c, 0, "own", &in)
}

func (a *API) changeWordList(c *call) (any, error) {
	l, err := a.findList(c)
	if err != nil {
		return nil, err
	}
	in, err := body[wire.WordListWrite](c)
	if err != nil {
		return nil, err
	}
	if l.file != "" {
		return a.switchFile(c, l.file, &in)
	}
	return a.putList(c, l.row.ID, l.row.Source, &in)
}

// switchFile switches the list of a file; nothing else of it can be changed
// here.
func (a *API) switchFile(c *call, path string, in *wire.WordListWrite) (any, error) {
	a.filters.change.Lock()
	defer a.filters.change.Unlock()
	x, err := LoadFilterExtra(c.ctx(), a.DB.Values())
	if err != nil {
		return nil, err
	}
	i := slices.Index(a.Settings.Current().Filter.WordsFiles, path)
	now := fileList(i, path, x)
	if in.Name != now.Name || in.Category != "" || in.Action != "" || in.Replace != "" || in.Way != wire.WayBoth && in.Way != "" {
		return nil, locked("filter.words_files", "the file "+path)
	}
	x.FilesOff = slices.DeleteFunc(x.FilesOff, func(name string) bool { return name == path })
	if !in.Enabled {
		x.FilesOff = append(x.FilesOff, path)
	}
	x.Revision++
	if err := x.save(c.ctx(), a.DB.Values()); err != nil {
		return nil, err
	}
	a.filterChanged(c.ctx())
	return fileList(i, path, x), nil
}

func (a *API) deleteWordList(c *call) (any, error) {
	l, err := a.ownList(c)
	if err != nil {
		return nil, err
	}
	if err := a.DB.Filters().DeleteList(c.ctx(), l.ID); err != nil {
		return nil, err
	}
	a.filterChanged(c.ctx())
	return nil, nil
}

func (a *API) listWords(c *call) (any, error) {
	l, err := a.findList(c)
	if err != nil {
		return nil, err
	}
	q, err := query[wire.WordQuery](c)
	if err != nil {
		return nil, err
	}
	most := limit(q.Limit, 200, 1000)
	if l.file != "" {
		return fileWordPage(l.file, q, most)
	}
	out := page{wire.WordPage{Items: []string{}}}
	store := a.DB.Filters()
	if q.Cursor != "" {
		words, err := store.Words(c.ctx(), l.row.ID, q.Query, q.Cursor, most)
		if err != nil {
			return nil, err
		}
		out.Items = append(out.Items, words...)
	} else {
		words, err := store.WordRows(c.ctx(), l.row.ID, q.Query, max(q.Skip, 0), most)
		if err != nil {
			return nil, err
		}
		for _, w := range words {
			out.Items = append(out.Items, w.Text)
			out.put(w)
		}
	}
	if out.Total, err = store.CountWords(c.ctx(), l.row.ID, q.Query); err != nil {
		return nil, err
	}
	if len(out.Items) == most {
		out.Next = out.Items[most-1]
	}
	return out.WordPage, nil
}

// page is a page of words under construction.
type page struct{ wire.WordPage }

func (p *page) put(w sqlite.Word) {
	if w.Category == "" && w.Action == "" {
		return
	}
	if p.Own == nil {
		p.Own = map[string]wire.WordOwn{}
	}
	p.Own[w.Text] = wire.WordOwn{Category: w.Category, Action: w.Action}
}

func fileWordPage(path string, q wire.WordQuery, most int) (any, error) {
	rows, err := fileRows(path)
	if err != nil {
		return nil, &fault{Title: "Unreadable", Status: 409, Type: wire.ProblemConflict, Detail: err.Error(), Hint: "Mend the file, or take it out of filter.words_files."}
	}
	slices.SortFunc(rows, func(a, b filter.Row) int { return strings.Compare(a.Word, b.Word) })
	part := strings.ToLower(q.Query)
	out := page{wire.WordPage{Items: []string{}}}
	for _, w := range rows {
		if !strings.Contains(strings.ToLower(w.Word), part) {
			continue
		}
		out.Total++
		switch {
		case w.Word <= q.Cursor, q.Cursor == "" && out.Total <= q.Skip:
		case len(out.Items) < most:
			out.Items = append(out.Items, w.Word)
			out.put(sqlite.Word{Text: w.Word, Category: w.Category, Action: w.Action})
		case out.Next == "":
			out.Next = out.Items[most-1]
		}
	}
	return out.WordPage, nil
}

func (a *API) exportWords(c *call) (any, error) {
	l, err := a.findList(c)
	if err != nil {
		return nil, err
	}
	q, err := query[wire.WordExportQuery](c)
	if err != nil {
		return nil, err
	}
	if q.Format != "" && q.Format != "text" && q.Format != "csv" {
		return nil, invalid("format", fmt.Sprintf("%q is not a format.", q.Format), "text or csv")
	}
	var rows []filter.Row
	name := l.row.Name
	if l.file != "" {
		name = filepath.Base(l.file)
		rows, err = fileRows(l.file)
	} else {
		rows, err = a.listRows(c.ctx(), l.row)
	}
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := filter.SaveWords(&buf, rows, q.Format == "csv"); err != nil {
		return nil, err
	}
	typ, ending := "text/plain; charset=utf-8", ".txt"
	if q.Format == "csv" {
		typ, ending = "text/csv; charset=utf-8", ".csv"
	}
	w := bufio.NewWriter(c.file(typ, strings.TrimSuffix(strings.TrimSuffix(name, ".txt"), ".csv")+ending))
	w.Write(buf.Bytes())
	return nil, w.Flush()
}

// listRows are the entries of a list with what holds for each.
func (a *API) listRows(ctx context.Context, l sqlite.WordList) ([]filter.Row, error) {
	words, err := a.DB.Filters().WordRows(ctx, l.ID, "", 0, 0)
	rows := make([]filter.Row, len(words))
	for i, w := range words {
		rows[i] = filter.Row{Word: w.Text, Category: cmp.Or(w.Category, l.Category), Action: cmp.Or(w.Action, l.Action)}
	}
	return rows, err
}
