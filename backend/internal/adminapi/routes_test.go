package adminapi_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/starter"
	"haoke/backend/internal/session"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

// TestEveryRoute goes through the whole API as an owner does and ends with the
// proof that no route was left out.
func TestEveryRoute(t *testing.T) {
	h := open(t, options{config: "[filter]\npatterns = [\"order-[0-9]{6}\"]\n[limits]\ndaily_spend = 5.0\n"})
	w := newWalk(t, h)
	owner := h.script()
	id := h.conversation("Do you have green tea?")
	t.Run("people", func(t *testing.T) { w.T = t; people(w, owner) })
	t.Run("conversations", func(t *testing.T) { w.T = t; conversations(w, owner, id) })
	t.Run("status", func(t *testing.T) { w.T = t; status(w, owner) })
	t.Run("left messages", func(t *testing.T) { w.T = t; left(w, owner) })
	t.Run("FAQ", func(t *testing.T) { w.T = t; faq(w, owner) })
	t.Run("filters", func(t *testing.T) { w.T = t; filters(w, owner) })
	t.Run("words", func(t *testing.T) { w.T = t; lists(w, owner) })
	t.Run("patterns", func(t *testing.T) { w.T = t; patterns(w, owner) })
	t.Run("keys", func(t *testing.T) { w.T = t; keys(w, owner) })
	t.Run("settings", func(t *testing.T) { w.T = t; settingsAndWidget(w, owner) })
	t.Run("archive and backups", func(t *testing.T) { w.T = t; backups(w, owner) })
	t.Run("system", func(t *testing.T) { w.T = t; system(w, owner) })
	t.Run("live", func(t *testing.T) {
		w.T = t
		w.ok(owner, "getLiveTicket", nil)
		w.ok(owner, "pollLive", nil, "?after=1")
	})
	w.T = t
	w.ok(owner, "deleteConversation", nil, string(id))
	w.not(owner, 404, wire.ProblemNotFound, "getConversation", nil, string(id))
	for _, r := range wire.AdminRoutes() {
		if !w.done[r.Name] && r.Name != "applyUpdate" && r.Name != "seeUpdate" { // TestUpdates
			t.Errorf("no call of %s succeeded in this test", r.Name)
		}
	}
}

func people(w *walk, owner *door) {
	me := w.h.nobody()
	if s := decode[wire.SessionState](w.T, w.ok(me, "getSession", nil)); s.State != wire.SessionSignedOut || s.Operator != nil {
		w.Fatalf("before the sign-in: %+v", s)
	}
	w.not(me, 401, wire.ProblemSignedOut, "signIn", wire.SignIn{Name: "lin", Password: "not this one"})
	s := decode[wire.SessionState](w.T, w.ok(me, "signIn", wire.SignIn{Name: "lin", Password: operatorPassword}))
	if s.State != wire.SessionSignedIn || s.Operator.Name != "lin" || s.Operator.Role != wire.RoleOperator {
		w.Fatalf("after the sign-in: %+v", s)
	}
	link := decode[wire.BrowserLink](w.T, w.ok(me, "openBrowser", nil))
	_, ticket, _ := strings.Cut(link.URL, "#ticket=")
	other := w.h.nobody()
	w.ok(other, "signInByTicket", wire.TicketSignIn{Ticket: ticket})
	w.not(w.h.nobody(), 401, wire.ProblemSignedOut, "signInByTicket", wire.TicketSignIn{Ticket: ticket})
	w.ok(me, "changePassword", wire.PasswordChange{Current: operatorPassword, Password: operatorPassword + "!"})
	w.not(other, 401, wire.ProblemSignedOut, "getStatus", nil) // other sessions ended
	w.ok(me, "signOut", nil)
	w.not(me, 401, wire.ProblemSignedOut, "getStatus", nil)

	list := decode[wire.OperatorList](w.T, w.ok(owner, "listOperators", nil))
	if len(list.Items) != 2 || list.Items[0].Role != wire.RoleOwner || list.Items[1].Name != "lin" {
		w.Fatalf("people: %+v", list)
	}
	w.ok(owner, "addOperator", wire.OperatorNew{Name: "wang", Display: "Wang", Role: wire.RoleOperator, Password: "a long password"})
	w.not(owner, 409, wire.ProblemExists, "addOperator", wire.OperatorNew{Name: "wang", Display: "Wang", Role: wire.RoleOperator, Password: "a long password"})
	if p := w.not(owner, 422, wire.ProblemInvalid, "addOperator", wire.OperatorNew{Name: "li", Role: wire.RoleOperator, Password: "short"}); p.Field != "password" {
		w.Errorf("the field of a short password: %+v", p)
	}
	name := "Xiao Wang"
	if x := decode[wire.Operator](w.T, w.ok(owner, "changeOperator", wire.OperatorPatch{Display: &name}, "wang")); x.Display != name {
		w.Errorf("changed: %+v", x)
	}
	role := wire.RoleOperator
	w.not(owner, 409, wire.ProblemConflict, "changeOperator", wire.OperatorPatch{Role: &role}, list.Items[0].Name)
	w.ok(owner, "removeOperator", nil, "wang")
	w.not(owner, 404, wire.ProblemNotFound, "removeOperator", nil, "wang")
	w.not(owner, 409, wire.ProblemConflict, "removeOperator", nil, list.Items[0].Name)
	unclaimed(w)
}

