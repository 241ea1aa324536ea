package terms

import (
	_ "embed"
	"strings"
	"unicode/utf8"
)

//go:embed shop.txt
var shop string

// Lexicon knows which words mean the same. It is immutable and safe for
// concurrent use.
type Lexicon struct {
	words   map[string]string // stems joined by a space -> concept
	han     map[string]string // Han word -> concept
	longest int               // longest Han word, in runes
}

// maxWords is the longest English expression of the lexicon, in words.
const maxWords = 4

// Shop builds the lexicon of a shop's everyday words. It takes about a
// millisecond; keep the result.
func Shop() *Lexicon {
	l := &Lexicon{words: make(map[string]string), han: make(map[string]string)}
	for line := range strings.Lines(shop) {
		concept, list, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || strings.HasPrefix(concept, "#") {
			continue
		}
		for w := range strings.SplitSeq(list, ",") {
			l.add(strings.TrimSpace(concept), Normalize(strings.TrimSpace(w)))
		}
	}
	return l
}

func (l *Lexicon) add(concept, word string) {
	if word == "" {
		return
	}
	if r, _ := utf8.DecodeRuneInString(word); Wide(r) {
		l.han[word] = concept
		l.longest = max(l.longest, utf8.RuneCountInString(word))
		return
	}
	var stems []string
	for _, t := range Split(word) {
		stems = append(stems, Stem(t.Text))
	}
	l.words[strings.Join(stems, " ")] = concept
}

// Features is what a text is about: concepts of the lexicon (marked by a
// leading "@") and the terms of everything the lexicon does not know.
func (l *Lexicon) Features(text string) []string {
	toks := Split(Normalize(text))
	out := make([]string, 0, len(toks)+4)
	for i := 0; i < len(toks); {
		t := toks[i]
		if t.Class == Han {
			out = l.hanFeatures(out, t.Text)
			i++
			continue
		}
		if c, n := l.phrase(toks[i:]); n > 0 {
			if c != ignored {
				out = append(out, c)
			}
			i += n
			continue
		}
		switch {
		case t.Class == Number:
			out = appendIdentifier(out, t.Text)
		case !Stop(t.Text):
			out = append(out, Stem(t.Text))
		}
		i++
	}
	return out
}

// ignored is the concept of words that say nothing ("hello", "请问").
const ignored = "@-"

// phrase finds the longest expression of the lexicon at the beginning of toks.
func (l *Lexicon) phrase(toks []Token) (concept string, n int) {
	var short [96]byte // longer ones take memory
	key := short[:0]
	for i := 0; i < len(toks) && i < maxWords && toks[i].Class != Han; i++ {
		if i > 0 {
			key = append(key, ' ')
		}
		key = append(key, Stem(toks[i].Text)...)
		if c, ok := l.words[string(key)]; ok {
			concept, n = "@"+c, i+1
		}
	}
	return concept, n
}

// hanFeatures cuts a run by the longest known words; what lies between gives
// its pairs of characters.
func (l *Lexicon) hanFeatures(out []string, run string) []string {
	rest := 0 // start of the unknown stretch
	for i := 0; i < len(run); {
		c, n := l.hanWord(run[i:])
		if n == 0 {
			_, w := utf8.DecodeRuneInString(run[i:])
			i += w
			continue
		}
		out = appendUnknown(out, run[rest:i])
		if c != ignored {
			out = append(out, c)
		}
		i += n
		rest = i
	}
	return appendUnknown(out, run[rest:])
}

func (l *Lexicon) hanWord(s string) (concept string, n int) {
	i := 0
	for k := 0; k < l.longest && i < len(s); k++ {
		_, w := utf8.DecodeRuneInString(s[i:])
		i += w
		if c, ok := l.han[s[:i]]; ok {
			concept, n = "@"+c, i
		}
	}
	return concept, n
}

// appendUnknown adds the pairs of an unknown stretch, or its one character.
func appendUnknown(out []string, s string) []string {
	if s == "" {
		return out
	}
	if r, w := utf8.DecodeRuneInString(s); w == len(s) {
		if stopHan(r) {
			return out
		}
		return append(out, s)
	}
	prev := -1
	for i, r := range s {
		w := utf8.RuneLen(r)
		if prev >= 0 {
			out = append(out, s[prev:i+w])
		}
		prev = i
	}
	return out
}
