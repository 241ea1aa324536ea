package keypool

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
)

func mustPool(t testing.TB, c Config) *Pool {
	t.Helper()
	if c.Jitter == nil {
		c.Jitter = func() float64 { return 0.5 }
	}
	p, err := New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func outcome429(h http.Header) chat.Outcome {
	return chat.Outcome{Status: 429, Err: errors.New("429"), Fault: chat.FaultRate, Header: h}
}

func fails(f chat.Fault) chat.Outcome {
	return chat.Outcome{Status: 500, Err: &chat.UpstreamError{Fault: f, Reason: "it is broken"}, Fault: f}
}

func fine() chat.Outcome {
	return chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: 5, Completion: 5}, Total: time.Second}
}

func two() Config {
	return Config{Model: "gpt", Providers: []Provider{
		{Name: "first", BaseURL: "http://first/v1/", Order: 1, Keys: []Key{{Name: "a", Secret: "sa"}, {Name: "b", Secret: "sb"}}},
		{Name: "second", BaseURL: "http://second", Order: 2, Models: map[string]string{"gpt": "other", "*": "rest"}, Keys: []Key{{Name: "c", Secret: "sc"}}},
	}}
}

// take takes a grant or fails the test.
func take(t testing.TB, p *Pool, now time.Time, w Want) *Grant {
	t.Helper()
	g := new(Grant)
	if den, ok := p.Take(now, w, g); !ok {
		t.Fatalf("denied: %+v", den)
	}
	return g
}

func denied(t testing.TB, p *Pool, now time.Time, w Want) Denial {
	t.Helper()
	var g Grant
	den, ok := p.Take(now, w, &g)
	if ok {
		t.Fatalf("granted %s", g.Target.Key)
	}
	return den
}

func TestTarget(t *testing.T) {
	p, err := New(Config{Model: "gpt", Providers: []Provider{{Name: "az", Preset: "azure", BaseURL: "http://az/", Query: "api-version=1",
		Models: map[string]string{"gpt": "deployed"}, Keys: []Key{{Name: "k", Secret: "top"}}}}},
		func(preset string) (chat.Target, bool) {
			return chat.Target{AuthHeader: "api-key", MaxTokensField: "max_completion_tokens", BaseURL: "http://default", Query: "api-version=0"}, preset == "azure"
		})
	if err != nil {
		t.Fatal(err)
	}
	got := take(t, p, at, Want{}).Target
	want := chat.Target{Provider: "az", Preset: "azure", BaseURL: "http://az", Key: "k", Secret: "top", Model: "deployed",
		AuthHeader: "api-key", MaxTokensField: "max_completion_tokens", Query: "api-version=1"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if tg, ok := p.Target("k", "else"); !ok || tg.Model != "else" {
		t.Errorf("test target %+v %v", tg, ok)
	}
	if _, ok := p.Target("nobody", ""); ok {
		t.Error("a key that is not there was found")
	}
	if _, err := New(Config{Providers: []Provider{{Name: "x", Preset: "nope", BaseURL: "http://x"}}}, func(string) (chat.Target, bool) { return chat.Target{}, false }); err == nil {
		t.Error("an unknown preset was accepted")
	}
}

func TestFallbackOrder(t *testing.T) {
	p := mustPool(t, two())
	g := take(t, p, at, Want{})
	if g.Target.Provider != "first" || g.Target.Model != "gpt" || g.Target.BaseURL != "http://first/v1" {
		t.Errorf("first choice %+v", g.Target)
	}
	g = take(t, p, at, Want{NotKeys: []string{"a"}})
	if g.Target.Key != "b" {
		t.Errorf("other key: %s", g.Target.Key)
	}
	g = take(t, p, at, Want{NotKeys: []string{"a", "b"}})
	if g.Target.Provider != "second" || g.Target.Model != "other" {
		t.Errorf("other provider: %+v", g.Target)
	}
	if m := take(t, p, at, Want{Model: "foo", NotKeys: []string{"a", "b"}}).Target.Model; m != "rest" {
		t.Errorf("mapped to %q", m)
	}
	if den := denied(t, p, at, Want{NotKeys: []string{"a", "b", "c"}}); den.Fault != chat.FaultNoKey {
		t.Errorf("with all of them excluded: %+v", den)
	}
}

func TestSpill(t *testing.T) {
	c := two()
	for i := range c.Providers[0].Keys {
		c.Providers[0].Keys[i].RPM = 120
	}
	p := mustPool(t, c)
	for range 6 { // two bursts of three
		if g := take(t, p, at, Want{}); g.Target.Provider != "first" {
			t.Fatalf("%+v", g.Target)
		}
	}
	if den := denied(t, p, at, Want{}); den.Fault != chat.FaultRate || den.Wait > time.Second {
		t.Errorf("a wait of under a second is worth it: %+v", den)
	}
	if g := take(t, p, at, Want{Spill: true}); g.Target.Provider != "second" {
		t.Errorf("who has waited long enough goes on: %+v", g.Target)
	}
}

func TestSpreadByWeightAndCapacity(t *testing.T) {
	p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{
		{Name: "small", Secret: "1", RPM: 100}, {Name: "large", Secret: "2", RPM: 300}, {Name: "heavy", Secret: "3", RPM: 100, Weight: 2}}}}})
	count := map[string]int{}
	for i := range 240 { // 240 a minute of 500
		g := take(t, p, at.Add(time.Duration(i)*250*time.Millisecond), Want{})
		count[g.Target.Key]++
		p.Report(at.Add(time.Duration(i)*250*time.Millisecond), g, fine())
	}
	if r := float64(count["large"]) / float64(count["small"]); r < 2 || r > 5 {
		t.Errorf("three times the limit got %.1f times the calls: %v", r, count)
	}
	if r := float64(count["heavy"]) / float64(count["small"]); r < 1.3 || r > 3 {
		t.Errorf("twice the weight got %.1f times the calls: %v", r, count)
	}
}