// unclaimed is the first owner's way in, on an appliance of its own.
func unclaimed(w *walk) {
	fresh := open(w.T, options{unclaimed: true})
	first := fresh.nobody()
	second := &walk{T: w.T, h: fresh, doc: w.doc, routes: w.routes, done: w.done}
	if s := decode[wire.SessionState](w.T, second.ok(first, "getSession", nil)); s.State != wire.SessionUnclaimed || !s.Claimable {
		w.Fatalf("unclaimed: %+v", s)
	}
	second.not(first, 422, wire.ProblemInvalid, "claim", wire.Claim{Token: "wrong", Password: ownerPassword})
	second.ok(first, "claim", wire.Claim{Token: fresh.guard.ClaimToken(), Password: ownerPassword})
	second.not(fresh.nobody(), 409, wire.ProblemConflict, "claim", wire.Claim{Token: "again", Password: ownerPassword})
}

func conversations(w *walk, owner *door, id chat.ConversationID) {
	cid := string(id)
	list := decode[wire.ConversationList](w.T, w.ok(owner, "listConversations", nil))
	if len(list.Items) != 1 || list.Items[0].ID != cid || list.Items[0].Label != "Mei" || list.Counts["open"] != 1 || list.Counts["unread"] != 1 {
		w.Fatalf("list: %+v", list)
	}
	w.not(owner, 422, wire.ProblemInvalid, "listConversations", nil, "?state=nonsense")
	w.not(owner, 422, wire.ProblemInvalid, "listConversations", nil, "?cursor=nonsense")
	w.not(owner, 422, wire.ProblemInvalid, "listConversations", nil, "?limit=many")
	d := decode[wire.ConversationDetail](w.T, w.ok(owner, "getConversation", nil, cid))
	if len(d.Messages) != 2 || d.Messages[1].Turn == nil || d.Messages[1].Turn.PromptTrace != "" {
		w.Fatalf("detail: %+v", d)
	}
	w.not(owner, 404, wire.ProblemNotFound, "getConversation", nil, "no-such-conversation")
	w.not(owner, 404, wire.ProblemNotFound, "getConversation", nil, string(chat.NewConversationID()))
	tr := decode[wire.TurnTrace](w.T, w.ok(owner, "getTrace", nil, cid, "2"))
	if len(tr.Prompt) != 1 || len(tr.Parts) != 1 || tr.Parts[0].Name != "question" || len(tr.Passages) != 1 || tr.Passages[0].Text != "Do you have green tea?" {
		w.Errorf("trace: %+v", tr)
	}
	w.not(owner, 404, wire.ProblemNotFound, "getTrace", nil, cid, "1")
	if got := w.ok(owner, "getFile", nil, "0123abcd.png"); string(got.body) != "file 0123abcd.png" {
		w.Errorf("a visitor's file: %s", got.body)
	}
	sent := decode[wire.StoredFile](w.T, w.ok(owner, "addFile", "the price list", "?name=prices.doc"))
	if sent.Name != "prices.txt" || sent.Type != "text/plain" || !strings.HasPrefix(sent.URL, "/v1/files/") {
		w.Errorf("an operator's file: %+v", sent)
	}
	w.not(owner, 422, wire.ProblemInvalid, "addFile", "the price list")
	w.not(owner, 422, wire.ProblemInvalid, "addFile", "<html><script>", "?name=x.txt")
	w.not(owner, 413, wire.ProblemTooLarge, "addFile", strings.Repeat("long ", 300), "?name=x.txt")
	m := decode[wire.Message](w.T, w.ok(owner, "sendMessage", wire.MessageNew{ID: "o1", Text: "Hello, this is Mei's shop."}, cid))
	again := decode[wire.Message](w.T, w.ok(owner, "sendMessage", wire.MessageNew{ID: "o1", Text: "Hello, this is Mei's shop."}, cid))
	if m.Seq != again.Seq || m.From != chat.FromOperator {
		w.Errorf("sent twice: %+v, %+v", m, again)
	}
	w.not(owner, 422, wire.ProblemInvalid, "sendMessage", wire.MessageNew{ID: "o2", Text: "  "}, cid)
	lin := w.h.signedIn("lin", operatorPassword+"!")
	w.not(lin, 409, wire.ProblemConflict, "setMode", wire.ModeChange{Mode: chat.ModeHuman}, cid)
	w.not(lin, 409, wire.ProblemConflict, "sendMessage", wire.MessageNew{ID: "l1", Text: "Mine."}, cid)
	if c := decode[wire.Conversation](w.T, w.ok(lin, "setMode", wire.ModeChange{Mode: chat.ModeHuman, Force: true}, cid)); c.Operator != "Lin" {
		w.Errorf("taken over: %+v", c)
	}
	w.ok(lin, "setMode", wire.ModeChange{Mode: chat.ModeAI}, cid)
	w.not(lin, 422, wire.ProblemInvalid, "setMode", wire.ModeChange{Mode: "robot"}, cid)
	w.ok(owner, "stopAnswer", nil, cid)
	w.ok(owner, "markTyping", wire.TypingMark{On: true}, cid)
	w.ok(owner, "markRead", wire.ReadMark{Seq: 1 << 30}, cid)
	msgs := decode[wire.MessageList](w.T, w.ok(owner, "listMessages", nil, cid, "?after=1&limit=1"))
	if len(msgs.Items) != 1 || msgs.Items[0].Seq != 2 || !msgs.Earlier {
		w.Errorf("a stretch: %+v", msgs)
	}
	msgs = decode[wire.MessageList](w.T, w.ok(owner, "listMessages", nil, cid, "?before=2&limit=1"))
	if len(msgs.Items) != 1 || msgs.Items[0].Seq != 1 || msgs.Earlier {
		w.Errorf("a stretch backwards: %+v", msgs)
	}
	if c := decode[wire.Conversation](w.T, w.ok(owner, "setBlocked", wire.BlockChange{Blocked: true}, cid)); !c.Blocked || <-w.h.closed != id {
		w.Errorf("blocked: %+v", c)
	}
	w.ok(owner, "setBlocked", wire.BlockChange{}, cid)
	exports(w, owner, cid)
	c := decode[wire.Conversation](w.T, w.ok(owner, "archiveConversation", nil, cid))
	if !c.Archived {
		w.Errorf("archived: %+v", c)
	}
	if d := decode[wire.ConversationDetail](w.T, w.ok(owner, "getConversation", nil, cid)); len(d.Messages) < 3 || !d.Conversation.Archived {
		w.Errorf("the archived one reads %d messages, %+v", len(d.Messages), d.Conversation)
	}
	w.not(owner, 404, wire.ProblemNotFound, "deleteConversation", nil, string(chat.NewConversationID()))
}

