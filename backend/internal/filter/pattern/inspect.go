package pattern

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"haoke/backend/internal/filter/fold"
)

// Inspection is what is to be said of an expression while it is typed.
type Inspection struct {
	Err     error  // why it would be refused, an *Error; nil: it is good
	At      int    // byte offset of the fault in the expression; -1: unknown
	Cost    int    // size of the compiled program; MaxInst is the limit
	Literal string // the longest text that every match contains; empty: none
	Open    bool   // matches may be of any length: a stream may hold back up to the window
	Spans   [][2]int
}

// maxSpans bounds Inspection.Spans.
const maxSpans = 200

// Inspect checks expr and tries it on a sample, which may be empty.
func Inspect(expr, sample string) Inspection {
	in := Inspection{At: -1}
	prog, err := check(Spec{Name: "expression", Expr: expr})
	if err != nil {
		in.Err = err
		in.At = faultAt(expr)
		return in
	}
	in.Cost = len(prog.Inst)
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		in.Err = err
		return in
	}
	re = re.Simplify()
	in.Literal, in.Open = literal(re), open(re)
	in.Spans = matches(expr, strings.ToValidUTF8(sample, "\uFFFD"))
	return in
}

// matches runs one expression the way a set does.
func matches(expr, sample string) [][2]int {
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	var st State
	text, back := st.light(sample)
	var out [][2]int
	for _, m := range re.FindAllStringIndex(text, maxSpans) {
		if back != nil {
			m[0], m[1] = int(back[m[0]]), int(back[m[1]])
		}
		out = append(out, [2]int{m[0], m[1]})
	}
	return out
}

// faultAt finds where in expr the parser's complaint is.
func faultAt(expr string) int {
	_, err := syntax.Parse(expr, syntax.Perl)
	var se *syntax.Error
	if !errors.As(err, &se) || se.Expr == "" {
		return -1
	}
	return strings.LastIndex(expr, se.Expr)
}

// literal returns the longest text that every match of re contains.
func literal(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return literal(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return literal(re.Sub[0])
		}
	case syntax.OpConcat:
		best := ""
		for _, s := range re.Sub {
			if l := literal(s); utf8.RuneCountInString(l) > utf8.RuneCountInString(best) {
				best = l
			}
		}
		return best
	}
	return ""
}

// open reports whether re can match texts of any length.
func open(re *syntax.Regexp) bool {
	if re.Op == syntax.OpStar || re.Op == syntax.OpPlus || re.Op == syntax.OpRepeat && re.Max < 0 {
		return true
	}
	for _, s := range re.Sub {
		if open(s) {
			return true
		}
	}
	return false
}

// Plain reports whether text looks to patterns as it is written.
func Plain(text string) bool {
	for _, r := range text {
		if r > unicode.MaxASCII && (fold.Invisible(r) || fold.Width(r) != r) {
			return false
		}
	}
	return true
}
