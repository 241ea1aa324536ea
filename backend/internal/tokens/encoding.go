package tokens

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
)

// encoding is a vocabulary by number, so that lookups need no map.
type encoding uint8

const (
	o200k encoding = iota
	cl100k
	estimated // no vocabulary known
)

var encodingNames = [...]string{o200k: "o200k_base", cl100k: "cl100k_base"}

// The splitting patterns are those of OpenAI's tiktoken (MIT), openai_public.py.
var encodingPatterns = [...]string{
	o200k: strings.Join([]string{
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?`,
		`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?`,
		`\p{N}{1,3}`,
		` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
		`\s*[\r\n]+`,
		`\s+(?!\S)`,
		`\s+`,
	}, "|"),
	cl100k: `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
}

// families maps the beginnings of model names to vocabularies; the first that
// fits wins, so longer beginnings stand before shorter ones.
var families = []struct {
	prefix string
	enc    encoding
}{
	{"gpt-4o", o200k}, {"gpt-4.1", o200k}, {"gpt-4.5", o200k}, {"gpt-5", o200k}, {"gpt-oss", o200k},
	{"chatgpt-4o", o200k}, {"o1", o200k}, {"o3", o200k}, {"o4", o200k},
	{"gpt-4", cl100k}, {"gpt-3.5", cl100k}, {"gpt-35", cl100k}, // gpt-35: Azure's spelling
}

// encodingOf finds the vocabulary of a model. A maker's name in front, as
// routers write it ("openai/gpt-4o-mini"), is ignored.
func encodingOf(model string) encoding {
	if i := strings.LastIndexByte(model, '/'); i >= 0 {
		model = model[i+1:]
	}
	for _, f := range families {
		if len(model) >= len(f.prefix) && strings.EqualFold(model[:len(f.prefix)], f.prefix) {
			return f.enc
		}
	}
	return estimated
}

// bpe is one loaded vocabulary.
type bpe struct {
	e     encoding
	ranks *table
	split func() (*regexp2.Regexp, error) // compiled at its first use
}

func newBPE(e encoding) (*bpe, error) {
	name := encodingNames[e]
	ranks, err := unpack(name)
	if err != nil {
		return nil, fmt.Errorf("vocabulary %s: %w", name, err)
	}
	return &bpe{e, ranks, sync.OnceValues(func() (*regexp2.Regexp, error) {
		return regexp2.Compile(encodingPatterns[e], regexp2.None)
	})}, nil
}

// maxRun bounds the bytes that are counted at once. The merge is
// quadratic in the length of a run without separators, so 100 KB of one
// letter, or of Chinese without punctuation, would hold a processor for
// seconds.
const maxRun = 768

// count counts the tokens of text. Longer texts are cut in front of spaces,
// where the splitting pattern cuts as well, so the count stays exact; only a
// run of more than maxRun bytes without a space is cut anywhere, which can add
// a token or two for each cut.
func (b *bpe) count(text string) int {
	if n, ok := quick(b.e, b.ranks, text); ok {
		return n
	}
	return b.exactly(text)
}

// exactly is count with the splitting pattern itself. Special tokens are none
// here: a visitor who writes "<|endoftext|>" writes ordinary text, and providers
// count it as such.
func (b *bpe) exactly(text string) int {
	n := 0
	for len(text) > maxRun {
		cut := cutPoint(text[:min(len(text), maxRun+utf8.UTFMax)])
		n += b.ordinary(text[:cut])
		text = text[cut:]
	}
	return n + b.ordinary(text)
}

// ordinary counts the tokens of one piece after the other.
func (b *bpe) ordinary(text string) int {
	split, err := b.split()
	if err != nil {
		return Estimate(text) // not with the patterns above: a test uses them
	}
	n := 0
	m, err := split.FindStringMatch(text)
	for m != nil && err == nil {
		n += b.tokens(m.String())
		m, err = split.FindNextMatch(m)
	}
	return n
}

// tokens counts the tokens of a piece.
func (b *bpe) tokens(piece string) int {
	if _, known := b.ranks.rank(piece); known || piece == "" {
		return min(len(piece), 1)
	}
	if len(piece) <= maxPiece {
		return merged(b.ranks, piece)
	}
	return mergedIn(b.ranks, piece, make([]uint16, len(piece)+1), make([]int, len(piece)))
}

// cutPoint finds the last place in window in front of a single space between
// two letters, else the last rune border. window is longer than maxRun-1.
func cutPoint(window string) int {
	for i := maxRun; i > maxRun/4; i-- {
		if window[i] != ' ' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(window[:i])
		after, _ := utf8.DecodeRuneInString(window[i+1:])
		if unicode.IsLetter(before) && unicode.IsLetter(after) {
			return i
		}
	}
	i := maxRun
	for i > maxRun-utf8.UTFMax && !utf8.RuneStart(window[i]) {
		i--
	}
	return i
}
