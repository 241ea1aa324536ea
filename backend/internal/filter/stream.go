package filter

import (
	"fmt"
	"unicode/utf8"
	"unsafe"

	"haoke/backend/internal/chat"
)

// contextBytes is how much text that was emitted already is kept, so that word
// boundaries can be seen.
const contextBytes = 256

// compactAt is the length of emitted text at which it is dropped.
const compactAt = 4096

// Stopped ends a stream: a rule said block or handover.
type Stopped struct {
	Hit chat.Hit
}

// Error implements error; it is for the log, not for visitors.
func (s *Stopped) Error() string {
	return fmt.Sprintf("filter: %s by rule %q", s.Hit.Action, s.Hit.Rule)
}

// Stream filters a text that arrives in pieces. It belongs to one goroutine.
type Stream struct {
	f *Filter
	w *way
	r run
	d decoder

	buf  []byte // decoded text; buf[:sent] was emitted and is context
	sent int
	base int // offset of buf in the whole text

	out     []byte // a token under construction
	scratch []byte
	text    []byte // everything that was emitted, decoded
	hits    []chat.Hit
	action  chat.Action
	stopped *Stopped
}

// NewStream begins a stream. Release gives its memory back.
func (f *Filter) NewStream(dir chat.Direction) *Stream {
	s := f.pool2.Get().(*Stream)
	s.f, s.w = f, f.way(dir)
	s.r.reset(s.w)
	s.r.time(f.cfg.Observer != nil, f.cfg.Now)
	s.d.reset()
	s.buf, s.text, s.hits = s.buf[:0], s.text[:0], nil
	s.sent, s.base, s.action, s.stopped = 0, 0, chat.ActionAllow, nil
	return s
}

// Release returns the stream to its filter. Neither it nor slices from it may
// be used afterwards.
func (s *Stream) Release() {
	if s.f == nil {
		return
	}
	f := s.f
	s.f = nil
	if cap(s.buf) <= 1<<16 && cap(s.text) <= 1<<18 {
		f.pool2.Put(s)
	}
}

// Push filters one piece: raw is a complete JSON string token, quotes
// included. What is certain goes to emit as complete tokens; where nothing had
// to be changed or held back that is raw itself. What emit receives is valid
// only during the call.
//
// A *Stopped error ends the stream: text before the hit was emitted, nothing
// else will be. An error from emit is returned as it is.
func (s *Stream) Push(raw []byte, emit func(raw []byte) error) error {
	if s.stopped != nil {
		return s.stopped
	}
	old := len(s.buf)
	var whole bool
	var err error
	if s.buf, whole, err = s.d.decode(s.buf, raw); err != nil {
		return err
	}
	if len(s.buf) == old {
		return nil // an empty piece, or half a character
	}
	text := s.view()
	s.r.scan(text, old)
	limit := s.r.settle(s.r.hold(text))
	if !whole {
		return s.advance(nil, limit, limit, emit)
	}
	return s.advance(raw, old, limit, emit)
}

// Close emits what was held back and returns the verdict on the whole: its
// Text is what was emitted. With a *Stopped error the rest is withheld.
func (s *Stream) Close(emit func(raw []byte) error) (chat.Verdict, error) {
	err := s.End(emit)
	return s.Verdict(), err
}

// End is Close for who needs no copy of the text: Found tells what was found.
func (s *Stream) End(emit func(raw []byte) error) error {
	if s.stopped != nil {
		return s.stopped
	}
	old := len(s.buf)
	if s.buf = s.d.flush(s.buf); len(s.buf) > old {
		s.r.scan(s.view(), old)
	}
	text := s.view()
	s.r.finish(text)
	limit := s.r.settle(len(text))
	err := s.advance(nil, limit, limit, emit)
	if o := s.f.cfg.Observer; o != nil {
		o.FilterTime(chat.LayerWords, s.w.dir, s.r.wordsTime)
		o.FilterTime(chat.LayerPatterns, s.w.dir, s.r.patternsTime)
	}
	return err
}

