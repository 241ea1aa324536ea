package backend

import (
	"context"
	"log/slog"
	"strings"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/sqlite"
)

// faqNotes counts the FAQ's answers, and notes questions without one, behind
// the turns' backs. It is bounded: what finds it full is not counted.
type faqNotes struct {
	faq   *sqlite.FAQ
	log   *slog.Logger
	queue chan faqNote
}

// faqNote is an entry that answered, or a question that nothing answered.
type faqNote struct {
	entry      int64
	text, lang string
	id         chat.ConversationID
}

func newFAQNotes(faq *sqlite.FAQ, log *slog.Logger) *faqNotes {
	return &faqNotes{faq: faq, log: log, queue: make(chan faqNote, 1024)}
}

// hit counts an entry's answer.
func (n *faqNotes) hit(entry int64) { n.add(faqNote{entry: entry}) }

// unanswered notes a question; locale may carry a region.
func (n *faqNotes) unanswered(id chat.ConversationID, text, locale string) {
	lang, _, _ := strings.Cut(locale, "-")
	n.add(faqNote{text: text, lang: strings.ToLower(lang), id: id})
}

func (n *faqNotes) add(note faqNote) {
	select {
	case n.queue <- note:
	default:
	}
}

// run writes until ctx ends; the hits that came meanwhile are one write for
// each entry.
func (n *faqNotes) run(ctx context.Context) error {
	for {
		hits := map[int64]int64{}
		var open []faqNote
		take := func(x faqNote) {
			if x.entry != 0 {
				hits[x.entry]++
			} else {
				open = append(open, x)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case x := <-n.queue:
			take(x)
		}
		for more := len(n.queue); more > 0; more-- {
			take(<-n.queue)
		}
		for entry, times := range hits {
			n.tell(ctx, "FAQ answers were not counted", n.faq.Hit(ctx, entry, times))
		}
		for _, x := range open {
			n.tell(ctx, "an unanswered question was not noted", n.faq.AddUnanswered(ctx, x.text, x.lang, x.id))
		}
	}
}

func (n *faqNotes) tell(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		n.log.Warn(what, "err", err)
	}
}
