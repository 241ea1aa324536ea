// Package phrases holds the sentences that the appliance itself says to
// visitors, in each language of the widget. They never name a machine's error.
package phrases

import "strings"

// Set is one language's sentences.
type Set struct {
	TooLong       string // the message was not accepted: too many characters
	TooFast       string // not accepted: too many messages
	Unavailable   string // not accepted: try again
	BadToken      string // the visitor could not be recognised
	Blocked       string // the visitor's message was withheld
	AnswerBlocked string // the answer was withheld
	HandedOver    string // a person has been asked
	NobodyFree    string // nobody came
	Joined        string // %s is the operator's name
	BackToAI      string // the operator gave the conversation back
	Apology       string // no answer could be made
	Busy          string // too much going on
	Stopped       string // the visitor stopped the answer before it began
}

// For returns the sentences for a locale such as "zh-CN" or "pt_BR"; English
// for what is not known. The returned set must not be changed.
func For(locale string) *Set {
	tag := strings.ToLower(strings.ReplaceAll(locale, "_", "-"))
	if s, ok := sets[tag]; ok {
		return s
	}
	lang, rest, _ := strings.Cut(tag, "-")
	if lang == "zh" {
		for _, part := range strings.Split(rest, "-") {
			switch part {
			case "tw", "hk", "mo", "hant":
				return sets["zh-tw"]
			}
		}
	}
	if s, ok := sets[lang]; ok {
		return s
	}
	return sets["en"]
}

// Languages lists the keys of the known sets.
func Languages() []string {
	out := make([]string, 0, len(sets))
	for k := range sets {
		out = append(out, k)
	}
	return out
}
