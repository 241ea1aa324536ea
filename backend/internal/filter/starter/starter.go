// Package starter holds small word lists to begin with. They were written for
// this project and are under its licence; nothing was taken from lists of
// unknown origin.
package starter

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"haoke/backend/internal/chat"
)

//go:embed lists/*.txt
var files embed.FS

// List is one starter list.
type List struct {
	Name     string // stable, for example "gambling-zh"
	Language string // "en" or "zh"
	Category string
	Action   chat.Action // what is advised in visitors' messages
	Title    string      // for the owner, in the list's language
	Entries  []string
}

// Lists returns all starter lists in the order of their names. The first lines
// of each file are its head: "# key: value".
func Lists() ([]List, error) {
	names, err := files.ReadDir("lists")
	if err != nil {
		return nil, fmt.Errorf("read starter lists: %w", err)
	}
	var out []List
	for _, e := range names {
		data, err := files.ReadFile(path.Join("lists", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("read starter list: %w", err)
		}
		l, err := parse(strings.TrimSuffix(e.Name(), ".txt"), string(data))
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

func parse(name, data string) (List, error) {
	l := List{Name: name}
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		head, isHead := strings.CutPrefix(line, "#")
		switch key, value, ok := strings.Cut(head, ":"); {
		case line == "":
		case !isHead:
			l.Entries = append(l.Entries, line)
		case !ok:
			return List{}, fmt.Errorf("starter list %s: bad head %q", name, line)
		default:
			if err := l.set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
				return List{}, fmt.Errorf("starter list %s: %w", name, err)
			}
		}
	}
	return l, nil
}

func (l *List) set(key, value string) error {
	switch key {
	case "title":
		l.Title = value
	case "language":
		l.Language = value
	case "category":
		l.Category = value
	case "action":
		l.Action = chat.Action(value)
	default:
		return fmt.Errorf("unknown key %q", key)
	}
	return nil
}
