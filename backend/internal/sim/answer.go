package sim

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// compose writes the answer to a question: polite, in the question's
// language, the same for the same question.
func compose(question string) string {
	q := strings.TrimSpace(question)
	if r := []rune(q); len(r) > 300 {
		q = string(r[:300]) + "…"
	}
	if chinese(q) {
		return "您好!您问的是:“" + q + "”。这是模拟接口的回答,真实的回答会由您配置的模型给出。还有什么可以帮您?"
	}
	return `Thank you for asking: "` + q + `". This is the simulator's answer; with a real model you would read its own words here. Is there anything else I can do for you?`
}

func chinese(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			return true
		}
	}
	return false
}

// tokens splits a text into pieces about as long as a model's tokens: a word
// with the blank before it, at most eight bytes of it, or one or two Han
// characters. Joined they are the text again.
func tokens(s string) []string {
	var list []string
	start := 0
	flush := func(end int) {
		if end > start {
			list = append(list, s[start:end])
			start = end
		}
	}
	for i, r := range s {
		switch {
		case r == ' ' || r == '\n':
			flush(i)
		case r >= 0x2e80 || unicode.IsPunct(r):
			if i-start >= 4 || i > start && r < 0x2e80 {
				flush(i)
			}
		case i-start >= 8:
			flush(i)
		}
	}
	flush(len(s))
	return list
}

// stretch repeats or cuts list to n pieces.
func stretch(list []string, n int) []string {
	if len(list) == 0 {
		return list
	}
	out := make([]string, n)
	for i := range out {
		out[i] = list[i%len(list)]
	}
	return out
}

// countTokens estimates the tokens of a text that is not going to be split.
func countTokens(s string) int {
	ascii := 0
	for i := 0; i < len(s); i++ {
		if s[i] < utf8.RuneSelf {
			ascii++
		}
	}
	return (ascii+3)/4 + (len(s)-ascii+2)/3
}

// lookBack returns the last message before the question that contains word.
func lookBack(messages []message, word string) string {
	for i := len(messages) - 2; i >= 0; i-- {
		if text := messages[i].text(); strings.Contains(text, word) {
			return text
		}
	}
	return "I find nothing about " + word + "."
}
