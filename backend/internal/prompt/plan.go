package prompt

import (
	"strings"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// Overheads in tokens: of one message of the chat format and of the priming of
// the answer. They are those of OpenAI's chat models, rounded up by one a
// message for the role's name.
const (
	perMessage = 4
	perPrompt  = 3
)

// Shares of the budget. They only matter when a part is too large; what one
// part leaves is free for the next.
const (
	shareSystem    = 0.45 // owner's instructions and rules, of the whole
	shareQuestion  = 0.60 // of what the system part leaves
	shareKnowledge = 0.35 // of what the question leaves
	shareLatest    = 0.42 // of what is then left; the record gets the rest
)

// maxLatest is how many messages stand word for word when the conversation does
// not fit as a whole. More would cost at each turn what recall finds when it is
// needed.
const maxLatest = 16

// ack is the assistant's answer to the record: upstreams that insist on
// alternating roles accept the prompt, and the record is closed before the
// visitor's own words begin.
const ack = "Noted."

// plan is one prompt in the making.
type plan struct {
	b     *Builder
	in    Input
	left  int // tokens not spent yet
	limit int // the whole budget

	context  []entry
	question entryText
	asked    []entry

	system    string
	knowledge string
	record    record
	from      int // context[from:] stands word for word in the prompt
	notes     [len(kinds)]string
	spent     [len(kinds)]int

	// What the prompt is handed out in.
	msgs   []chat.PromptMessage
	parts  []Part
	latest []int64
}

// reset lets go of everything but the memory of the slices.
func (p *plan) reset() {
	clear(p.context)
	clear(p.asked)
	clear(p.msgs)
	clear(p.parts)
	*p = plan{context: p.context[:0], asked: p.asked[:0], question: entryText{seqs: p.question.seqs[:0]},
		msgs: p.msgs[:0], parts: p.parts[:0], latest: p.latest[:0]}
}

// entryText is a text with the messages that it came from.
type entryText struct {
	text string
	seqs []int64
}

func (p *plan) begin(b *Builder, in *Input) {
	limit := in.Budget
	if limit <= 0 {
		limit = b.cfg.Tokens
	}
	limit = max(limit, MinBudget)
	p.b, p.in, p.limit, p.left = b, *in, limit, limit-perPrompt
	p.context, p.asked = split(&p.in, p.context[:0], p.asked[:0])
	p.from = len(p.context)
	for i := range p.asked {
		p.question.seqs = append(p.question.seqs, p.asked[i].seq)
	}
	if p.question.text = joinTexts(p.asked); len(p.asked) == 1 {
		p.question.text = p.asked[0].text
	}
}

func (p *plan) count(text string) int { return p.b.counter.Count(p.in.Model, text) }

func (p *plan) spend(k Kind, tokens int) {
	p.left -= tokens
	p.spent[k.place()] += tokens
}

// fitSystem writes the owner's instructions and the rules.
func (p *plan) fitSystem() {
	sys := p.b.systems.get(systemKey{
		instructions: p.in.Instructions, site: p.in.Site, language: Language(p.question.text, p.in.Locale), model: p.in.Model, limit: p.limit,
	}, p.writeSystem)
	if p.system = sys.text; sys.note != "" {
		p.notes[KindInstructions.place()] = sys.note
	}
	p.spend(KindInstructions, p.count(p.system)+perMessage)
}

func (p *plan) writeSystem(k systemKey) system {
	rules := rules(k.site, k.language)
	own, note := strings.TrimSpace(k.instructions), ""
	room := int(shareSystem*float64(p.limit)) - p.count(rules) - perMessage - 2
	if p.count(own) > room {
		own = p.cut(own, room, cutEnd)
		note = "the owner's instructions are longer than their share of the budget and were cut at the end"
	}
	if own != "" {
		own += "\n\n"
	}
	return system{own + rules, note}
}

// fitQuestion bounds the question. Its middle goes first: people put what they
// want at the beginning or at the end.
func (p *plan) fitQuestion() {
	room := int(shareQuestion*float64(p.left)) - perMessage
	n := p.count(p.question.text)
	if n > room {
		p.question.text = p.cut(p.question.text, room, cutMiddle)
		p.notes[KindQuestion.place()] = "the question is longer than its share of the budget and was cut in the middle"
		n = p.count(p.question.text)
	}
	p.spend(KindQuestion, n+perMessage)
}

// fitKnowledge adds the owner's passages to the system part, best first.
func (p *plan) fitKnowledge() {
	const head = "\n\nWhat the business says about this (prefer it to anything else):"
	room := int(shareKnowledge * float64(p.left))
	var b strings.Builder
	for _, k := range p.in.Knowledge {
		line := "\n- " + oneLine(k.Text)
		if k.Title != "" {
			line = "\n- " + oneLine(k.Title) + " " + oneLine(k.Text)
		}
		if b.Len() == 0 {
			line = head + line
		}
		if n := p.count(line) + 1; n <= room {
			b.WriteString(line)
			room -= n
			p.spend(KindKnowledge, n)
		} else {
			p.notes[KindKnowledge.place()] = "not every passage fitted"
		}
	}
	p.knowledge = b.String()
}

// fitAll takes the whole conversation when it fits, which is best for the
// answer and for the provider's prompt cache: each prompt then begins with the
// one before.
func (p *plan) fitAll() bool {
	n := 0
	for i := len(p.context) - 1; i >= 0; i-- {
		if n += p.count(p.context[i].content()) + perMessage + 1; n > p.left {
			return false
		}
	}
	p.from = 0
	p.spend(KindLatest, n)
	return true
}

// fitLatest takes turns from the end, up to their share of the budget.
func (p *plan) fitLatest() {
	room := int(shareLatest * float64(p.left))
	p.takeLatest(room, maxLatest)
}

// takeLatest moves the border between record and latest turns back while room
// lasts and there are fewer than most messages behind it.
func (p *plan) takeLatest(room, most int) {
	for p.from > 0 && len(p.context)-p.from < most {
		n := p.count(p.context[p.from-1].content()) + perMessage + 1
		if n > room {
			return
		}
		room -= n
		p.from--
		p.spend(KindLatest, n)
	}
}

// widenLatest takes one more turn when even the latest one was too long for its
// share.
func (p *plan) widenLatest() {
	if p.from == len(p.context) {
		p.takeLatest(p.left, 1)
	}
}

// messages puts the prompt together.
func (p *plan) messages() []chat.PromptMessage {
	out := append(p.msgs[:0], chat.PromptMessage{Role: chat.RoleSystem, Content: p.system + p.knowledge})
	if !p.record.empty() {
		out = append(out,
			chat.PromptMessage{Role: chat.RoleUser, Content: p.record.text()},
			chat.PromptMessage{Role: chat.RoleAssistant, Content: ack})
	}
	for _, e := range p.context[p.from:] {
		out = appendTurn(out, e.role(), e.content())
	}
	p.msgs = appendTurn(out, chat.RoleUser, p.question.text)
	return p.msgs
}

// appendTurn adds a message, joining it with the one before when both have the
// same role.
func appendTurn(out []chat.PromptMessage, role chat.Role, text string) []chat.PromptMessage {
	if last := &out[len(out)-1]; last.Role == role {
		last.Content += "\n" + text
		return out
	}
	return append(out, chat.PromptMessage{Role: role, Content: text})
}

// trace reports what the prompt was made of.
func (p *plan) trace(msgs []chat.PromptMessage) Trace {
	t := Trace{
		Model: p.in.Model, Budget: p.limit, Tokens: p.limit - p.left, Fence: p.in.Head.Fence,
		Left: p.from, Context: len(p.context) > p.from || !p.record.empty(), Recall: p.record.reasons,
	}
	for i := range p.context[p.from:] {
		p.latest = append(p.latest, p.context[p.from+i].seq)
	}
	seqs := p.record.seqs
	seqs[KindLatest.place()], seqs[KindQuestion.place()] = p.latest, p.question.seqs
	for i, k := range kinds {
		if p.spent[i] > 0 {
			p.parts = append(p.parts, Part{Kind: k, Tokens: p.spent[i], Seqs: seqs[i], Note: p.notes[i]})
		}
	}
	t.Parts = p.parts
	if p.b.cfg.KeepPrompt {
		t.Prompt = msgs
	}
	return t
}

// Where cut removes text.
const (
	cutEnd = iota
	cutMiddle
)

const gap = " … "

// cut shortens text to at most room tokens, at rune borders, and marks the
// place. It returns "" when there is no room at all.
func (p *plan) cut(text string, room, where int) string {
	if room < 4 {
		return ""
	}
	keep := len(text)
	for i := 0; i < 24 && keep > 0; i++ {
		short := shorten(text, keep, where)
		n := p.count(short)
		if n <= room {
			return short
		}
		// Proportional steps converge in two or three rounds.
		keep = min(keep*room/n, keep-1) - len(gap)
	}
	return ""
}

// shorten keeps about keep bytes of text.
func shorten(text string, keep, where int) string {
	if keep >= len(text) {
		return text
	}
	if where == cutEnd {
		return text[:runeFloor(text, keep)] + gap
	}
	head := runeFloor(text, keep/2)
	tail := runeFloor(text, len(text)-(keep-keep/2))
	return text[:head] + gap + text[tail:]
}

// runeFloor is the last rune border at or before i.
func runeFloor(s string, i int) int {
	for i > 0 && i < len(s) && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}
