package archive

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

// What a dictionary keeps for ever holds nobody's words: no name, number,
// address or sentence that only one or two conversations had, and no run of
// four words of a message of its own. What all of them have is there.
func TestDictionariesAreNobodys(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	words := strings.Fields("please the order my parcel has not come yet since and with from after near house green door box old")
	var samples [][]byte
	var secrets, sentences []string
	at := time.Date(2026, 5, 4, 9, 13, 22, 0, time.UTC)
	for i := range 80 {
		var free []string
		for range 14 {
			free = append(free, words[r.IntN(len(words))])
		}
		name := fmt.Sprintf("Xaver%cquist%c", 'a'+rune(i%26), 'a'+rune(i/26))
		mail, phone, id := strings.ToLower(name)+"@example.com", fmt.Sprintf("+49 171 %07d", r.IntN(1e7)), fmt.Sprintf("%d-%d", r.Uint32(), r.Uint32())
		secrets = append(secrets, name, mail, phone[8:], id, fmt.Sprintf("K%06d", 100000+i*7919%900000))
		sentences = append(sentences, strings.Join(free, " "))
		msgs := []chat.Message{
			{Seq: 1, From: chat.FromVisitor, At: at, ClientID: id, Text: fmt.Sprintf("Where is my order K%06d?", 100000+i*7919%900000)},
			{Seq: 2, From: chat.FromAI, At: at, Text: "It has left our warehouse and arrives within 3 days.", Turn: &chat.TurnInfo{Model: "m", PromptTrace: "trace of " + name, Hits: []chat.Hit{{Match: phone}}}},
			{Seq: 3, From: chat.FromVisitor, At: at, Text: strings.Join(free, " ")},
			{Seq: 4, From: chat.FromVisitor, At: at, Text: "My name is " + name + ", " + mail + ", " + phone},
			{Seq: 5, From: chat.FromVisitor, At: at, Text: "我住在和平路" + string(rune(0x4e00+i*7)) + string(rune(0x5e00+i*11)) + "小区"},
		}
		secrets = append(secrets, msgs[4].Text[len("我住在和平路"):len("我住在和平路")+6])
		record, err := Pack(nil, msgs)
		if err != nil {
			t.Fatal(err)
		}
		samples = append(samples, record)
	}
	data, err := TrainFor(Mix, samples)
	if err != nil {
		t.Fatal(err)
	}
	talks, err := primingOf(data)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, msgs := range talks {
		for i := range msgs {
			fmt.Fprintf(&all, "%s\n%s\n", msgs[i].Text, msgs[i].ClientID)
			if turn := msgs[i].Turn; turn != nil {
				fmt.Fprintf(&all, "%s %v\n", turn.PromptTrace, turn.Hits)
			}
		}
	}
	text := all.String()
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("%q is in the dictionary", s)
		}
	}
	kept := 0
	for _, s := range sentences {
		w := strings.Fields(s)
		for i := 0; i+6 <= len(w); i++ {
			if strings.Contains(text, strings.Join(w[i:i+6], " ")) {
				kept++
			}
		}
	}
	if kept > 0 {
		t.Errorf("%d runs of six words of somebody's own are in the dictionary", kept)
	}
	if !strings.Contains(text, "It has left our warehouse and arrives within") || !strings.Contains(text, "Where is my order K") {
		t.Errorf("what all say is missing in\n%.400s", text)
	}
}