// Verdict is the verdict on what was decided so far, with a copy of the text.
func (s *Stream) Verdict() chat.Verdict {
	v := s.Found()
	v.Text = string(s.text)
	return v
}

// Found is Verdict without the text.
func (s *Stream) Found() chat.Verdict { return chat.Verdict{Action: s.action, Hits: s.hits} }

// Text returns the text that was emitted so far, decoded. It is valid until
// the next call.
func (s *Stream) Text() []byte { return s.text }

// Held is how many bytes of text are held back.
func (s *Stream) Held() int { return len(s.buf) - s.sent }

// view gives the buffer as a string without a copy; it must not outlive the
// next append.
func (s *Stream) view() string { return unsafe.String(unsafe.SliceData(s.buf), len(s.buf)) }

// advance emits the text up to limit. Where nothing in it had to be changed,
// raw, whose text begins at from, is passed on as it is.
func (s *Stream) advance(raw []byte, from, limit int, emit func([]byte) error) error {
	spans := s.note()
	if s.stopped != nil {
		limit = s.stopAt(spans)
	}
	if limit > s.sent {
		if err := s.emit(raw, from, limit, spans, emit); err != nil {
			return err
		}
	}
	s.compact()
	if s.stopped != nil {
		return s.stopped
	}
	return nil
}

// note records the settled spans as hits, up to one that stops the stream, and
// returns those that may change the text.
func (s *Stream) note() []span {
	text := s.view()
	for i, sp := range s.r.ready {
		h := s.w.hit(sp, text, s.base)
		s.hits = append(s.hits, h)
		if h.Action.Rank() > s.action.Rank() {
			s.action = h.Action
		}
		if o := s.f.cfg.Observer; o != nil {
			o.FilterHit(s.w.dir, h)
		}
		if h.Action == chat.ActionBlock || h.Action == chat.ActionHandover {
			s.stopped = &Stopped{Hit: h}
			return s.r.ready[:i+1]
		}
	}
	return s.r.ready
}

// stopAt returns where the text ends when the last of spans stops it: before
// it, and before whatever is to be changed and reaches into it.
func (s *Stream) stopAt(spans []span) int {
	at := spans[len(spans)-1].start
	for i := len(spans) - 1; i >= 0; i-- {
		if spans[i].end > at {
			at = min(at, spans[i].start)
		}
	}
	return max(at, s.sent)
}

func (s *Stream) emit(raw []byte, from, limit int, spans []span, emit func([]byte) error) error {
	edit := false
	for _, sp := range spans {
		a := s.w.rule(sp).action
		edit = edit || (a == chat.ActionMask || a == chat.ActionReplace) && sp.start < limit
	}
	switch {
	case edit:
		for len(spans) > 0 && spans[len(spans)-1].start >= limit {
			spans = spans[:len(spans)-1]
		}
		s.scratch, _ = s.f.apply(s.w, s.scratch[:0], s.view(), s.sent, limit, spans)
		s.text = append(s.text, s.scratch...)
		s.out = AppendToken(s.out[:0], s.scratch)
		s.sent = limit
		if len(s.scratch) == 0 {
			return nil
		}
		return emit(s.out)
	case raw != nil && limit == len(s.buf):
		if from > s.sent {
			if err := s.plain(from, emit); err != nil {
				return err
			}
		}
		s.text = append(s.text, s.buf[s.sent:]...)
		s.sent = limit
		return emit(raw)
	}
	return s.plain(limit, emit)
}

// plain emits unchanged text as a new token.
func (s *Stream) plain(limit int, emit func([]byte) error) error {
	s.out = AppendToken(s.out[:0], s.buf[s.sent:limit])
	s.text = append(s.text, s.buf[s.sent:limit]...)
	s.sent = limit
	return emit(s.out)
}

// compact drops text that was emitted, but for some context.
func (s *Stream) compact() {
	if s.sent < compactAt {
		return
	}
	cut := s.sent - contextBytes
	for cut > 0 && !utf8.RuneStart(s.buf[cut]) {
		cut--
	}
	s.buf = s.buf[:copy(s.buf, s.buf[cut:])]
	s.sent -= cut
	s.base += cut
	s.r.shift(cut)
}
