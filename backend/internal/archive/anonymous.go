package archive

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// Dictionaries are kept for ever, and a deletion that a visitor asks for cannot
// reach into them. So they are not made of conversations but of what several
// conversations have in common: a message enters only when its wording, all
// digits drawn anew, occurred in commonFrom different conversations; of other
// messages only short pieces, of words that occurred side by side in as many,
// mixed up among all of them. Ids are drawn anew; what filters met and prompts
// that were kept are left out.
const (
	commonFrom = 3
	// pieceWords bounds a piece of a rare message, in words; pieceRunes in
	// characters of languages that put no blanks between words.
	pieceWords = 3
	pieceRunes = 4
)

// common is what conversations have in common.
type common struct {
	r     *rand.Rand
	forms map[string]seen // wordings
	words map[string]seen // words, and pairs of neighbours with a zero byte between
	rare  []string        // pieces of rare messages, mixed up
	next  int             // of them
}

// seen counts different conversations.
type seen struct{ last, n int }

func note(m map[string]seen, key string, conversation int) {
	if s := m[key]; s.n == 0 || s.last != conversation {
		m[key] = seen{conversation, s.n + 1}
	}
}

// anonymous makes conversations of the same shape out of what the given ones
// have in common.
func anonymous(samples [][]chat.Message) [][]chat.Message {
	c := &common{r: rand.New(rand.NewPCG(uint64(len(samples)), 0x9e3779b97f4a7c15)), forms: map[string]seen{}, words: map[string]seen{}}
	for i, msgs := range samples {
		for j := range msgs {
			note(c.forms, form(msgs[j].Text), i)
			was := ""
			for _, w := range wordsOf(msgs[j].Text) {
				w = form(w)
				note(c.words, w, i)
				if was != "" {
					note(c.words, was+"\x00"+w, i)
				}
				was = w
			}
		}
	}
	for _, msgs := range samples {
		for j := range msgs {
			if c.forms[form(msgs[j].Text)].n < commonFrom {
				c.rare = append(c.rare, c.pieces(msgs[j].Text)...)
			}
		}
	}
	c.r.Shuffle(len(c.rare), func(i, j int) { c.rare[i], c.rare[j] = c.rare[j], c.rare[i] })
	out := make([][]chat.Message, len(samples))
	for i, msgs := range samples {
		out[i] = c.conversation(msgs)
	}
	return out
}

// conversation is one of the same shape.
func (c *common) conversation(msgs []chat.Message) []chat.Message {
	out := make([]chat.Message, len(msgs))
	page, count := c.r.Uint32(), c.r.Uint32()>>1
	for i := range msgs {
		m := msgs[i]
		if i == 0 {
			page = c.r.Uint32()
		}
		if c.forms[form(m.Text)].n >= commonFrom {
			m.Text = c.redraw(m.Text)
		} else {
			m.Text = c.patchwork(len(m.Text))
		}
		if m.ClientID != "" {
			m.ClientID = c.id(m.ClientID, page, count)
			count++
		}
		if m.Turn != nil {
			t := *m.Turn
			t.Hits, t.PromptTrace = nil, ""
			m.Turn = &t
		}
		m.Sources = nil
		out[i] = m
	}
	if len(out) > 0 { // the hour says enough of when somebody wrote
		back := out[0].At.Sub(out[0].At.Truncate(time.Hour))
		for i := range out {
			out[i].At = out[i].At.Add(-back)
		}
	}
	return out
}

// id is another of the same form; one of a form that is not known is dropped.
func (c *common) id(id string, page, count uint32) string {
	if a, b, ok := strings.Cut(id, "-"); ok && digits(a) && digits(b) {
		return fmt.Sprintf("%d-%d", page, count)
	}
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(c.r.Uint32())
	}
	switch {
	case len(id) == 32 && decodeHex(&raw, id):
		return fmt.Sprintf("%016x%016x", c.r.Uint64(), c.r.Uint64())
	case len(id) == 36 && decodeUUID(&raw, id):
		for i := range raw {
			raw[i] = byte(c.r.Uint32())
		}
		return encodeUUID(raw[:])
	}
	return ""
}

func digits(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// patchwork makes a text of about n bytes out of pieces, so that its tokens
// still go with its length. When all pieces are used they come once more.
func (c *common) patchwork(n int) string {
	var b strings.Builder
	for b.Len() < n && len(c.rare) > 0 {
		p := c.rare[c.next%len(c.rare)]
		c.next++
		if b.Len() > 0 && !wide(p) {
			b.WriteByte(' ')
		}
		b.WriteString(p)
	}
	return strings.ToValidUTF8(b.String()[:min(n, b.Len())], "")
}

// pieces cuts a rare message into short runs of words that are common side by
// side.
func (c *common) pieces(text string) []string {
	var out []string
	var piece []string
	flush := func() {
		if len(piece) > 0 {
			sep := " "
			if wide(piece[0]) {
				sep = ""
			}
			out = append(out, c.redraw(strings.Join(piece, sep)))
			piece = nil
		}
	}
	was := ""
	for _, w := range wordsOf(text) {
		f := form(w)
		most := pieceWords
		if wide(w) {
			most = pieceRunes
		}
		if len(piece) >= most || was == "" || c.words[was+"\x00"+f].n < commonFrom {
			flush()
		}
		was = f
		if c.words[f].n < commonFrom {
			flush()
			was = ""
			continue
		}
		piece = append(piece, w)
	}
	flush()
	return out
}

// wordsOf splits at blanks; where there are none between words, every character
// is one.
func wordsOf(text string) []string {
	var out []string
	for _, w := range strings.Fields(text) {
		from := 0
		for i, r := range w {
			if !wideRune(r) {
				continue
			}
			if i > from {
				out = append(out, w[from:i])
			}
			from = i + utf8.RuneLen(r)
			out = append(out, w[i:from])
		}
		if from < len(w) {
			out = append(out, w[from:])
		}
	}
	return out
}

func wideRune(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef
}

func wide(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return wideRune(r)
}

// form is a text with every run of digits taken for one sign.
func form(text string) string {
	var b strings.Builder
	was := false
	for i := 0; i < len(text); i++ {
		digit := text[i] >= '0' && text[i] <= '9'
		if digit && was {
			continue
		}
		if was = digit; digit {
			b.WriteByte('0')
		} else {
			b.WriteByte(text[i])
		}
	}
	return b.String()
}

// redraw draws all digits of a text anew; none becomes a leading zero.
func (c *common) redraw(text string) string {
	out := []byte(text)
	for i, ch := range out {
		if ch < '0' || ch > '9' {
			continue
		}
		if ch == '0' || i > 0 && out[i-1] >= '0' && out[i-1] <= '9' {
			out[i] = byte('0' + c.r.IntN(10))
		} else {
			out[i] = byte('1' + c.r.IntN(9))
		}
	}
	return string(out)
}
