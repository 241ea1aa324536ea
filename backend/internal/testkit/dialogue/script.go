// Package dialogue makes long conversations between visitors and a shop and
// measures how much of them an assembled prompt still knows.
//
// A conversation is generated from a script (a set of templates in one
// language) and a seed. It consists of topics about different goods; values
// (order numbers, sizes, dates, addresses, amounts, names, wishes) are stated
// by one side, some are corrected at once or much later, and look-alikes are
// mentioned that belong to somebody else. Probes ask for single values. A
// reader without any intelligence then looks whether a prompt holds the answer.
//
// The package is for measuring (`haoked bench recall`) and for tests.
package dialogue

import (
	"math/rand/v2"
	"strings"
)

// attr is something that can be known about a subject.
type attr struct {
	name string
	// value draws one; values of a conversation need not be unique.
	value func(*rand.Rand) string
	// say are sentences that state {v} of {s}; short ones leave {s} out and
	// are only used within the topic.
	say, short []string
	// bySite: the shop states it, in answer to ask-like questions (query).
	bySite bool
	query  []string // visitor's question before a bySite statement
	// fix corrects it, naming {s}; fixShort is said right after.
	fix, fixShort []string
	// ask are probes. They are worded unlike the statements.
	ask []string
	// reply are the other side's answers, without the value.
	reply []string
}

// script is a set of templates in one language.
type script struct {
	name       string
	lang       string
	adjectives []string
	nouns      []string
	join       string // between adjective and noun
	greetings  []string
	openings   []string // open a topic about {s}
	welcome    []string // answers to an opening
	attrs      []attr
	chatter    [][2]string // exchanges about {s} that state nothing that is asked for
	others     []string    // a look-alike {s} of somebody else with {v}
	othersRe   []string    // answers to it
	firstAsk   []string    // "what did we first talk about?"
}

// fill puts subject and value into a template.
func fill(t, subject, value string) string {
	return strings.NewReplacer("{s}", subject, "{v}", value).Replace(t)
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }
