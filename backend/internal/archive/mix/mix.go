// Package mix compresses conversations by context mixing: every bit of a text
// is predicted by several models that look at different pasts, their opinions
// are weighed by what has held so far, and an arithmetic coder writes only the
// surprise. Everything else of a message (who, when, ids, how an answer was
// made) is told from what came before as far as it can be, and the rest is
// coded by adaptive chances of its own column. Primed with conversations of the
// same shop it comes close to what was really random in one: about a third of
// what zstd with a trained dictionary makes of it, at about 4 microseconds a
// byte of text, which a conversation of some kilobytes can afford.
//
// The models are those of the public lpaq and paq8 programs, reduced to what
// talk profits from, and two of our own: the message so far and the latest
// words, both with all digits taken for one sign, so that a sentence is
// recognised again behind an order number. All arithmetic is on integers, so
// that every platform reads what another wrote. Tables and constants are part
// of the format: changing any of them needs a new name of the codec.
package mix

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"sync"
	"time"

	"haoke/backend/internal/chat"
)

// Bounds of what is compressed in one piece: the price is about 3 microseconds
// a byte of text, both ways.
const (
	MaxText     = 48 << 10 // bytes of all texts
	MaxMessages = 4096
	// MaxPriming bounds the texts that a model is primed with, in bytes.
	MaxPriming = 192 << 10
)

// ErrCorrupt: the data is not what Compress made with this priming.
var ErrCorrupt = errors.New("the compressed conversation is damaged")

// ErrTooLarge: the conversation is larger than this codec takes.
var ErrTooLarge = errors.New("the conversation is too large for this codec")

// Codec compresses conversations with a model primed with others of their
// kind. It is safe for concurrent use, one call at a time.
type Codec struct {
	mu    sync.Mutex
	m     *model
	clean small
	lists lists
	past  int
	name  uint32 // of the priming, part of every check
}

// New returns a Codec primed with conversations, the latest last. The same ones
// must be given to read what it wrote; name, which goes into every check, tells
// one priming from another, for example by its checksum.
func New(name uint32, priming [][]chat.Message) *Codec {
	c := &Codec{m: newModel(), name: name}
	c.m.lists = newLists()
	for _, msgs := range priming {
		c.m.c = coder{}
		c.m.talk(msgs)
	}
	c.clean, c.lists, c.past = c.m.small, c.m.lists, len(c.m.past)
	c.m.keep = true
	return c
}

// logKept is the capacity of the journal that is kept from one conversation to
// the next, in entries of 8 bytes; a long one takes twenty times as many.
const logKept = 1 << 19

// begin brings the model back to where priming left it.
func (c *Codec) begin(with coder) *model {
	m := c.m
	for i := len(m.log) - 1; i >= 0; i-- {
		m.slots[m.log[i].at] = m.log[i].was
	}
	for i := len(m.moved) - 1; i >= 0; i-- {
		m.last[m.moved[i].at] = uint32(m.moved[i].was)
	}
	m.log, m.moved = m.log[:0], m.moved[:0]
	if cap(m.log) > logKept {
		m.log = nil
	}
	m.past, m.lists = m.past[:c.past], c.lists.clone()
	m.small = c.clean
	m.matched, m.bad, m.c, m.size = 0, false, with, 0
	return m
}

// Fits reports whether Compress takes the conversation.
func Fits(msgs []chat.Message) bool {
	size := 0
	for i := range msgs {
		size += len(msgs[i].Text)
	}
	return size <= MaxText && len(msgs) <= MaxMessages
}