func TestCoolDown(t *testing.T) {
	one := Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s"}}}}}
	for _, c := range []struct {
		name     string
		h        http.Header
		min, max time.Duration
	}{
		{"asked for 7 s", header("Retry-After", "7"), 7 * time.Second, 8 * time.Second},
		{"asked for a date", header("Retry-After", "Fri, 01 May 2026 12:00:20 GMT"), 20 * time.Second, 22 * time.Second},
		{"asked for a week", header("Retry-After", "604800"), time.Minute, time.Minute},
		{"asked for nothing", nil, 100 * time.Millisecond, time.Second},
		{"asked for -1", header("Retry-After", "-1"), 100 * time.Millisecond, time.Second},
	} {
		p := mustPool(t, one)
		g := take(t, p, at, Want{})
		p.Report(at, g, outcome429(c.h))
		den := denied(t, p, at, Want{})
		if den.Wait < c.min || den.Wait > c.max || den.Fault != chat.FaultRate || den.Reason == "" {
			t.Errorf("%s: %+v", c.name, den)
		}
		s := p.Snapshot(at)[0]
		if s.State != "resting" || s.Until == nil || !s.Until.Equal(at.Add(den.Wait)) {
			t.Errorf("%s: shown as %+v", c.name, s)
		}
		p.Report(at.Add(den.Wait), take(t, p, at.Add(den.Wait), Want{}), fine())
		if s := p.Snapshot(at.Add(den.Wait))[0]; s.State != "ready" {
			t.Errorf("%s: afterwards %+v", c.name, s)
		}
	}
}

// TestSilentRefusalsNeverLockForLong: pauses grow while every probe is refused,
// but not beyond the cap, and one success ends them.
func TestSilentRefusalsNeverLockForLong(t *testing.T) {
	p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s"}}}}})
	now := at
	var last time.Duration
	for i := range 20 {
		p.Report(now, take(t, p, now, Want{}), outcome429(nil))
		den := denied(t, p, now, Want{})
		if den.Wait > 90*time.Second || i < 6 && den.Wait < last {
			t.Fatalf("pause %d: %v after %v", i, den.Wait, last)
		}
		last = den.Wait
		now = now.Add(den.Wait)
	}
	p.Report(now, take(t, p, now, Want{}), fine())
	take(t, p, now.Add(time.Second), Want{})
}

