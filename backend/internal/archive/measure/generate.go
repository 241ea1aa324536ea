package measure

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"haoke/backend/internal/archive"
	"haoke/backend/internal/chat"
)

// talk generates conversations of 35 messages. A share of them is canned
// wording with drawn numbers, the rest is drawn word by word from 8,000 made-up
// words, about 10 bits a word, which is harder than language. Ids, times and
// token counts are as random as in life.
type talk struct {
	r     *rand.Rand
	share float64
	words []string
	zipf  *rand.Zipf
}

func newTalk(seed uint64, share float64) *talk {
	t := &talk{r: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)), share: share}
	const letters = "etaoinshrdlucmfwypvbgk"
	for range 8000 {
		var b strings.Builder
		for range 2 + t.r.IntN(8) {
			b.WriteByte(letters[min(t.r.IntN(len(letters)), t.r.IntN(len(letters)))])
		}
		t.words = append(t.words, b.String())
	}
	t.zipf = rand.NewZipf(t.r, 1.07, 8, uint64(len(t.words)-1))
	return t
}

var questions = []string{
	"Hello, where is my order %d? It should have come by now.",
	"Can I return order %d? The size does not fit me.",
	"您好，请问订单 %d 什么时候发货？",
	"How much is shipping to the islands for order %d?",
	"I would like to change the delivery address of order %d, please.",
	"订单 %d 可以开发票吗？公司抬头的那种。",
	"Is the jacket with item number %d still available in blue?",
	"Thank you! And can I add one more piece to order %d?",
	"The parcel of order %d arrived damaged, what can I do?",
	"Do you have a discount code for order %d?",
}

var replies = []string{
	"Thank you for asking. Your order %d has left our warehouse and should arrive within 3 working days. You can follow it with the link in your e-mail.",
	"Of course. You can return order %d within 30 days; please use the label in the parcel and keep the receipt until we have confirmed the refund.",
	"您好！订单 %d 已经安排发货，预计 48 小时内出库，发货后会有短信通知，请您留意查收。",
	"Shipping for order %d costs 4.90 and is free from 50 upwards. To the islands it takes two days more.",
	"I have noted the new address for order %d. You will get a confirmation by e-mail in a few minutes.",
	"可以的，订单 %d 支持开具电子发票，请在订单详情页填写公司抬头和税号，我们会在 24 小时内发送到您的邮箱。",
	"Item %d is available in blue in the sizes S, M and L. Would you like me to put one aside for you?",
	"Gladly. I have added it to order %d; it will be sent in the same parcel at no extra cost.",
	"I am sorry to hear that. Please send us a photo of the parcel of order %d and we will send you a new one today.",
	"There is no code for order %d at the moment, but you will get 5 percent off if you sign up for our newsletter.",
}

func (t *talk) text(canned []string, words int) string {
	if t.r.Float64() < t.share {
		return fmt.Sprintf(canned[t.r.IntN(len(canned))], 100000+t.r.IntN(900000))
	}
	out := make([]string, words/2+t.r.IntN(words))
	for i := range out {
		out[i] = t.words[t.zipf.Uint64()]
	}
	return strings.Join(out, " ") + "."
}

// conversation makes the next one.
func (t *talk) conversation(n int) archive.Sealed {
	at := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC).Add(time.Duration(n)*7*time.Minute + time.Duration(t.r.IntN(60000))*time.Millisecond)
	id := chat.ConversationID(fmt.Sprintf("%016x%016x", t.r.Uint64(), t.r.Uint64()))
	s := archive.Sealed{Head: chat.Conversation{ID: id, Site: "default", CreatedAt: at, LastSeq: 35}}
	page, count := t.r.Uint32(), t.r.Uint32()
	prompt := 250
	for seq := int64(1); seq <= 35; seq++ {
		m := chat.Message{Seq: seq, At: at.Truncate(time.Millisecond)}
		if seq%2 == 1 {
			m.From, m.Text = chat.FromVisitor, t.text(questions, 10)
			m.ClientID = fmt.Sprintf("%d-%d", page, count)
			count++
		} else {
			asked := s.Messages[len(s.Messages)-1].At
			m.From, m.Text, m.Finish = chat.FromAI, t.text(replies, 24), chat.FinishStop
			m.Turn = t.turn(&prompt, len(s.Messages[len(s.Messages)-1].Text), len(m.Text))
			at = asked.Add(time.Duration(m.Turn.TotalUS)*time.Microsecond + time.Duration(t.r.IntN(4))*time.Millisecond)
			m.At = at.Truncate(time.Millisecond)
			at = at.Add(time.Duration(5000+t.r.IntN(60000)) * time.Millisecond)
		}
		s.Messages = append(s.Messages, m)
	}
	s.Head.UpdatedAt = s.Messages[34].At
	return s
}

func (t *talk) turn(prompt *int, asked, said int) *chat.TurnInfo {
	*prompt += 4 + asked/4 + t.r.IntN(4)
	info := &chat.TurnInfo{
		Provider: "openai", Key: "main", Model: "gpt-4o-mini", Prompt: *prompt, Completion: said/4 + t.r.IntN(5),
		FilterUS: int64(5 + t.r.IntN(30)), PromptUS: int64(80 + t.r.IntN(200)), QueueUS: int64(1 + t.r.IntN(4)),
	}
	*prompt += info.Completion
	info.FirstTokenUS = int64(250_000 + t.r.IntN(400_000))
	info.TotalUS = info.FirstTokenUS + int64(info.Completion)*int64(12_000+t.r.IntN(4000)) + int64(t.r.IntN(1000))
	info.Cost = float64(info.Prompt*150+info.Completion*600) / 1e9
	return info
}
