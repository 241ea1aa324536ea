package dialogue

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"haoke/backend/internal/chat"
)

// Probe is a question about a conversation with its answer.
type Probe struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
	// Evidence is a piece of the message that states the answer; empty: the
	// answer alone identifies itself.
	Evidence string `json:"evidence,omitempty"`
	// Subject must be named near the evidence; empty: anything.
	Subject string `json:"subject,omitempty"`
	// Stale are pieces of messages that stated an answer which was corrected.
	Stale []string `json:"stale,omitempty"`
	// Depth is how many messages before the end the answer stands.
	Depth int `json:"depth,omitempty"`
	// First: the probe for the first topic.
	First bool `json:"first,omitempty"`
}

// Conversation is a generated or given conversation with its probes.
type Conversation struct {
	ID       string
	Lang     string
	Messages []chat.Message
	Probes   []Probe
}

// known is a value that was stated.
type known struct {
	subject string
	attr    *attr
	value   string
	message int      // index of the message that states it now
	stale   []string // pieces of the messages that stated it wrongly
}

// generator builds one conversation.
type generator struct {
	r     *rand.Rand
	s     *script
	at    time.Time
	msgs  []chat.Message
	turns int
	known []*known
	later []*known // corrections that are still to come
	drawn map[string]bool
}

// Generate makes the conversation of a seed: turns exchanges in the language
// of the script. The same arguments always give the same conversation.
func generate(s *script, seed uint64, turns, probes int) Conversation {
	g := &generator{
		r: rand.New(rand.NewPCG(seed, uint64(turns))), s: s, turns: turns, drawn: make(map[string]bool),
		at: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
	}
	subjects, lookalikes := g.subjects(turns/5 + 4)
	first := ""
	for i := 0; len(g.msgs) < 2*turns; i++ {
		subject := subjects[i%len(subjects)]
		if i == 0 {
			first = subject
			if g.r.IntN(2) == 0 {
				g.turn(pick(g.r, s.greetings), pick(g.r, s.welcome))
			}
		}
		g.topic(subject, lookalikes)
	}
	g.msgs = g.msgs[:2*turns]
	return Conversation{
		ID: fmt.Sprintf("%s-%d-%d", s.name, turns, seed), Lang: s.lang,
		Messages: g.msgs, Probes: g.probes(first, probes),
	}
}

// subjects draws different goods; those not used are the look-alikes.
func (g *generator) subjects(n int) (used, spare []string) {
	var all []string
	for _, a := range g.s.adjectives {
		for _, b := range g.s.nouns {
			all = append(all, a+g.s.join+b)
		}
	}
	g.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	n = min(n, len(all)*3/4)
	return all[:n], all[n:]
}

// turn appends a visitor's message and the answer; it returns their indexes.
func (g *generator) turn(visitor, answer string) (int, int) {
	g.add(chat.FromVisitor, visitor)
	g.add(chat.FromAI, answer)
	return len(g.msgs) - 2, len(g.msgs) - 1
}

func (g *generator) add(from chat.From, text string) {
	g.at = g.at.Add(time.Duration(20+g.r.IntN(100)) * time.Second)
	m := chat.Message{Seq: int64(len(g.msgs) + 1), From: from, Text: text, At: g.at}
	if from == chat.FromAI {
		m.Finish = chat.FinishStop
	}
	g.msgs = append(g.msgs, m)
}

// topic is an opening, some statements with chatter between them, and now and
// then a correction or somebody else's order.
func (g *generator) topic(subject string, lookalikes []string) {
	g.turn(fill(pick(g.r, g.s.openings), subject, ""), fill(pick(g.r, g.s.welcome), subject, ""))
	order := g.r.Perm(len(g.s.attrs))
	for _, ai := range order[:2+g.r.IntN(3)] {
		k := g.state(subject, &g.s.attrs[ai])
		switch p := g.r.IntN(100); {
		case p < 15:
			g.correct(k, true)
		case p < 30:
			g.later = append(g.later, k)
		}
		if g.r.IntN(100) < 60 {
			c := pick(g.r, g.s.chatter)
			g.turn(fill(c[0], subject, ""), fill(c[1], subject, ""))
		}
	}
	if g.r.IntN(100) < 40 {
		other := pick(g.r, lookalikes)
		a := &g.s.attrs[0]
		g.turn(fill(pick(g.r, g.s.others), other, g.value(a)), fill(pick(g.r, g.s.othersRe), other, ""))
	}
	if len(g.later) > 0 && g.r.IntN(100) < 60 {
		i := g.r.IntN(len(g.later))
		k := g.later[i]
		if k.subject != subject {
			g.later = append(g.later[:i], g.later[i+1:]...)
			g.correct(k, false)
		}
	}
}

// state lets one side state a value.
func (g *generator) state(subject string, a *attr) *known {
	k := &known{subject: subject, attr: a, value: g.value(a)}
	if a.bySite {
		_, k.message = g.turn(fill(pick(g.r, a.query), subject, ""), fill(pick(g.r, a.say), subject, k.value))
	} else {
		say := a.say
		if len(a.short) > 0 && g.r.IntN(3) == 0 {
			say = a.short
		}
		k.message, _ = g.turn(fill(pick(g.r, say), subject, k.value), fill(pick(g.r, a.reply), subject, ""))
	}
	g.known = append(g.known, k)
	return k
}

// value draws one that was not drawn before, so that a string identifies it; a
// kind that has run out repeats itself.
func (g *generator) value(a *attr) string {
	var v string
	for range 200 {
		if v = a.value(g.r); !g.drawn[v] {
			break
		}
	}
	g.drawn[v] = true
	return v
}

// correct takes a value back.
func (g *generator) correct(k *known, now bool) {
	fresh := g.value(k.attr)
	form := k.attr.fix
	if now && g.r.IntN(2) == 0 {
		form = k.attr.fixShort
	}
	k.stale = append(k.stale, around(g.msgs[k.message].Text, k.value))
	text := fill(pick(g.r, form), k.subject, fresh)
	k.value = fresh
	if k.attr.bySite {
		_, k.message = g.turn(fill(pick(g.r, k.attr.query), k.subject, ""), text)
	} else {
		k.message, _ = g.turn(text, fill(pick(g.r, k.attr.reply), k.subject, ""))
	}
}

// probes draws the questions: the first topic and n values at random depths.
func (g *generator) probes(first string, n int) []Probe {
	out := []Probe{{Question: pick(g.r, g.s.firstAsk), Answer: first, First: true, Depth: len(g.msgs)}}
	var usable []*known
	for _, k := range g.known {
		if k.message < len(g.msgs) {
			usable = append(usable, k)
		}
	}
	g.r.Shuffle(len(usable), func(i, j int) { usable[i], usable[j] = usable[j], usable[i] })
	for _, k := range usable[:min(n, len(usable))] {
		out = append(out, Probe{
			Question: fill(pick(g.r, k.attr.ask), k.subject, ""), Answer: k.value, Subject: k.subject,
			Evidence: around(g.msgs[k.message].Text, k.value), Stale: k.stale, Depth: len(g.msgs) - k.message,
		})
	}
	return out
}

// around is the value with some of the text on both sides of it, so that a
// common value ("42") is found only where it was said.
func around(text, value string) string {
	i := strings.Index(text, value)
	if i < 0 {
		return value
	}
	return text[runeStart(text, max(0, i-24)):runeStart(text, min(len(text), i+len(value)+12))]
}

func runeStart(s string, i int) int {
	for i > 0 && i < len(s) && s[i]&0xC0 == 0x80 {
		i--
	}
	return i
}