func TestOldSuccessDoesNotEndAPause(t *testing.T) {
	p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s"}}}}})
	slow, quick := take(t, p, at, Want{}), take(t, p, at, Want{})
	p.Report(at.Add(time.Second), quick, outcome429(header("Retry-After", "20")))
	p.Report(at.Add(2*time.Second), slow, fine())
	if den := denied(t, p, at.Add(3*time.Second), Want{}); den.Wait < 15*time.Second {
		t.Errorf("the pause was cut to %v", den.Wait)
	}
}

func TestRefusedKeyAndNoMoney(t *testing.T) {
	for fault, state := range map[chat.Fault]string{chat.FaultAuth: "refused", chat.FaultQuota: "no_money"} {
		p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "hush"}}}}})
		p.Report(at, take(t, p, at, Want{}), chat.Outcome{Status: 401, Err: errors.New("no"), Fault: fault})
		den := denied(t, p, at.Add(time.Minute), Want{})
		if den.Fault != fault || !strings.Contains(den.Reason, `"k"`) || strings.Contains(den.Reason, "hush") {
			t.Errorf("%s: %+v", fault, den)
		}
		if s := p.Snapshot(at)[0]; s.State != state {
			t.Errorf("shown as %+v", s)
		}
		if sick := p.Sick(); len(sick) != 1 || sick[0].Key != "k" {
			t.Errorf("sick: %d", len(sick))
		}
		// After the pause one call may try, not two.
		later := at.Add(11 * time.Minute)
		g := take(t, p, later, Want{})
		denied(t, p, later, Want{})
		p.Report(later, g, fine())
		take(t, p, later, Want{})
		take(t, p, later, Want{})
	}
}

func TestBreaker(t *testing.T) {
	c := two()
	c.BreakFor = 4 * time.Second
	p := mustPool(t, c)
	only := Want{NotKeys: []string{"c"}}
	for range 5 {
		p.Report(at, take(t, p, at, only), fails(chat.FaultUnavailable))
	}
	if g := take(t, p, at, Want{}); g.Target.Provider != "second" {
		t.Errorf("with the breaker open: %+v", g.Target)
	}
	for range 5 {
		p.Report(at, take(t, p, at, Want{}), fails(chat.FaultTimeout))
	}
	den := denied(t, p, at, Want{})
	if den.Fault != chat.FaultUnavailable || !strings.Contains(den.Reason, "it is broken") {
		t.Errorf("with both open: %+v", den)
	}
	// Half open: one probe at a time; its failure opens for longer.
	now := at.Add(5 * time.Second)
	probe := take(t, p, now, only)
	if g := take(t, p, now, Want{}); g.Target.Provider != "second" {
		t.Errorf("beside the probe: %+v", g.Target)
	}
	p.Report(now, probe, fails(chat.FaultUnavailable))
	if s := p.Snapshot(now)[0]; s.State != "failing" || s.Until.Sub(now) < 6*time.Second {
		t.Errorf("after a failed probe: %+v", s)
	}
	now = now.Add(time.Minute)
	probe = take(t, p, now, only)
	p.Report(now, probe, chat.Outcome{Err: context.Canceled}) // its visitor left
	probe = take(t, p, now, only)
	p.Report(now, probe, fine())
	take(t, p, now, only)
	take(t, p, now, only)
}

func TestRequestFaultsAreNobodysFault(t *testing.T) {
	p := mustPool(t, two())
	for range 50 {
		p.Report(at, take(t, p, at, Want{}), chat.Outcome{Status: 400, Err: errors.New("too long"), Fault: chat.FaultRequest})
	}
	for _, s := range p.Snapshot(at) {
		if s.State != "ready" {
			t.Errorf("%+v", s)
		}
	}
}