// Compress returns the compressed form: a check of 16 bits and the code.
func (c *Codec) Compress(msgs []chat.Message) ([]byte, error) {
	if !Fits(msgs) {
		return nil, fmt.Errorf("compress: %w", ErrTooLarge)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.begin(newWriter())
	m.talk(msgs)
	code := m.c.finish()
	return append(binary.LittleEndian.AppendUint16(make([]byte, 0, len(code)+2), c.check(code)), code...), nil
}

func (c *Codec) check(code []byte) uint16 {
	return uint16(crc32.Update(c.name, crc32.IEEETable, code))
}

// Expand is the reverse of Compress. Its error wraps ErrCorrupt.
func (c *Codec) Expand(data []byte) ([]chat.Message, error) {
	if len(data) < 2 || binary.LittleEndian.Uint16(data) != c.check(data[2:]) {
		return nil, ErrCorrupt
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.begin(newReader(data[2:]))
	msgs := m.talk(nil)
	if m.over() {
		return nil, fmt.Errorf("it ends early: %w", ErrCorrupt)
	}
	return msgs, nil
}

// over reports that reading makes no sense any more.
func (m *model) over() bool { return m.bad || m.c.over() || m.size > m.most }

// authors: their numbers come first among the kinds of texts.
const authors = 4

var froms = [authors]chat.From{chat.FromVisitor, chat.FromAI, chat.FromOperator, chat.FromSystem}

// finishes by code; code 7 stands for another one.
var finishes = [7]chat.Finish{"", chat.FinishStop, chat.FinishLength, chat.FinishBlocked, chat.FinishStopped, chat.FinishError, ""}

const (
	finishOther = 7
	hasID       = 1 << 3
	hasTurn     = 1 << 4
	hasMore     = 1 << 5
)

// talk codes a conversation.
func (m *model) talk(msgs []chat.Message) []chat.Message {
	f := &m.figures
	n := m.number(&f.cols[colCount], uint64(len(msgs)))
	if n == 0 || n > MaxMessages {
		m.bad = m.bad || n > 0
		return msgs[:0]
	}
	reads := m.c.mode == reading
	var first, begun int64
	if reads {
		msgs = nil
	} else {
		first, begun = msgs[0].Seq, msgs[0].At.UnixMilli()
		m.priced = prices(msgs)
	}
	first = m.signed(&f.cols[colFirst], first)
	begun = f.begun + m.signed(&f.cols[colBegin], begun-f.begun)
	f.begun = begun
	s := state{at: begun}
	for i := range int64(n) {
		var msg chat.Message
		if !reads {
			msg = msgs[i]
		}
		msg.Seq = first + i
		m.message(&msg, &s, i == 0)
		if m.over() {
			return nil
		}
		if reads {
			msgs = append(msgs, msg)
		}
	}
	return msgs
}

// state is what one message leaves for the next.
type state struct {
	at    int64 // ms
	who   uint64
	last  chat.TurnInfo
	asked [2]int64
}

func (m *model) message(msg *chat.Message, s *state, first bool) {
	f := &m.figures
	reads := m.c.mode == reading
	author, kind := uint64(0), uint64(0)
	if !reads {
		author, kind = uint64(index(froms[:], msg.From)), kindOf(msg)
	}
	author = m.tree(f.who[s.who&15*4:][:4], 2, author)
	s.who = s.who<<2 | author
	kind = m.tree(f.kinds[author][:], 6, kind)
	msg.From = froms[author]
	if code := kind & 7; code != finishOther {
		msg.Finish = finishes[code]
	}
	msg.Text = m.text(uint32(author), msg.Text)
	if kind&hasID != 0 {
		msg.ClientID = m.id(msg.ClientID)
	}
	said := weigh(msg.Text)
	due := int64(0)
	if kind&hasTurn != 0 {
		t := chat.TurnInfo{}
		if !reads {
			t = *msg.Turn
		}
		m.turn(&t, &s.last, s.asked, said)
		due, s.last, s.asked = t.TotalUS/1000, t, [2]int64{}
		msg.Turn = &t
	} else {
		s.asked[0] += said[0]
		s.asked[1] += said[1]
	}
	if kind&hasMore != 0 {
		m.more(msg, kind&7 == finishOther)
	}
	if !first {
		s.at += due + m.signed(&f.cols[colVisitor+int(author)], msg.At.UnixMilli()-s.at-due)
	}
	msg.At = time.UnixMilli(s.at).UTC()
}

func kindOf(msg *chat.Message) uint64 {
	kind := uint64(finishOther)
	for i, name := range finishes[:len(finishes)-1] {
		if name == msg.Finish {
			kind = uint64(i)
		}
	}
	if msg.ClientID != "" {
		kind |= hasID
	}
	if msg.Turn != nil {
		kind |= hasTurn
	}
	if kind&7 == finishOther || msg.Author != "" || msg.Mark != "" || len(msg.Sources) > 0 || msg.Turn != nil && (len(msg.Turn.Hits) > 0 || msg.Turn.PromptTrace != "") {
		kind |= hasMore
	}
	return kind
}

// rare are the fields of a message that few have and that have no fixed form.
type rare struct {
	Sources []chat.Source `json:"s,omitempty"`
	Hits    []chat.Hit    `json:"h,omitempty"`
	Trace   string        `json:"t,omitempty"`
}

func (m *model) more(msg *chat.Message, finish bool) {
	if finish {
		msg.Finish = chat.Finish(m.name(pickFinish, string(msg.Finish)))
	}
	msg.Author = m.name(pickAuthor, msg.Author)
	msg.Mark = m.name(pickMark, msg.Mark)
	var r rare
	var text string
	if m.c.mode != reading {
		r.Sources = msg.Sources
		if t := msg.Turn; t != nil {
			r.Hits, r.Trace = t.Hits, t.PromptTrace
		}
		if len(r.Sources)+len(r.Hits)+len(r.Trace) > 0 {
			b, err := json.Marshal(r)
			m.bad = m.bad || err != nil
			text = string(b)
		}
	}
	if text = m.name(pickSources, text); text == "" || m.c.mode != reading {
		return
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		m.bad = true
		return
	}
	msg.Sources = r.Sources
	if msg.Turn != nil {
		msg.Turn.Hits, msg.Turn.PromptTrace = r.Hits, r.Trace
	}
}

// text codes a text, ended by a zero byte; a zero byte within it is marked.
func (m *model) text(author uint32, s string) string {
	m.start(author)
	if m.c.mode != reading {
		for i := 0; i < len(s); i++ {
			m.byte(s[i])
			if s[i] == 0 {
				m.flag(&m.figures.ending, 1)
			}
		}
		m.byte(0)
		m.flag(&m.figures.ending, 0)
		return s
	}
	var b strings.Builder
	for !m.over() {
		c := m.byte(0)
		if c == 0 && m.flag(&m.figures.ending, 0) == 0 {
			break
		}
		b.WriteByte(c)
		m.size++
	}
	return b.String()
}

// prices finds the prices of a prompt's and an answer's token, in billionths,
// from two turns that tell them apart.
func prices(msgs []chat.Message) (pair [2]int64) {
	const most = 1 << 30 // keeps the products within 64 bits
	var a *chat.TurnInfo
	for i := range msgs {
		b := msgs[i].Turn
		if b == nil {
			continue
		}
		if a != nil {
			p1, c1, p2, c2 := int64(a.Prompt), int64(a.Completion), int64(b.Prompt), int64(b.Completion)
			n1, _ := nano(a.Cost)
			n2, _ := nano(b.Cost)
			det := p1*c2 - p2*c1
			if max(p1, c1, p2, c2, n1, n2) < most && min(p1, c1, p2, c2) >= 0 && det != 0 {
				x, y := n1*c2-n2*c1, p1*n2-p2*n1
				if x%det == 0 && y%det == 0 && x/det >= 0 && y/det >= 0 {
					return [2]int64{x / det, y / det}
				}
			}
		}
		a = b
	}
	return pair
}
