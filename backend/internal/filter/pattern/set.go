// Package pattern runs many regular expressions over a text at little more
// than the cost of reading it, whole or in pieces as it streams in.
//
// All expressions together drive one lazily built automaton that ignores what
// it cannot know early (word boundaries and the like). It tells two things
// exactly enough: which stretches of the text could hold a match at all, and,
// at the end of a piece, from where on the text could still become one. Only
// within such a stretch do the expressions themselves run.
//
// Patterns see full-width letters and digits as ASCII, and invisible
// characters not at all.
package pattern

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"sync"
	"unicode/utf8"

	"haoke/backend/internal/filter/fold"
)

// Limits of a set.
const (
	// MaxExpr is the longest expression, in bytes.
	MaxExpr = 1000
	// MaxInst bounds the compiled size of one expression.
	MaxInst = 3000
	// MaxPatterns is how many expressions a set may have.
	MaxPatterns = 1000
	// MaxTotal bounds the compiled size of a set.
	MaxTotal = 40_000
	// DefaultWindow is how far, in bytes, a match may reach, and so how much
	// a stream may hold back.
	DefaultWindow = 512
)

// Spec is one pattern. With Find set, Expr only says where Find is worth
// running: it must match, at least in part, wherever Find would.
type Spec struct {
	Name string
	Expr string
	// Find reports every match in text through hit. text has the light
	// normalisation of patterns and begins and ends where no match can reach
	// across; from is where matches may begin (what is before is context).
	Find func(text string, from int, hit func(start, end int))
}

// Error is what is wrong with a pattern, in words for its author.
type Error struct {
	Pattern string
	Reason  string
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("pattern %q: %s", e.Pattern, e.Reason) }

// Match is one occurrence: the index of its Spec and byte offsets into the
// text that was scanned.
type Match struct {
	Pattern    int
	Start, End int
}

// Set is a compiled set of patterns. It is safe for concurrent use.
type Set struct {
	specs  []Spec
	res    []*regexp.Regexp // nil where Find is set
	window int

	class [1 << 16]uint16 // light fold and class in one step; classSkip: invisible
	cuts  []rune          // first rune of each class
	insts []inst          // all programs, one behind the other
	start []uint32        // instructions from which every match begins

	root *state
	mu   sync.Mutex
	memo map[string]*state // the current generation of states
}

const classSkip = 0xFFFF

// inst is one instruction of the joined programs.
type inst struct {
	op       syntax.InstOp
	out, arg uint32
	in       *syntax.Inst
	pattern  int32
}

// Compile checks and compiles patterns; window bounds the reach of a match in
// bytes, 0: DefaultWindow. The error is an *Error that names the pattern.
func Compile(specs []Spec, window int) (*Set, error) {
	if len(specs) > MaxPatterns {
		return nil, fmt.Errorf("%d patterns: at most %d are allowed", len(specs), MaxPatterns)
	}
	if window <= 0 {
		window = DefaultWindow
	}
	s := &Set{specs: slices.Clone(specs), window: window, memo: map[string]*state{}}
	for i, sp := range specs {
		prog, err := check(sp)
		if err != nil {
			return nil, err
		}
		var re *regexp.Regexp
		if sp.Find == nil {
			if re, err = regexp.Compile(sp.Expr); err != nil {
				return nil, &Error{sp.Name, err.Error()}
			}
		}
		s.res = append(s.res, re)
		s.add(int32(i), prog)
		if len(s.insts) > MaxTotal {
			return nil, &Error{sp.Name, "the patterns together are too large: shorten repetitions like {1,500} or remove some"}
		}
	}
	s.classes()
	s.root = s.newState(s.closure(nil, s.start))
	s.memo[s.root.key()] = s.root
	return s, nil
}

// Check tells whether one pattern would be accepted; nil or an *Error.
func Check(sp Spec) error {
	_, err := check(sp)
	return err
}

func check(sp Spec) (*syntax.Prog, error) {
	if sp.Expr == "" {
		return nil, &Error{sp.Name, "is empty"}
	}
	if len(sp.Expr) > MaxExpr {
		return nil, &Error{sp.Name, fmt.Sprintf("is %d bytes long, at most %d are allowed", len(sp.Expr), MaxExpr)}
	}
	if !utf8.ValidString(sp.Expr) {
		return nil, &Error{sp.Name, "is not valid UTF-8"}
	}
	re, err := syntax.Parse(sp.Expr, syntax.Perl)
	if err != nil {
		return nil, &Error{sp.Name, explain(err)}
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, &Error{sp.Name, err.Error()}
	}
	if len(prog.Inst) > MaxInst {
		return nil, &Error{sp.Name, fmt.Sprintf("compiles to %d steps, at most %d are allowed: shorten repetitions like {1,500}", len(prog.Inst), MaxInst)}
	}
	std, err := regexp.Compile(sp.Expr)
	if err != nil {
		return nil, &Error{sp.Name, err.Error()}
	}
	if std.MatchString("") {
		return nil, &Error{sp.Name, "matches the empty text, so it would match everywhere"}
	}
	return prog, nil
}

// explain says what is wrong in the author's words where the library's are
// not enough.
func explain(err error) string {
	var se *syntax.Error
	if !errors.As(err, &se) {
		return err.Error()
	}
	switch se.Code {
	case syntax.ErrInvalidPerlOp:
		return fmt.Sprintf("%s is not supported: look-ahead, look-behind and back-references would make matching slow without bound", se.Expr)
	case syntax.ErrInvalidEscape:
		return fmt.Sprintf("%s is not a known escape (back-references are not supported)", se.Expr)
	case syntax.ErrInvalidRepeatSize, syntax.ErrLarge:
		return fmt.Sprintf("the repetition %s is too large (at most 1000)", se.Expr)
	}
	return fmt.Sprintf("%s: %q", se.Code, se.Expr)
}

// Len is the number of patterns.
func (s *Set) Len() int { return len(s.specs) }

// Spec returns the pattern with number i.
func (s *Set) Spec(i int) Spec { return s.specs[i] }

// add appends one program.
func (s *Set) add(pattern int32, prog *syntax.Prog) {
	off := uint32(len(s.insts))
	for i := range prog.Inst {
		in := &prog.Inst[i]
		ni := inst{op: in.Op, out: in.Out + off, in: in, pattern: pattern}
		if in.Op == syntax.InstAlt || in.Op == syntax.InstAltMatch {
			ni.arg = in.Arg + off
		}
		s.insts = append(s.insts, ni)
	}
	s.start = append(s.start, uint32(prog.Start)+off)
}

// classes splits the runes into classes that no instruction tells apart.
func (s *Set) classes() {
	s.cuts = boundaries(s.insts)
	for r := rune(0); r < 1<<16; r++ {
		s.class[r] = s.classify(r)
	}
}

func (s *Set) classify(r rune) uint16 {
	if fold.Invisible(r) {
		return classSkip
	}
	i, ok := slices.BinarySearch(s.cuts, fold.Width(r))
	if !ok {
		i--
	}
	return uint16(i)
}

func (s *Set) classOf(r rune) uint16 {
	if uint32(r) < 1<<16 {
		return s.class[r]
	}
	return s.classify(r)
}