func TestTokensAMinute(t *testing.T) {
	p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s", TPM: 60000}}}}})
	now, granted := at, int64(0)
	for i := 0; now.Before(at.Add(10 * time.Minute)); i++ {
		var g Grant
		cost := 300 + i%7*200
		den, ok := p.Take(now, Want{Tokens: cost}, &g)
		if !ok {
			now = now.Add(den.Wait)
			continue
		}
		granted += int64(cost)
		p.Report(now, &g, chat.Outcome{Status: 200, Usage: chat.Usage{Prompt: cost}})
	}
	if granted < 597000*97/100 || granted > 606000 {
		t.Errorf("%d tokens in ten minutes of 60000", granted)
	}
	// More than the burst in one call is possible, and paid for afterwards.
	now = now.Add(2 * time.Minute)
	take(t, p, now, Want{Tokens: 50000})
	if den := denied(t, p, now, Want{Tokens: 5000}); den.Wait < 30*time.Second {
		t.Errorf("the debt is forgotten: %+v", den)
	}
}

// TestSharedKey: another program uses the same key; the headers say what it
// leaves, and the pool keeps within that.
func TestSharedKey(t *testing.T) {
	p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s", RPM: 600}}}}})
	g := take(t, p, at, Want{})
	p.Report(at, g, chat.Outcome{Status: 200, Header: header("x-ratelimit-limit-requests", "600", "x-ratelimit-remaining-requests", "1")})
	take(t, p, at, Want{})
	if den := denied(t, p, at, Want{}); den.Wait < 50*time.Millisecond {
		t.Errorf("%+v", den)
	}
	// A late answer to an older call does not overwrite what a newer one said.
	older, newer := take(t, p, at.Add(time.Minute), Want{}), take(t, p, at.Add(time.Minute), Want{})
	p.Report(at.Add(time.Minute), newer, chat.Outcome{Status: 200, Header: header("x-ratelimit-limit-requests", "600", "x-ratelimit-remaining-requests", "0")})
	p.Report(at.Add(time.Minute), older, chat.Outcome{Status: 200, Header: header("x-ratelimit-limit-requests", "600", "x-ratelimit-remaining-requests", "500")})
	denied(t, p, at.Add(time.Minute), Want{})
}

func TestDailyQuotaIsNotTakenForAMinute(t *testing.T) {
	// https://console.groq.com/docs/rate-limits: 14400 a day, reset 2m59.56s.
	p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s"}}}}})
	p.Report(at, take(t, p, at, Want{}), chat.Outcome{Status: 200, Header: header(
		"x-ratelimit-limit-requests", "14400", "x-ratelimit-remaining-requests", "14370", "x-ratelimit-reset-requests", "2m59.56s",
		"x-ratelimit-limit-tokens", "18000", "x-ratelimit-remaining-tokens", "17997", "x-ratelimit-reset-tokens", "7.66s")})
	s := p.Snapshot(at)[0]
	if s.PerDay != 14400 || s.LearnedRPM != 0 || s.LearnedTPM != 18000 {
		t.Errorf("learned %+v", s)
	}
	// A young day has a short reset; three such answers tell.
	p = mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s"}}}}})
	for n := 1; n <= 3; n++ {
		p.Report(at, take(t, p, at, Want{}), chat.Outcome{Status: 200, Header: header("x-ratelimit-limit-requests", "14400",
			"x-ratelimit-remaining-requests", fmt.Sprint(14400-n), "x-ratelimit-reset-requests", fmt.Sprintf("%ds", 6*n))})
	}
	if s := p.Snapshot(at)[0]; s.PerDay != 14400 || s.LearnedRPM != 0 {
		t.Errorf("learned %+v", s)
	}
}