func exports(w *walk, owner *door, cid string) {
	if got := w.ok(owner, "exportConversation", nil, cid); !json.Valid(got.body) || !strings.Contains(got.head.Get("Content-Disposition"), "attachment") {
		w.Errorf("exported: %v %s", got.head, got.body)
	}
	if got := w.ok(owner, "exportConversation", nil, cid, "?format=text"); !strings.Contains(string(got.body), "visitor: Do you have green tea?") {
		w.Errorf("as text: %s", got.body)
	}
	formula := chat.NewConversationID()
	_, err := w.h.sessions.Append(context.Background(), formula, session.Append{Create: &chat.Conversation{Site: "default"}, Messages: []chat.Message{{From: chat.FromVisitor, Text: `=HYPERLINK("http://evil")`}}})
	if err != nil {
		w.Fatal(err)
	}
	if got := w.ok(owner, "exportConversation", nil, string(formula), "?format=csv"); !strings.Contains(string(got.body), `"'=HYPERLINK`) {
		w.Errorf("a formula stays one: %s", got.body)
	}
	w.not(owner, 422, wire.ProblemInvalid, "exportConversation", nil, cid, "?format=pdf")
	w.ok(owner, "deleteConversation", nil, string(formula))
}

func status(w *walk, owner *door) {
	s := decode[wire.Status](w.T, w.ok(owner, "getStatus", nil))
	if s.Answerer != "offline" || s.Version != "1.2.3" || s.SpendCap != 5 {
		w.Errorf("status: %+v", s)
	}
	if s := decode[wire.Status](w.T, w.ok(owner, "pause", wire.Pause{Paused: true})); s.State != wire.ServicePaused || !w.h.Paused() {
		w.Errorf("paused: %+v", s)
	}
	w.ok(owner, "pause", wire.Pause{})
	series := decode[wire.SeriesList](w.T, w.ok(owner, "listSeries", nil))
	if series.Items == nil {
		w.Errorf("series: %+v", series)
	}
	c := decode[wire.Charts](w.T, w.ok(owner, "getCharts", nil, "?series=connections,messages_in&step=10s"))
	if len(c.Series) != 2 || len(c.Series[0].Values) != len(c.T) {
		w.Errorf("charts: %+v", c)
	}
	w.not(owner, 422, wire.ProblemInvalid, "getCharts", nil)
	w.not(owner, 422, wire.ProblemInvalid, "getCharts", nil, "?series=nonsense")
	w.not(owner, 422, wire.ProblemInvalid, "getCharts", nil, "?series=connections&from=yesterday")
	if s := decode[wire.Charts](w.T, w.ok(owner, "getCharts", nil, "?series=connections,messages_in&step=10")); s.Step != c.Step {
		w.Errorf("a step in bare seconds: %v", s.Step)
	}
	w.not(owner, 422, wire.ProblemInvalid, "getCharts", nil, "?series=connections&step=1ms")
	w.not(owner, 422, wire.ProblemInvalid, "getCharts", nil, "?series=connections&step=0")
}

