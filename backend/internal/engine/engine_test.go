package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/session"
)

func TestAVisitorWhoNeverStopsTypingIsAnsweredAllTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		first := true
		b := newBench(t, func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
			if first {
				first = false
				sink([]byte(`"..."`))
				<-gate
				return chat.Result{Finish: chat.FinishStop}, nil
			}
			return echo(ctx, call, sink)
		}, nil)
		defer b.stop()
		b.say("1", "one")
		synctest.Wait()
		b.say("2", "two")
		b.e.Typing(room1, true)
		close(gate)
		begun := time.Now()
		for b.feed.last().Text != "re: two" && time.Since(begun) < time.Minute {
			b.e.Typing(room1, true)
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
		}
		if took := time.Since(begun); took < 4*time.Second || took > 7*time.Second {
			t.Errorf("answered after %s, the bound is 5 s", took)
		}
	})
}

func TestAForgottenTypingSignalHoldsForTheGapAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, echo, nil)
		defer b.stop()
		for i, c := range []struct {
			before, least, most time.Duration // signal before the message; the answer comes after
		}{
			{0, time.Second, time.Second + time.Millisecond},
			{1500 * time.Millisecond, 500 * time.Millisecond, 501 * time.Millisecond},
			{3 * time.Second, 0, time.Millisecond},
		} {
			begun, id := time.Now(), fmt.Sprint(i)
			if err := b.e.Take(t.Context(), Incoming{
				Conversation: room1, ClientID: id, Text: id, Typing: begun.Add(-c.before), Stored: func(int64) {},
			}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			for b.feed.last().Text != "re: "+id && time.Since(begun) < time.Minute {
				time.Sleep(time.Millisecond)
				synctest.Wait()
			}
			if took := time.Since(begun); took < c.least || took > c.most+time.Millisecond {
				t.Errorf("signal %s before: answered after %s, want %s to %s", c.before, took, c.least, c.most)
			}
		}
	})
}

func TestNobodyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, echo, nil)
		defer b.stop()
		if err := b.e.Human(t.Context(), room1, Who{}); err != nil {
			t.Fatal(err)
		}
		b.say("1", "hello?")
		synctest.Wait()
		if m := b.feed.last(); m.From != chat.FromVisitor {
			t.Fatalf("the AI did not fall silent: %+v", m)
		}
		time.Sleep(4 * time.Minute)
		synctest.Wait()
		head, _ := b.store.Head(t.Context(), room1)
		if head.Mode != chat.ModeAI || b.feed.last().From != chat.FromSystem {
			t.Fatalf("mode %s, last %+v", head.Mode, b.feed.last())
		}
		b.say("2", "and now?")
		synctest.Wait()
		if m := b.feed.last(); m.Text != "re: and now?" {
			t.Fatalf("the AI does not answer again: %+v", m)
		}
	})
}

func TestATurnWhoseVisitorLeftIsGivenUpAndTakenUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		b := newBench(t, func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
			if calls++; calls == 1 {
				<-ctx.Done() // waits in the queue
				return chat.Result{}, context.Cause(ctx)
			}
			return echo(ctx, call, sink)
		}, nil)
		defer b.stop()
		b.say("1", "anybody?")
		synctest.Wait()
		b.e.Gone(room1, func() bool { return false })
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if b.e.Busy(room1) {
			t.Fatal("the turn still waits for a visitor who left")
		}
		b.e.Wake(room1)
		synctest.Wait()
		if m := b.feed.last(); m.Text != "re: anybody?" {
			t.Fatalf("not taken up again: %+v", m)
		}
	})
}

func TestWithheldAnswerIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
			if err := sink([]byte(`"so far so good "`)); err != nil {
				return chat.Result{}, err
			}
			return chat.Result{}, sink([]byte(`"SECRET"`))
		}, nil)
		defer b.stop()
		b.say("1", "tell me")
		synctest.Wait()
		if m := b.feed.last(); m.From != chat.FromSystem || m.Finish != chat.FinishBlocked || b.feed.pieces != "" {
			t.Fatalf("withheld: %+v, still shown %q", m, b.feed.pieces)
		}
	})
}

func TestACutAnswerKeepsWhatCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
			sink([]byte(`"half"`))
			return chat.Result{}, &chat.UpstreamError{Fault: chat.FaultCut, Reason: "reset"}
		}, nil)
		defer b.stop()
		b.say("1", "x")
		synctest.Wait()
		if m := b.feed.last(); m.From != chat.FromAI || m.Finish != chat.FinishError || m.Text != "half" {
			t.Fatalf("%+v", m)
		}
	})
}

func TestAFailedCallFallsBackToTheFAQ(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(context.Context, chat.Call, chat.Sink) (chat.Result, error) {
			return chat.Result{}, &chat.UpstreamError{Fault: chat.FaultUnavailable, Reason: "down"}
		}, func(_ *Config, d *Deps) { d.Curated = plain{found: "We open at nine."} })
		defer b.stop()
		b.say("1", "when do you open")
		synctest.Wait()
		if m := b.feed.last(); m.From != chat.FromAI || m.Text != "We open at nine." || m.Turn.Reason == "" {
			t.Fatalf("%+v", m)
		}
	})
}

func TestReadOnlyStoreRefusesWithAKindWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, echo, nil)
		defer b.stop()
		b.store.readOnly = true
		var refused *Refused
		if err := b.say("1", "x"); !errors.As(err, &refused) || refused.Code != "unavailable" || refused.RetryAfter == 0 {
			t.Fatalf("%v", err)
		}
		b.store.readOnly = false
		if err := b.say("1", "x"); err != nil {
			t.Fatal(err)
		}
	})
}

func TestFilterActionsOnTheWayIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, echo, nil)
		defer b.stop()
		b.say("1", "a masked thing")
		synctest.Wait()
		if m := b.feed.last(); m.Text != "re: ****" {
			t.Fatalf("the upstream saw what should be masked: %+v", m)
		}
		b.say("2", "a person please")
		synctest.Wait()
		head, _ := b.store.Head(t.Context(), room1)
		if head.Mode != chat.ModeWaiting || head.Pending != 0 {
			t.Fatalf("handover by a filter: %+v", head)
		}
	})
}

func TestTakeOverInTheMiddleOfAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(ctx context.Context, _ chat.Call, sink chat.Sink) (chat.Result, error) {
			sink([]byte(`"I think"`))
			<-ctx.Done()
			return chat.Result{}, context.Cause(ctx)
		}, nil)
		defer b.stop()
		b.say("1", "x")
		synctest.Wait()
		if _, err := b.e.SetMode(t.Context(), room1, chat.ModeHuman, "Anna"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		b.say("2", "hello Anna")
		time.Sleep(time.Minute)
		synctest.Wait()
		if m := b.feed.last(); m.From != chat.FromVisitor {
			t.Fatalf("the AI went on: %+v", m)
		}
		if _, err := b.e.SetMode(t.Context(), room1, chat.ModeAI, "Anna"); err != nil {
			t.Fatal(err)
		}
		head, _ := b.store.Head(t.Context(), room1)
		if head.Fence == 0 || head.Pending != 0 {
			t.Fatalf("given back: %+v", head)
		}
	})
}

func TestAnOldOpenTurnIsClosedWithAnApology(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemory()
		store.Append(t.Context(), room1, session.Append{
			Create: &chat.Conversation{ID: room1, Mode: chat.ModeAI}, Messages: []chat.Message{{From: chat.FromVisitor, Text: "x"}},
			Update: func(c *chat.Conversation) { c.Pending = 1 },
		})
		time.Sleep(2 * time.Hour)
		b := newBench(t, echo, func(_ *Config, d *Deps) { d.Sessions = store })
		defer b.stop()
		synctest.Wait()
		if m := b.feed.last(); m.From != chat.FromSystem || m.Finish != chat.FinishError {
			t.Fatalf("%+v", m)
		}
		if ids, _ := store.Pending(t.Context()); len(ids) != 0 {
			t.Fatal("still open")
		}
	})
}

func TestOutsideTheBusinessHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mode := chat.ModeOffline
		b := newBench(t, echo, func(c *Config, _ *Deps) { c.DefaultMode = func() chat.Mode { return mode } })
		defer b.stop()
		b.say("1", "anybody there?")
		synctest.Wait()
		head, _ := b.store.Head(t.Context(), room1)
		if m := b.feed.last(); m.From != chat.FromSystem || head.Mode != chat.ModeOffline || head.Pending != 0 {
			t.Fatalf("closed: %+v, %+v", m, head)
		}
		mode = chat.ModeAI // the shop opens
		b.say("2", "and now?")
		synctest.Wait()
		if m := b.feed.last(); m.Text != "re: and now?" {
			t.Fatalf("open: %+v", m)
		}
	})
}

func TestAtTheMoneyCapAPersonIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(context.Context, chat.Call, chat.Sink) (chat.Result, error) {
			return chat.Result{}, &chat.UpstreamError{Fault: chat.FaultBudget, Reason: "the day's money is spent"}
		}, func(c *Config, d *Deps) {
			c.PeopleAtCap = func() bool { return true }
			d.Curated = plain{found: "from the FAQ"}
		})
		defer b.stop()
		b.say("1", "x")
		synctest.Wait()
		head, _ := b.store.Head(t.Context(), room1)
		if head.Mode != chat.ModeWaiting || b.feed.last().From != chat.FromSystem {
			t.Fatalf("%+v, %+v", head, b.feed.last())
		}
	})
}

// stopped is a store whose list of open turns is cut off by the stop.
type stopped struct{ *memory }

func (stopped) Pending(ctx context.Context) ([]chat.ConversationID, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAStopDuringTheStartIsOrderly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Config{}, Deps{Sessions: stopped{newMemory()}, Log: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- e.Run(ctx) }()
		synctest.Wait()
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

// broken is an FAQ with a fault of the program.
type broken struct{ plain }

func (broken) Exact(_ context.Context, text, _ string) (CuratedAnswer, bool) {
	return CuratedAnswer{Found: []bool{false}[len(text)-len("good")]}, false
}

func TestAFaultOfTheProgramCostsOneTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(ctx context.Context, call chat.Call, sink chat.Sink) (chat.Result, error) {
			if call.Messages[0].Content == "sink" {
				sink = func([]byte) error { panic("in a sink") }
			}
			return echo(ctx, call, sink)
		}, func(_ *Config, d *Deps) { d.Curated = broken{} })
		defer b.stop()
		for i, text := range []string{"breaks the FAQ", "good", "sink", "good"} {
			b.say(fmt.Sprint(i), text)
			synctest.Wait()
			last := b.feed.last()
			if text == "good" {
				if last.Text != "re: good" {
					t.Fatalf("after a fault: %+v", last)
				}
			} else if last.From != chat.FromSystem || last.Finish != chat.FinishError || last.Text == "" {
				t.Fatalf("%s: %+v", text, last)
			}
		}
	})
}