func TestReconfigureKeepsWhatWasLearned(t *testing.T) {
	c := two()
	p := mustPool(t, c)
	g := take(t, p, at, Want{NotKeys: []string{"b", "c"}})
	p.Report(at, g, chat.Outcome{Status: 429, Err: errors.New("x"), Fault: chat.FaultRate, Header: header("Retry-After", "30", "x-ratelimit-limit-requests", "90", "x-ratelimit-remaining-requests", "0")})
	flying := take(t, p, at, Want{NotKeys: []string{"a", "c"}})
	c.Providers[0].Keys = []Key{{Name: "a", Secret: "sa", RPM: 50}, {Name: "new", Secret: "n"}} // b goes
	c.Providers[0].Weight = 3
	if err := p.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Snapshot(at) {
		switch s.Key {
		case "a":
			if s.State != "resting" || s.LearnedRPM != 90 || s.RPM != 50 {
				t.Errorf("a forgot: %+v", s)
			}
		case "b":
			t.Error("b is still there")
		}
	}
	p.Report(at, flying, fine()) // b's call ends well although b is gone
	for _, s := range p.Snapshot(at) {
		if s.InFlight != 0 {
			t.Errorf("%+v", s)
		}
	}
	c.Providers[0].Keys[0].Secret = "another" // a new credential starts afresh
	if err := p.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if s := p.Snapshot(at)[0]; s.State != "ready" || s.LearnedRPM != 0 {
		t.Errorf("%+v", s)
	}
	c.Providers[1].Keys[0].Name = "a"
	if err := p.Reconfigure(c); err == nil || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("two keys of one name: %v", err)
	}
	if len(p.Snapshot(at)) != 3 {
		t.Error("a refused configuration changed the pool")
	}
}

func TestLocalProviderNeedsNoKey(t *testing.T) {
	p := mustPool(t, Config{Providers: []Provider{{Name: "home", Preset: "ollama", BaseURL: "http://127.0.0.1:11434/v1", NoKey: true, MaxInFlight: 1}}})
	g := take(t, p, at, Want{Model: "llama"})
	if g.Target.Secret != "" || g.Target.Model != "llama" {
		t.Errorf("%+v", g.Target)
	}
	if den := denied(t, p, at, Want{}); den.Fault != chat.FaultRate {
		t.Errorf("a second call at once: %+v", den)
	}
	p.Report(at, g, fine())
	take(t, p, at, Want{})
}

func TestNothingConfigured(t *testing.T) {
	for name, c := range map[string]Config{
		"nothing":  {},
		"no key":   {Providers: []Provider{{Name: "p", BaseURL: "http://p"}}},
		"disabled": {Providers: []Provider{{Name: "p", BaseURL: "http://p", Disabled: true, Keys: []Key{{Name: "k", Secret: "s"}}}}},
		"off key":  {Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s", Disabled: true}}}}},
		"empty":    {Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k"}}}}},
	} {
		if den := denied(t, mustPool(t, c), at, Want{}); den.Fault != chat.FaultNoKey {
			t.Errorf("%s: %+v", name, den)
		}
	}
}

func TestClockSetBack(t *testing.T) {
	p := mustPool(t, Config{Providers: []Provider{{Name: "p", BaseURL: "http://p", Keys: []Key{{Name: "k", Secret: "s", RPM: 60}}}}})
	for range 3 {
		take(t, p, at, Want{})
	}
	back := at.Add(-24 * time.Hour).Round(0)
	if den := denied(t, p, back, Want{}); den.Wait > 2*time.Second {
		t.Errorf("the pool waits for the clock: %+v", den)
	}
	take(t, p, back.Add(2*time.Second), Want{})
}

func TestValidate(t *testing.T) {
	bad := map[string]Config{
		"no name":    {Providers: []Provider{{BaseURL: "x"}}},
		"same name":  {Providers: []Provider{{Name: "p", BaseURL: "x"}, {Name: "p", BaseURL: "y"}}},
		"no url":     {Providers: []Provider{{Name: "p", Keys: []Key{{Name: "k", Secret: "s"}}}}},
		"key name":   {Providers: []Provider{{Name: "p", BaseURL: "x", Keys: []Key{{Secret: "s"}}}}},
		"line break": {Providers: []Provider{{Name: "p", BaseURL: "x", Keys: []Key{{Name: "k", Secret: "s\r\nX: y"}}}}},
		"negative":   {Providers: []Provider{{Name: "p", BaseURL: "x", Keys: []Key{{Name: "k", Secret: "s", RPM: -1}}}}},
		"weight":     {Providers: []Provider{{Name: "p", BaseURL: "x", Weight: -1}}},
		"key weight": {Providers: []Provider{{Name: "p", BaseURL: "x", Keys: []Key{{Name: "k", Secret: "s", Weight: -2}}}}},
	}
	for name, c := range bad {
		if _, err := New(c, nil); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "X: y") {
			t.Errorf("%s: the secret is in the message", name)
		}
	}
}
