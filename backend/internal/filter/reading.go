package filter

import (
	"slices"
	"strings"
	"unicode"

	"haoke/backend/internal/filter/fold"
)

// Reading is how a layer read a match.
type Reading struct {
	Normalised string
	// Steps names what was undone to read it so, in the order of Steps below;
	// empty: it was written plainly.
	Steps []string
}

// The steps of normalisation.
const (
	StepCase        = "case"
	StepWidth       = "width" // full and half width
	StepForm        = "form"  // circled, squared, mathematical and other compatibility forms
	StepAccents     = "accents"
	StepMarks       = "marks"     // combining marks
	StepInvisible   = "invisible" // zero-width and direction marks
	StepSeparators  = "separators"
	StepRepeats     = "repeats"
	StepDigits      = "digits"  // digits for letters
	StepSymbols     = "symbols" // symbols for letters
	StepLookAlikes  = "look-alikes"
	StepTraditional = "traditional"
	StepPinyin      = "pinyin"
)

var stepOrder = []string{
	StepCase, StepWidth, StepForm, StepAccents, StepMarks, StepInvisible, StepSeparators, StepRepeats, StepDigits, StepSymbols,
	StepLookAlikes, StepTraditional, StepPinyin,
}

// readWord says how match was read to be the entry.
func readWord(match, entry string) Reading {
	t := fold.Default()
	want := t.String(entry)
	seen := map[string]bool{}
	letters := 0
	for _, r := range match {
		k, f, more := t.Fold(r)
		switch {
		case k == fold.Skip && unicode.In(r, unicode.Mn, unicode.Me) && (r < 0xFE00 || r > 0xFE0F):
			seen[StepMarks] = true
		case k == fold.Skip:
			seen[StepInvisible] = true
		case k != fold.Letter:
			seen[separatorStep(r, want)] = true
		default:
			letters += 1 + len([]rune(more))
			if step := letterStep(t, r, f, more, want); step != "" {
				seen[step] = true
			}
		}
	}
	delete(seen, "")
	if n := count(want, func(r rune) bool { return r != ' ' }); letters > n && !seen[StepPinyin] {
		seen[StepRepeats] = true
	}
	return Reading{Normalised: want, Steps: inOrder(seen)}
}

// separatorStep tells what a symbol within a match stood for: a letter, or
// nothing; "" when the entry has it itself.
func separatorStep(r rune, want string) string {
	if strings.ContainsRune("@$!|+€¢", r) {
		return StepSymbols
	}
	if unicode.IsSpace(r) && strings.Contains(want, " ") {
		return ""
	}
	return StepSeparators
}

// letterStep names the step that made f of r, "" when they are the same.
func letterStep(t *fold.Table, r, f rune, more, want string) string {
	han := unicode.Is(unicode.Han, r)
	switch {
	case '0' <= f && f <= '9' && !strings.ContainsRune(want, f):
		return StepDigits
	case t.Foreign(r):
		return StepLookAlikes
	case !han && fold.Alphabetic(f) && !strings.ContainsRune(want, f) && strings.IndexFunc(want, func(w rune) bool { return unicode.Is(unicode.Han, w) }) >= 0:
		return StepPinyin
	case r == f && more == "":
		return ""
	case han:
		return StepTraditional
	case fold.Width(r) != r:
		return StepWidth
	case more == "" && unicode.ToLower(r) == f:
		return StepCase
	case unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) && more == "" && (r < 0x1D00 || r >= 0x1E00) && r < 0x2000:
		return StepAccents
	}
	return StepForm
}

// readLight says how match was read by the patterns layer.
func readLight(match string) Reading {
	var b strings.Builder
	seen := map[string]bool{}
	for _, r := range match {
		switch w := fold.Width(r); {
		case fold.Invisible(r):
			seen[StepInvisible] = true
			continue
		case w != r:
			seen[StepWidth] = true
			b.WriteRune(w)
		default:
			b.WriteRune(r)
		}
	}
	return Reading{Normalised: b.String(), Steps: inOrder(seen)}
}

func inOrder(seen map[string]bool) []string {
	return slices.DeleteFunc(slices.Clone(stepOrder), func(s string) bool { return !seen[s] })
}

func count(s string, f func(rune) bool) (n int) {
	for _, r := range s {
		if f(r) {
			n++
		}
	}
	return n
}