func left(w *walk, owner *door) {
	for i := range 3 {
		if _, err := w.h.db.Inbox().Add(context.Background(), sqlite.LeftMessage{Site: "default", Name: fmt.Sprint("V", i), Text: "Call me."}); err != nil {
			w.Fatal(err)
		}
	}
	l := decode[wire.LeftMessageList](w.T, w.ok(owner, "listLeftMessages", nil, "?limit=2"))
	if len(l.Items) != 2 || l.Items[0].Name != "V2" || l.Next == "" {
		w.Fatalf("left: %+v", l)
	}
	if rest := decode[wire.LeftMessageList](w.T, w.ok(owner, "listLeftMessages", nil, "?limit=2&cursor="+l.Next)); len(rest.Items) != 1 || rest.Next != "" {
		w.Errorf("the rest: %+v", rest)
	}
	w.not(owner, 422, wire.ProblemInvalid, "listLeftMessages", nil, "?cursor=-x")
	id := fmt.Sprint(l.Items[0].ID)
	if m := decode[wire.LeftMessage](w.T, w.ok(owner, "changeLeftMessage", wire.LeftMessagePatch{Done: true}, id)); !m.Done || m.Name != "V2" {
		w.Errorf("done: %+v", m)
	}
	if s := decode[wire.Status](w.T, w.ok(owner, "getStatus", nil)); s.LeftMessages != 2 {
		w.Errorf("%d left messages are open, not 2", s.LeftMessages)
	}
	w.not(owner, 404, wire.ProblemNotFound, "changeLeftMessage", wire.LeftMessagePatch{Done: true}, "999")
	w.not(owner, 404, wire.ProblemNotFound, "changeLeftMessage", wire.LeftMessagePatch{Done: true}, "nine")
	w.ok(owner, "deleteLeftMessage", nil, id)
	w.not(owner, 404, wire.ProblemNotFound, "deleteLeftMessage", nil, id)
}

