package settings

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of Store.Set that callers branch on.
var (
	// ErrConflict: the setting changed since the caller read it.
	ErrConflict = errors.New("the setting was changed meanwhile")
	// ErrLocked: config.toml, the environment or a flag sets it.
	ErrLocked = errors.New("the setting is locked")
	// ErrUnknown: there is no setting of that path.
	ErrUnknown = errors.New("there is no such setting")
)

// Problem is one thing wrong with one value of one source.
type Problem struct {
	Source  string // "config.toml" as given, "HAOKE_…", "--flag" or "window"
	Line    int    // 1-based; 0: the source has no lines
	Column  int    // 1-based, in bytes
	Key     string // path of the setting, or of an element: "upstream.keys[0].rpm"
	Value   string // as written; "(hidden)" for secrets; "" when there is none to show
	Message string // what is wrong
	Allowed string // what may stand there
	Suggest string // a value or key that was probably meant
}

// Error implements error in one line: where, key, value, what is wrong, what
// is allowed, what was probably meant.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Source)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key)
		if p.Value != "" {
			b.WriteString(" = " + p.Value)
		}
		b.WriteString(": ")
	}
	b.WriteString(p.Message)
	if p.Allowed != "" {
		b.WriteString("; allowed: " + p.Allowed)
	}
	if p.Suggest != "" {
		fmt.Fprintf(&b, "; did you mean %q?", p.Suggest)
	}
	return b.String()
}

// Error is every problem found in the sources, in order. It maps to exit code 2.
type Error struct {
	Problems []Problem
}

// Error implements error, one problem a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// asError returns nil when there are no problems.
func asError(ps []Problem) error {
	if len(ps) == 0 {
		return nil
	}
	return &Error{Problems: ps}
}
