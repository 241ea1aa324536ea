package dialogue

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"haoke/backend/internal/chat"
)

// Bounds of a corpus file.
const (
	maxLine  = 32 << 20 // bytes of one conversation
	maxAuto  = 20       // probes made for a conversation that brings none
	minValue = 4        // runes of a value that is asked for
)

// corpusLine is one conversation of a corpus file.
type corpusLine struct {
	ID       string `json:"id"`
	Lang     string `json:"lang"`
	Messages []struct {
		From string    `json:"from"`
		Text string    `json:"text"`
		At   time.Time `json:"at"`
	} `json:"messages"`
	Probes []Probe `json:"probes"`
}

// ReadCorpus reads conversations from outside: JSON Lines, one conversation a
// line,
//
//	{"id":"a1","lang":"en",
//	 "messages":[{"from":"visitor","text":"Hello, my order is AB-1234"},{"from":"ai","text":"Thanks!"}],
//	 "probes":[{"question":"Which order was it?","answer":"AB-1234","stale":[]}]}
//
// from is visitor (also "user"), ai ("assistant", "bot"), operator ("agent",
// "human") or system. probes are optional; where a conversation brings none,
// they are made: the first topic (its first words), and up to twenty numbers,
// codes and addresses that occur in one message only, each asked for by that
// message's own words with the value left out.
func ReadCorpus(r io.Reader) ([]Conversation, error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 1<<16), maxLine)
	var out []Conversation
	for n := 1; sc.Scan(); n++ {
		if strings.TrimSpace(sc.Text()) == "" {
			continue
		}
		var l corpusLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("read corpus: line %d: %w", n, err)
		}
		c := Conversation{ID: fmt.Sprintf("corpus-%d-%s", n, l.ID), Lang: l.Lang, Probes: l.Probes}
		for i, m := range l.Messages {
			from, err := author(m.From)
			if err != nil {
				return nil, fmt.Errorf("read corpus: line %d: message %d: %w", n, i+1, err)
			}
			c.Messages = append(c.Messages, chat.Message{Seq: int64(i + 1), From: from, Text: m.Text, At: m.At})
		}
		if len(c.Probes) == 0 {
			c.Probes = clozes(c.Messages)
		}
		out = append(out, c)
	}
	if err := sc.Err(); err != nil {
		return nil, fmt.Errorf("read corpus: %w", err)
	}
	return out, nil
}

func author(s string) (chat.From, error) {
	switch strings.ToLower(s) {
	case "visitor", "user", "customer":
		return chat.FromVisitor, nil
	case "ai", "assistant", "bot":
		return chat.FromAI, nil
	case "operator", "agent", "human":
		return chat.FromOperator, nil
	case "system":
		return chat.FromSystem, nil
	}
	return "", fmt.Errorf("unknown author %q", s)
}

// clozes makes probes for a conversation by leaving values out of sentences.
func clozes(msgs []chat.Message) []Probe {
	value := regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+|[A-Za-z]*[-#]?\d[\dA-Za-z.,:/-]*[\dA-Za-z]`)
	seen := make(map[string]int)
	for _, m := range msgs {
		for _, v := range value.FindAllString(m.Text, -1) {
			seen[v]++
		}
	}
	var out []Probe
	for i, m := range msgs {
		if m.From == chat.FromSystem {
			continue
		}
		if len(out) == 0 && m.From == chat.FromVisitor && utf8.RuneCountInString(m.Text) > 12 {
			out = append(out, Probe{Question: "?", Answer: firstWords(m.Text), First: true, Depth: len(msgs)})
		}
		for _, v := range value.FindAllString(m.Text, 2) {
			if seen[v] != 1 || utf8.RuneCountInString(v) < minValue || utf8.RuneCountInString(m.Text) < 3*len(v) {
				continue
			}
			out = append(out, Probe{Question: strings.Replace(m.Text, v, "...", 1), Answer: v, Depth: len(msgs) - i})
		}
	}
	return thin(out)
}

// thin keeps the first probe and at most maxAuto others, evenly spread.
func thin(list []Probe) []Probe {
	if len(list) <= maxAuto+1 {
		return list
	}
	out := []Probe{list[0]}
	rest := list[1:]
	for i := range maxAuto {
		out = append(out, rest[i*len(rest)/maxAuto])
	}
	return out
}

func firstWords(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	return s[:runeStart(s, min(len(s), 40))]
}
