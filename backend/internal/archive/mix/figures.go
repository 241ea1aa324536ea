package mix

import "haoke/backend/internal/chat"

// Columns of numbers.
const (
	colCount = iota
	colFirst
	colBegin
	colVisitor // milliseconds between messages, by author
	colAI
	colOperator
	colSystem
	colPrompt
	colAsked
	colCompletion
	colSpent
	colFilter
	colAssemble
	colQueue
	colToken
	colTotal
	colStep
	colIDs
	colIDParts
	colSize
	colPrice
	colRest
	columns
)

// figures is what is learned of everything but texts.
type figures struct {
	cols   [columns]column
	who    [32 * 4]chance // author by the two before
	kinds  [4][64]chance  // what a message has, by author
	picks  [picks][256]chance
	exact  [8]chance
	ending chance

	begun   int64    // ms, when the conversation before began
	perByte [2]int32 // tokens a byte of ASCII and a wide character, 16 bits behind the point
	perStep int64    // microseconds a token, 4 bits behind the point
}

func (f *figures) blank() {
	for i := range f.cols {
		for j := range f.cols[i] {
			f.cols[i][j] = chanceNew
		}
	}
	for i := range f.who {
		f.who[i] = chanceNew
	}
	for i := range f.kinds {
		for j := range f.kinds[i] {
			f.kinds[i][j] = chanceNew
		}
	}
	for i := range f.picks {
		for j := range f.picks[i] {
			f.picks[i][j] = chanceNew
		}
	}
	for i := range f.exact {
		f.exact[i] = chanceNew
	}
	f.ending = chanceNew
	f.perByte = [2]int32{16000, 45000}
	f.perStep = 14000 << 4
}

// weigh counts what tokens are guessed from.
func weigh(text string) [2]int64 {
	var w [2]int64
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c < 0x80:
			w[0]++
		case c >= 0xc0:
			w[1]++
		}
	}
	return w
}

func (f *figures) guess(w [2]int64) int64 {
	return (w[0]*int64(f.perByte[0]) + w[1]*int64(f.perByte[1]) + 1<<15) >> 16
}

// hear learns from a count of tokens.
func (f *figures) hear(w [2]int64, tokens int64) {
	size := w[0]*w[0] + w[1]*w[1] + 64
	if size > 1<<40 || tokens > 1<<20 || tokens < 0 {
		return
	}
	miss := tokens - f.guess(w)
	for i := range f.perByte {
		f.perByte[i] = int32(min(max(int64(f.perByte[i])+miss*w[i]<<16/size/24, 1<<10), 1<<18))
	}
}

// turn codes how an answer was made. asked and said are the weights of the
// texts before it and its own.
func (m *model) turn(t, last *chat.TurnInfo, asked, said [2]int64) {
	f := &m.figures
	col := func(c int) *column { return &f.cols[c] }
	for i, s := range [4]*string{&t.Provider, &t.Key, &t.Model, &t.Reason} {
		*s = m.name(pickProvider+i, *s)
	}
	for i, b := range [3]*bool{&t.Estimated, &t.Merged, &t.Cached} {
		*b = m.flag(&f.exact[i], bit(*b)) == 1
	}
	guess := int64(last.Prompt+last.Completion) + f.guess(asked)
	if last.Prompt == 0 {
		t.Prompt = int(m.signed(col(colPrompt), int64(t.Prompt)))
	} else {
		t.Prompt = int(guess + m.signed(col(colAsked), int64(t.Prompt)-guess))
	}
	guess = f.guess(said)
	t.Completion = int(guess + m.signed(col(colCompletion), int64(t.Completion)-guess))
	f.hear(said, int64(t.Completion))
	for _, d := range [4]struct {
		col int
		us  *int64
	}{{colFilter, &t.FilterUS}, {colAssemble, &t.PromptUS}, {colQueue, &t.QueueUS}, {colToken, &t.FirstTokenUS}} {
		*d.us = m.signed(col(d.col), *d.us)
	}
	c := min(max(int64(t.Completion), 0), 1<<20)
	guess = t.FirstTokenUS + c*f.perStep>>4
	t.TotalUS = guess + m.signed(col(colTotal), t.TotalUS-guess)
	if step := t.TotalUS - t.FirstTokenUS; c > 0 && step > 0 && step < 1<<40 {
		f.perStep += (step<<4/c - f.perStep) >> 5
	}
	m.cost(t)
}

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