func settingsAndWidget(w *walk, owner *door) {
	all := decode[wire.SettingsState](w.T, w.ok(owner, "getSettings", nil))
	field := func(path string) wire.SettingField {
		for _, f := range all.Fields {
			if f.Path == path {
				return f
			}
		}
		w.Fatalf("there is no field %s", path)
		return wire.SettingField{}
	}
	if f := field("limits.daily_spend"); !f.Locked || !strings.Contains(f.Source, "config.toml") {
		w.Errorf("a locked field: %+v", f)
	}
	if f := field("admin.token"); !f.Secret || strings.Contains(string(f.Value), scriptToken) {
		w.Errorf("a secret field: %+v", f)
	}
	ch := decode[wire.SettingsChange](w.T, w.ok(owner, "putSettings", wire.SettingsWrite{Values: map[string]json.RawMessage{"site.name": json.RawMessage(`"Tea house"`)}}))
	if len(ch.Fields) != 1 || string(ch.Fields[0].Value) != `"Tea house"` {
		w.Errorf("changed: %+v", ch)
	}
	w.not(owner, 409, wire.ProblemLocked, "putSettings", wire.SettingsWrite{Values: map[string]json.RawMessage{"limits.daily_spend": json.RawMessage(`9`)}})
	if p := w.not(owner, 422, wire.ProblemInvalid, "putSettings", wire.SettingsWrite{Values: map[string]json.RawMessage{"session.hot_capacity": json.RawMessage(`-4`)}}); p.Field != "session.hot_capacity" {
		w.Errorf("the field: %+v", p)
	}
	w.not(owner, 422, wire.ProblemInvalid, "putSettings", wire.SettingsWrite{})
	w.not(owner, 422, wire.ProblemInvalid, "putSettings", wire.SettingsWrite{Values: map[string]json.RawMessage{"no.such": json.RawMessage(`1`)}})
	if p := w.not(owner, 409, wire.ProblemConflict, "patchSetting", wire.SettingPatch{Path: "site.name", Value: json.RawMessage(`"Old"`), Revision: 0}); p.Current == nil {
		w.Errorf("a conflict without what is there: %+v", p)
	}
	w.ok(owner, "patchSetting", wire.SettingPatch{Path: "site.name", Reset: true, Revision: 1})
	taken := strings.TrimPrefix(w.h.sim.URL, "http://")
	if r := decode[wire.AddrReport](w.T, w.ok(owner, "checkAddr", wire.AddrCheck{Addr: taken})); r.Free || r.Suggest == "" {
		w.Errorf("a taken address: %+v", r)
	}
	if r := decode[wire.AddrReport](w.T, w.ok(owner, "checkAddr", wire.AddrCheck{Addr: freePort(w.T)})); !r.Free {
		w.Errorf("a free address: %+v", r)
	}
	w.not(owner, 422, wire.ProblemInvalid, "checkAddr", wire.AddrCheck{Addr: "nonsense"})

	look := decode[wire.WidgetState](w.T, w.ok(owner, "getWidget", nil))
	if len(look.Snippets) < 4 || look.Revision != 0 {
		w.Errorf("widget: %+v", look)
	}
	put := decode[wire.WidgetState](w.T, w.ok(owner, "putWidget", wire.WidgetWrite{Look: wire.Site{Title: "Tea"}, Revision: 0}))
	if put.Look.Title != "Tea" || put.Revision == 0 {
		w.Errorf("put: %+v", put)
	}
	if p := w.not(owner, 409, wire.ProblemConflict, "putWidget", wire.WidgetWrite{Look: wire.Site{Title: "Old"}, Revision: 0}); p.Current == nil {
		w.Errorf("a conflict without the look: %+v", p)
	}
	w.ok(owner, "putSettings", wire.SettingsWrite{Values: map[string]json.RawMessage{"server.allowed_origins": json.RawMessage(`["https://shop.example"]`)}})
	for page, want := range map[string]bool{"https://shop.example/tea?x=1": true, "http://shop.example/": false, "https://shop.example.evil.example/": false, "nonsense": false} {
		if v := decode[wire.OriginVerdict](w.T, w.ok(owner, "testOrigin", wire.OriginTest{URL: page})); v.Allowed != want {
			w.Errorf("%s: %+v", page, v)
		}
	}
}

func system(w *walk, owner *door) {
	w.h.logs.Logger().Info("the kettle boils", "api_key", "sk-good-key-0123456789")
	deadline := time.Now().Add(10 * time.Second)
	for { // the log writes behind its callers' backs
		page := decode[wire.LogPage](w.T, w.ok(owner, "listLogs", nil, "?query=kettle"))
		if len(page.Items) == 1 && page.Items[0].Level == "info" {
			break
		}
		if time.Now().After(deadline) {
			w.Fatalf("logs: %+v", page)
		}
		time.Sleep(5 * time.Millisecond)
	}
	w.not(owner, 422, wire.ProblemInvalid, "listLogs", nil, "?level=loud")
	got := w.ok(owner, "downloadBundle", nil)
	z, err := zip.NewReader(bytes.NewReader(got.body), int64(len(got.body)))
	if err != nil {
		w.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	for _, want := range []string{"log.txt", "status.json", "settings.json", "keys.json", "facts.json"} {
		if !slices.Contains(names, want) {
			w.Errorf("the bundle has no %s: %v", want, names)
		}
	}
	if u := decode[wire.UpdateState](w.T, w.ok(owner, "getUpdates", nil)); u.Current != "1.2.3" || u.CheckedAt != nil {
		w.Errorf("updates: %+v", u)
	}
	w.not(owner, 409, wire.ProblemConflict, "applyUpdate", nil)
	w.not(owner, 409, wire.ProblemConflict, "seeUpdate", nil)
	if u := decode[wire.UpdateState](w.T, w.ok(owner, "checkUpdates", nil)); !strings.Contains(u.Fault, "no update address") {
		w.Errorf("checked: %+v", u)
	}
	if x := decode[wire.Wizard](w.T, w.ok(owner, "getWizard", nil)); x.Step != "language" || x.Done || !x.FirstAnswer {
		w.Errorf("wizard: %+v", x)
	}
	w.not(owner, 422, wire.ProblemInvalid, "putWizard", wire.WizardWrite{Step: "nowhere"})
	w.ok(owner, "putWizard", wire.WizardWrite{Step: "look"})
	if x := decode[wire.Wizard](w.T, w.ok(owner, "putWizard", wire.WizardWrite{Step: "try", Done: true})); !x.Done || !slices.Equal(x.Visited, []string{"look", "try"}) {
		w.Errorf("wizard: %+v", x)
	}
	about := decode[wire.About](w.T, w.ok(owner, "getAbout", nil))
	if about.SQLite == "" || about.Commit != "abc" || len(about.Leaves) < 3 || about.Licences == nil {
		w.Errorf("about: %+v", about)
	}
}

func filters(w *walk, owner *door) {
	f := decode[wire.Filters](w.T, w.ok(owner, "getFilters", nil))
	shipped, err := starter.Lists()
	if err != nil {
		w.Fatal(err)
	}
	if len(f.Lists) != len(shipped) || f.Lists[0].Source != "starter" || f.Lists[0].Enabled || f.Lists[0].Count == 0 {
		w.Errorf("lists at first: %+v", f.Lists)
	}
	if len(f.Patterns) != 1 || !f.Patterns[0].ReadOnly || len(f.Layers) != 3 || len(f.Detectors) < 5 {
		w.Errorf("filters: %+v", f)
	}
	c := f.Config
	c.Shadow, c.BlockedText, c.Review.Topics, c.PatternsOn = true, "Not here.", "politics", false
	put := decode[wire.FilterConfig](w.T, w.ok(owner, "setFilterConfig", c))
	if !put.Shadow || put.BlockedText != "Not here." || put.PatternsOn || put.Revision == f.Config.Revision || !w.h.settings.Current().Filter.Shadow {
		w.Errorf("put: %+v", put)
	}
	if p := w.not(owner, 409, wire.ProblemConflict, "setFilterConfig", c); p.Current == nil {
		w.Errorf("a conflict without what is there: %+v", p)
	}
	put.ActionIn = "explode"
	w.not(owner, 422, wire.ProblemInvalid, "setFilterConfig", put)
	put.ActionIn, put.Shadow, put.PatternsOn, put.Revision = chat.ActionBlock, false, true, -1
	w.ok(owner, "setFilterConfig", put)

	d := decode[wire.Detector](w.T, w.ok(owner, "changeDetector", wire.DetectorWrite{Enabled: true, Action: chat.ActionMask}, "email"))
	if !d.Enabled || d.Way != wire.WayBoth {
		w.Errorf("detector: %+v", d)
	}
	w.not(owner, 404, wire.ProblemNotFound, "changeDetector", wire.DetectorWrite{}, "soul")
	w.not(owner, 422, wire.ProblemInvalid, "changeDetector", wire.DetectorWrite{Way: "up"}, "email")
	r := decode[wire.FilterTestResult](w.T, w.ok(owner, "testFilters", wire.FilterTest{Direction: chat.Inbound, Text: "write to mei@example.com"}))
	if r.Action != chat.ActionMask || strings.Contains(r.Text, "mei@example.com") || len(r.Layers) != 3 {
		w.Errorf("tested: %+v", r)
	}
	w.not(owner, 422, wire.ProblemInvalid, "testFilters", wire.FilterTest{Direction: "sideways", Text: "x"})
	w.not(owner, 422, wire.ProblemInvalid, "testFilters", wire.FilterTest{Direction: chat.Inbound})
	hits(w, owner)
}

func hits(w *walk, owner *door) {
	if err := w.h.db.Filters().AddHits(context.Background(), []sqlite.FilterHit{
		{Layer: chat.LayerWords, Rule: "spam", Action: chat.ActionBlock, Direction: chat.Inbound, Match: "Spamalot"},
		{Layer: chat.LayerReview, Rule: "model", Action: chat.ActionBlock, Direction: chat.Inbound},
	}); err != nil {
		w.Fatal(err)
	}
	all := decode[wire.HitList](w.T, w.ok(owner, "listHits", nil))
	if len(all.Items) != 2 || len(all.Top) != 2 {
		w.Fatalf("hits: %+v", all)
	}
	one := decode[wire.HitList](w.T, w.ok(owner, "listHits", nil, "?layer=words&limit=1"))
	if len(one.Items) != 1 || one.Items[0].Rule != "spam" {
		w.Errorf("hits of words: %+v", one)
	}
	w.not(owner, 422, wire.ProblemInvalid, "listHits", nil, "?layer=skin")
	w.not(owner, 422, wire.ProblemInvalid, "listHits", nil, "?cursor=x")
	e := decode[wire.FilterException](w.T, w.ok(owner, "markFalsePositive", nil, fmt.Sprint(one.Items[0].ID)))
	if e.Text != "Spamalot" || e.Rule != "spam" || e.By == "" {
		w.Errorf("exception: %+v", e)
	}
	w.not(owner, 404, wire.ProblemNotFound, "markFalsePositive", nil, "999")
	w.not(owner, 409, wire.ProblemConflict, "markFalsePositive", nil, fmt.Sprint(all.Items[0].ID)) // the review names no text
	w.ok(owner, "addException", wire.FilterExceptionNew{Text: "Scunthorpe"})
	w.not(owner, 409, wire.ProblemExists, "addException", wire.FilterExceptionNew{Text: "Scunthorpe"})
	w.not(owner, 422, wire.ProblemInvalid, "addException", wire.FilterExceptionNew{Text: " "})
	w.ok(owner, "deleteException", nil, fmt.Sprint(e.ID))
	w.not(owner, 404, wire.ProblemNotFound, "deleteException", nil, fmt.Sprint(e.ID))
	if again := decode[wire.HitList](w.T, w.ok(owner, "listHits", nil, "?layer=words")); again.Items[0].FalsePositive {
		w.Error("the hit does not count again")
	}
}
