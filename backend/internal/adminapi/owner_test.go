package adminapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"haoke/backend/internal/adminapi"
	"haoke/backend/internal/chat"
	"haoke/backend/internal/sqlite"
	"haoke/backend/internal/wire"
)

func faq(w *walk, owner *door) {
	if err := w.h.db.FAQ().AddUnanswered(context.Background(), "Do you ship to Mars?", "en", ""); err != nil {
		w.Fatal(err)
	}
	if err := w.h.db.FAQ().AddUnanswered(context.Background(), "Is the tea alive?", "en", ""); err != nil {
		w.Fatal(err)
	}
	un := decode[wire.UnansweredList](w.T, w.ok(owner, "listUnanswered", nil))
	if len(un.Items) != 2 {
		w.Fatalf("unanswered: %+v", un)
	}
	w.not(owner, 422, wire.ProblemInvalid, "listUnanswered", nil, "?cursor=x")
	mars := un.Items[slices.IndexFunc(un.Items, func(u wire.Unanswered) bool { return strings.Contains(u.Text, "Mars") })]
	e := decode[wire.FAQEntry](w.T, w.ok(owner, "addFAQ", wire.FAQWrite{
		Question: " Do you ship to Mars? ", Answer: "Not yet.", Alternatives: []string{"Delivery to Mars?", ""}, Enabled: true, Unanswered: mars.ID,
	}))
	if e.Lang != "en" || e.Question != "Do you ship to Mars?" || len(e.Alternatives) != 1 {
		w.Errorf("added: %+v", e)
	}
	un = decode[wire.UnansweredList](w.T, w.ok(owner, "listUnanswered", nil))
	if len(un.Items) != 1 {
		w.Errorf("the question stays unanswered: %+v", un)
	}
	w.ok(owner, "dismissUnanswered", nil, fmt.Sprint(un.Items[0].ID))
	w.not(owner, 404, wire.ProblemNotFound, "dismissUnanswered", nil, fmt.Sprint(un.Items[0].ID))
	w.not(owner, 409, wire.ProblemExists, "addFAQ", wire.FAQWrite{Question: "do you ship to mars?", Answer: "No.", Lang: "en"})
	for _, bad := range []wire.FAQWrite{{Answer: "x"}, {Question: "x"}, {Question: "x", Answer: "y", Lang: "klingon!"}, {Question: strings.Repeat("x", 501), Answer: "y"}} {
		w.not(owner, 422, wire.ProblemInvalid, "addFAQ", bad)
	}
	r := decode[wire.FAQTestResult](w.T, w.ok(owner, "testFAQ", wire.FAQTest{Question: "Delivery to Mars?"}))
	if !r.Found || r.Answer != "Not yet." || r.Matches[0].ID != e.ID {
		w.Errorf("the changed FAQ is not in use: %+v", r)
	}
	w.ok(owner, "changeFAQ", wire.FAQWrite{Question: e.Question, Answer: "By rocket.", Lang: "en", Enabled: true}, fmt.Sprint(e.ID))
	w.not(owner, 404, wire.ProblemNotFound, "changeFAQ", wire.FAQWrite{Question: "q", Answer: "a"}, "999")
	w.not(owner, 404, wire.ProblemNotFound, "changeFAQ", wire.FAQWrite{Question: "q", Answer: "a"}, "0")
	importFAQ(w, owner)
	list := decode[wire.FAQList](w.T, w.ok(owner, "listFAQ", nil, "?limit=2"))
	if len(list.Items) != 2 || list.Next == "" || list.Total != 3 || !slices.Equal(list.Langs, []string{"en", "zh"}) {
		w.Errorf("listed: %+v", list)
	}
	if rest := decode[wire.FAQList](w.T, w.ok(owner, "listFAQ", nil, "?limit=2&cursor="+list.Next)); len(rest.Items) != 1 || rest.Next != "" {
		w.Errorf("the rest: %+v", rest)
	}
	if found := decode[wire.FAQList](w.T, w.ok(owner, "listFAQ", nil, "?query=rocket")); len(found.Items) != 1 || found.Items[0].Answer != "By rocket." {
		w.Fatalf("searched: %+v", found)
	} else {
		e = found.Items[0] // the import has replaced everything
	}
	if zh := decode[wire.FAQList](w.T, w.ok(owner, "listFAQ", nil, "?lang=zh")); len(zh.Items) != 1 {
		w.Errorf("of a language: %+v", zh)
	}
	w.ok(owner, "deleteFAQ", nil, fmt.Sprint(e.ID))
	w.not(owner, 404, wire.ProblemNotFound, "deleteFAQ", nil, fmt.Sprint(e.ID))
}

// importFAQ reads a table as a Chinese spreadsheet writes it: GBK, semicolons.
func importFAQ(w *walk, owner *door) {
	table, err := simplifiedchinese.GBK.NewEncoder().String("问题;答案;语言\n你们几点开门？;九点。;zh\nOnly a question;;en\nHow much?;Five.;en\nhow much?;Six.;en\n")
	if err != nil {
		w.Fatal(err)
	}
	in := raw{"text/csv", []byte(table)}
	dry := decode[wire.ImportReport](w.T, w.ok(owner, "importFAQ", in, "?dry_run=true"))
	if dry.Added != 2 || dry.Rejected != 1 || dry.Skipped != 1 || dry.Encoding != "gb18030" || len(dry.Notes) != 2 || len(dry.Preview) != 2 {
		w.Errorf("the dry run: %+v", dry)
	}
	if list := decode[wire.FAQList](w.T, w.ok(owner, "listFAQ", nil)); list.Total != 1 {
		w.Errorf("the dry run changed something: %+v", list)
	}
	if did := decode[wire.ImportReport](w.T, w.ok(owner, "importFAQ", in)); did.Added != 2 || did.Updated != 0 {
		w.Errorf("the import: %+v", did)
	}
	if again := decode[wire.ImportReport](w.T, w.ok(owner, "importFAQ", in)); again.Added != 0 || again.Updated != 2 {
		w.Errorf("once more: %+v", again)
	}
	w.not(owner, 422, wire.ProblemInvalid, "importFAQ", raw{"text/csv", []byte("a,b\n1,2\n")})
	w.not(owner, 422, wire.ProblemInvalid, "importFAQ", raw{"text/csv", []byte("\x00\x01\x02")})
	mappedFAQ(w, owner)
	out := w.ok(owner, "exportFAQ", nil)
	if !strings.Contains(string(out.body), "你们几点开门？") || !strings.Contains(out.head.Get("Content-Disposition"), ".csv") {
		w.Errorf("exported: %s", out.body)
	}
	if back := decode[wire.ImportReport](w.T, w.ok(owner, "importFAQ", raw{"text/csv", out.body}, "?replace=true")); back.Added != 3 {
		w.Errorf("the export comes back as %+v", back)
	}
	if en := w.ok(owner, "exportFAQ", nil, "?lang=en"); strings.Contains(string(en.body), "几点") {
		w.Errorf("a language exported: %s", en.body)
	}
}

func lists(w *walk, owner *door) {
	l := decode[wire.WordList](w.T, w.ok(owner, "addWordList", wire.WordListWrite{Name: "House rules", Action: chat.ActionBlock, Way: wire.WayIn, Enabled: true}))
	id := fmt.Sprint(l.ID)
	w.not(owner, 409, wire.ProblemExists, "addWordList", wire.WordListWrite{Name: "House rules"})
	w.not(owner, 422, wire.ProblemInvalid, "addWordList", wire.WordListWrite{})
	w.not(owner, 422, wire.ProblemInvalid, "addWordList", wire.WordListWrite{Name: "x", Action: "explode"})
	r := decode[wire.ImportReport](w.T, w.ok(owner, "editWords", wire.WordEdit{Add: []string{"gambling", "Gambling ", "x", "  ", "赌博"}}, id))
	if r.Added != 3 || r.Skipped != 1 || r.Rejected != 1 {
		w.Errorf("edited: %+v", r)
	}
	if !slices.ContainsFunc(r.Notes, func(n wire.ImportNote) bool { return n.Code == "one_letter" }) {
		w.Errorf("no warning of one letter: %+v", r.Notes)
	}
	if x := decode[wire.FilterTestResult](w.T, w.ok(owner, "testFilters", wire.FilterTest{Direction: chat.Inbound, Text: "online G.A.M.B.L.I.N.G"})); x.Action != chat.ActionBlock {
		w.Errorf("the words are not in use: %+v", x)
	}
	w.not(owner, 422, wire.ProblemInvalid, "editWords", wire.WordEdit{Add: make([]string, 10001)}, id)
	words := decode[wire.WordPage](w.T, w.ok(owner, "listWords", nil, id, "?limit=2"))
	if words.Total != 3 || len(words.Items) != 2 || words.Next == "" {
		w.Errorf("words: %+v", words)
	}
	if rest := decode[wire.WordPage](w.T, w.ok(owner, "listWords", nil, id, "?limit=2&cursor="+words.Next)); len(rest.Items) != 1 || rest.Next != "" {
		w.Errorf("the rest: %+v", rest)
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("# a remark\n彩票的事\n彩票的事\n赌博\n")
	if err != nil {
		w.Fatal(err)
	}
	in := raw{"text/plain", []byte(gbk)}
	if dry := decode[wire.ImportReport](w.T, w.ok(owner, "importWords", in, id, "?dry_run=true")); dry.Added != 1 || dry.Skipped != 2 || dry.Encoding != "gb18030" {
		w.Errorf("the dry run: %+v", dry)
	}
	if did := decode[wire.ImportReport](w.T, w.ok(owner, "importWords", in, id)); did.Added != 1 {
		w.Errorf("the import: %+v", did)
	}
	w.not(owner, 413, wire.ProblemTooLarge, "importWords", raw{"text/plain", bytes.Repeat([]byte("word\n"), 14<<20)}, id)
	if out := w.ok(owner, "exportWords", nil, id); !strings.Contains(string(out.body), "彩票的事\n") {
		w.Errorf("exported: %s", out.body)
	}
	if out := w.ok(owner, "exportWords", nil, id, "?format=csv"); !strings.HasPrefix(string(out.body), "word,") {
		w.Errorf("exported as CSV: %s", out.body)
	}
	w.not(owner, 422, wire.ProblemInvalid, "exportWords", nil, id, "?format=xls")
	if x := decode[wire.WordList](w.T, w.ok(owner, "changeWordList", wire.WordListWrite{Name: "Rules", Way: wire.WayBoth}, id)); x.Name != "Rules" || x.Enabled || x.Count != 4 {
		w.Errorf("changed: %+v", x)
	}
	w.not(owner, 404, wire.ProblemNotFound, "changeWordList", wire.WordListWrite{Name: "x"}, "999")
	w.not(owner, 404, wire.ProblemNotFound, "listWords", nil, "-9")
	w.ok(owner, "deleteWordList", nil, id)
	w.not(owner, 404, wire.ProblemNotFound, "deleteWordList", nil, id)
}

func patterns(w *walk, owner *door) {
	p := decode[wire.FilterPattern](w.T, w.ok(owner, "addPattern", wire.FilterPatternWrite{Name: "Order", Expr: `ORD-\d{4}`, Action: chat.ActionMask, Enabled: true}))
	id := fmt.Sprint(p.ID)
	w.not(owner, 409, wire.ProblemExists, "addPattern", wire.FilterPatternWrite{Name: "Order", Expr: "x+"})
	for _, bad := range []string{"(", "", "(?=x)", strings.Repeat("a", 1001), "(a{1,900}){1,900}"} {
		if f := w.not(owner, 422, wire.ProblemInvalid, "addPattern", wire.FilterPatternWrite{Name: "Bad", Expr: bad}); f.Field != "expr" {
			w.Errorf("%.20q: %+v", bad, f)
		}
	}
	if x := decode[wire.FilterTestResult](w.T, w.ok(owner, "testFilters", wire.FilterTest{Direction: chat.Inbound, Text: "my ORD-1234"})); x.Action != chat.ActionMask {
		w.Errorf("the pattern is not in use: %+v", x)
	}
	w.ok(owner, "changePattern", wire.FilterPatternWrite{Name: "Order", Expr: `ORD-\d{5}`}, id)
	w.not(owner, 404, wire.ProblemNotFound, "changePattern", wire.FilterPatternWrite{Name: "y", Expr: "y+"}, "999")
	w.not(owner, 409, wire.ProblemLocked, "deletePattern", nil, "-1")
	good := decode[wire.PatternReport](w.T, w.ok(owner, "checkPattern", wire.PatternCheck{Expr: `o\w+`, Text: "two oranges"}))
	if !good.OK || len(good.Spans) == 0 || good.CostMax == 0 {
		w.Errorf("checked: %+v", good)
	}
	if bad := decode[wire.PatternReport](w.T, w.ok(owner, "checkPattern", wire.PatternCheck{Expr: `o(`})); bad.OK || bad.Error == "" {
		w.Errorf("checked: %+v", bad)
	}
	w.ok(owner, "deletePattern", nil, id)
	w.not(owner, 404, wire.ProblemNotFound, "deletePattern", nil, id)
}

func keys(w *walk, owner *door) {
	w.ok(owner, "listPresets", nil)
	w.not(owner, 409, wire.ProblemConflict, "deleteProvider", nil, "main")
	if kept := decode[wire.AnswerCache](w.T, w.ok(owner, "getAnswerCache", nil)); kept.Entries != 0 || kept.TTLSeconds != 0 {
		w.Errorf("kept answers, when none are to be kept: %+v", kept)
	}
	w.ok(owner, "purgeAnswers", nil)
	base := w.h.sim.URL + "/v1"
	w.ok(owner, "changeProvider", wire.ProviderWrite{BaseURL: base, Model: "gpt-4o-mini", Enabled: true}, "main")
	k := decode[wire.Key](w.T, w.ok(owner, "addKey", wire.KeyNew{Name: "first", Value: "Bearer sk-good-key-0123456789 "}))
	if k.Masked == "" || strings.Contains(k.Masked, "0123456") {
		w.Errorf("masked: %+v", k)
	}
	w.not(owner, 409, wire.ProblemExists, "addKey", wire.KeyNew{Name: "first", Value: "sk-other-key-1234567"})
	w.not(owner, 422, wire.ProblemInvalid, "addKey", wire.KeyNew{Name: "x", Value: "two words"})
	w.not(owner, 422, wire.ProblemInvalid, "addKey", wire.KeyNew{Name: "x", Value: "sk-1234567890", Provider: "nobody"})
	if x := decode[wire.KeyTest](w.T, w.ok(owner, "testKey", nil, "first")); !x.OK {
		w.Errorf("a good key: %+v", x)
	}
	w.not(owner, 404, wire.ProblemNotFound, "testKey", nil, "none")
	if x := decode[wire.KeyTest](w.T, w.ok(owner, "probeKey", wire.KeyProbe{BaseURL: base, Value: "sk-wrong-key-000000000", Model: "gpt-4o-mini"})); x.OK || x.Text == "" {
		w.Errorf("a wrong key: %+v", x)
	}
	w.not(owner, 422, wire.ProblemInvalid, "probeKey", wire.KeyProbe{BaseURL: "nonsense", Value: "sk-wrong-key-000000000"})
	next := "sk-next-key-9876543210"
	w.ok(owner, "changeKey", wire.KeyPatch{Value: &next}, "first")
	w.not(owner, 404, wire.ProblemNotFound, "changeKey", wire.KeyPatch{}, "none")
	w.ok(owner, "addKey", wire.KeyNew{Name: "second", Value: "sk-good-key-0123456789"})
	ring := decode[wire.KeyRing](w.T, w.ok(owner, "orderKeys", wire.KeyOrder{Names: []string{"second", "first"}}))
	if n := ring.Providers[0].Keys; len(n) != 2 || n[0].Name != "second" {
		w.Errorf("ordered: %+v", n)
	}
	w.ok(owner, "addProvider", wire.ProviderWrite{Name: "spare", BaseURL: base, Model: "m", Enabled: true})
	w.not(owner, 409, wire.ProblemExists, "addProvider", wire.ProviderWrite{Name: "spare", BaseURL: base})
	w.not(owner, 422, wire.ProblemInvalid, "addProvider", wire.ProviderWrite{Name: "x", BaseURL: "ftp://x"})
	w.ok(owner, "addProvider", wire.ProviderWrite{Name: "last", BaseURL: base, Model: "m", Enabled: true})
	ring = decode[wire.KeyRing](w.T, w.ok(owner, "orderProviders", wire.KeyOrder{Names: []string{"last", "spare"}}))
	if len(ring.Providers) != 3 || ring.Providers[1].Name != "last" {
		w.Errorf("providers: %+v", ring.Providers)
	}
	w.ok(owner, "addKey", wire.KeyNew{Name: "third", Provider: "spare", Value: "sk-good-key-0123456789"})
	w.ok(owner, "deleteProvider", nil, "spare")
	w.not(owner, 404, wire.ProblemNotFound, "deleteProvider", nil, "spare")
	w.not(owner, 404, wire.ProblemNotFound, "changeProvider", wire.ProviderWrite{BaseURL: base}, "spare")
	w.not(owner, 404, wire.ProblemNotFound, "changeKey", wire.KeyPatch{}, "third") // went with its provider
	w.ok(owner, "deleteKey", nil, "second")
	w.not(owner, 404, wire.ProblemNotFound, "deleteKey", nil, "second")
	if got := w.ok(owner, "listKeys", nil); bytes.Contains(got.body, []byte("9876543210")) {
		w.Errorf("a key is shown: %s", got.body)
	}
}

func backups(w *walk, owner *door) {
	w.ok(owner, "getArchive", nil)
	w.ok(owner, "testArchive", wire.ArchiveProbe{DSN: "clickhouse://nowhere:1/x"})
	w.not(owner, 422, wire.ProblemInvalid, "testArchive", wire.ArchiveProbe{DSN: strings.Repeat("x", 3000)})
	w.ok(owner, "runArchive", nil)

	plain := decode[wire.Backup](w.T, w.ok(owner, "addBackup", wire.BackupNew{}))
	sealed := decode[wire.Backup](w.T, w.ok(owner, "addBackup", wire.BackupNew{Passphrase: "a good passphrase"}))
	if plain.Encrypted || !sealed.Encrypted || plain.Version != "1.2.3" || plain.VerifiedAt == nil || plain.Name == sealed.Name {
		w.Fatalf("made: %+v, %+v", plain, sealed)
	}
	w.not(owner, 422, wire.ProblemInvalid, "addBackup", wire.BackupNew{Passphrase: "short"})
	list := decode[wire.Backups](w.T, w.ok(owner, "listBackups", nil))
	if len(list.Items) != 2 || list.Staged != nil || list.Running {
		w.Errorf("listed: %+v", list)
	}
	w.ok(owner, "verifyBackup", wire.BackupOpen{Passphrase: "a good passphrase"}, sealed.Name)
	if p := w.not(owner, 422, wire.ProblemInvalid, "verifyBackup", wire.BackupOpen{Passphrase: "a bad passphrase"}, sealed.Name); p.Field != "passphrase" {
		w.Errorf("a wrong passphrase: %+v", p)
	}
	w.not(owner, 404, wire.ProblemNotFound, "verifyBackup", wire.BackupOpen{}, "none.backup")
	w.not(owner, 404, wire.ProblemNotFound, "downloadBackup", nil, "..%2fhaoke.db")
	w.not(owner, 404, wire.ProblemNotFound, "deleteBackup", nil, "haoke.db")
	file := w.ok(owner, "downloadBackup", nil, sealed.Name)
	if int64(len(file.body)) != sealed.Bytes || bytes.Contains(file.body, []byte("SQLite format")) {
		w.Errorf("downloaded %d bytes of %d", len(file.body), sealed.Bytes)
	}
	octets := raw{"application/octet-stream", file.body}
	up := decode[wire.Backup](w.T, w.ok(owner, "uploadBackup", octets, "?name=..%2F..%2Fmoved.backup"))
	if up.Name != "moved.backup" || !up.Encrypted {
		w.Errorf("uploaded: %+v", up)
	}
	w.not(owner, 409, wire.ProblemExists, "uploadBackup", octets, "?name=moved.backup")
	w.not(owner, 422, wire.ProblemInvalid, "uploadBackup", raw{"application/octet-stream", []byte("not a backup")}, "?name=x")
	if p := w.not(owner, 422, wire.ProblemInvalid, "stageRestore", wire.BackupOpen{Passphrase: "no, another one"}, up.Name); p.Field != "passphrase" {
		w.Errorf("a wrong passphrase: %+v", p)
	}
	s := decode[wire.Staged](w.T, w.ok(owner, "stageRestore", wire.BackupOpen{Passphrase: "a good passphrase"}, up.Name))
	if s.Conversations != 1 || s.Name != up.Name {
		w.Errorf("staged: %+v", s)
	}
	if list := decode[wire.Backups](w.T, w.ok(owner, "listBackups", nil)); list.Staged == nil || *list.Staged != s {
		w.Errorf("listed with a staged one: %+v", list)
	}
	if err := sqlite.Verify(context.Background(), filepath.Join(w.h.dir, adminapi.StagedDatabase)); err != nil {
		w.Errorf("the staged database: %v", err)
	}
	w.ok(owner, "cancelRestore", nil)
	if _, err := os.Stat(filepath.Join(w.h.dir, adminapi.StagedDatabase)); err == nil {
		w.Error("the staged database stays")
	}
	w.ok(owner, "deleteBackup", nil, plain.Name)
	w.not(owner, 404, wire.ProblemNotFound, "downloadBackup", nil, plain.Name)
	left, err := os.ReadDir(filepath.Join(w.h.dir, "backups"))
	if err != nil || len(left) != 2 {
		w.Errorf("left in the folder: %v, %v", left, err)
	}
}

// TestBackupMovesKeys restores a sealed backup on another machine: its keys
// open with that machine's master key. An unsealed one carries none in clear.
func TestBackupMovesKeys(t *testing.T) {
	const key = "sk-good-key-0123456789"
	first := open(t, options{})
	owner := first.script()
	decode[wire.Key](t, owner.send("POST", "/keys", wire.KeyNew{Name: "k", Value: key}))
	decode[wire.SettingsChange](t, owner.send("PUT", "/settings", wire.SettingsWrite{Values: map[string]json.RawMessage{"site.identity_secret": json.RawMessage(`"an identity secret of 32 letters"`)}}))
	sealed := decode[wire.Backup](t, owner.send("POST", "/backups", wire.BackupNew{Passphrase: "a good passphrase"}))
	file := owner.send("GET", "/backups/"+sealed.Name, nil)

	second := open(t, options{})
	there := second.script()
	decode[wire.Backup](t, there.send("POST", "/restore/upload?name=from-first.backup", raw{"application/octet-stream", file.body}))
	got := there.send("POST", "/backups/from-first.backup/restore", wire.BackupOpen{Passphrase: "a good passphrase"})
	decode[wire.Staged](t, got)
	db, err := sqlite.Open(context.Background(), sqlite.Config{Path: filepath.Join(second.dir, adminapi.StagedDatabase), Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	keys, err := db.Keys().List(context.Background())
	if err != nil || len(keys) != 1 {
		t.Fatalf("keys of the staged database: %v, %v", keys, err)
	}
	plain, err := second.sealer.Open(keys[0].Sealed, adminapi.SecretName("k"))
	if err != nil || string(plain) != key {
		t.Fatalf("the key on the second machine: %q, %v", plain, err)
	}
	rows, err := db.Settings().Load(context.Background())
	if err != nil || len(rows) == 0 || bytes.Contains(rows[0].Value, []byte("identity secret")) {
		t.Fatalf("settings of the staged database: %d, %v", len(rows), err)
	}
	for _, dir := range []string{first.dir, second.dir} {
		nowhere(t, dir, key, "an identity secret", "a good passphrase")
	}
}

// nowhere walks a folder and wants none of the texts in any file.
func nowhere(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		data, err := io.ReadAll(f)
		for _, s := range secrets {
			if bytes.Contains(data, []byte(s)) {
				t.Errorf("%q is in clear in %s", s, path)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mappedFAQ imports tables whose first line says nothing that is known: the
// page asks which column is which.
func mappedFAQ(w *walk, owner *door) {
	other := raw{"text/csv", []byte("Nr;Kunde fragt;Wir sagen\n1;Habt ihr Tee?;Ja, sehr viel.\n2;Habt ihr Kaffee?;Leider nicht.\n")}
	asked := decode[wire.ImportReport](w.T, w.ok(owner, "importFAQ", other, "?dry_run=true"))
	want := []wire.ImportColumn{{Name: "Nr", Sample: "1"}, {Name: "Kunde fragt", Sample: "Habt ihr Tee?"}, {Name: "Wir sagen", Sample: "Ja, sehr viel."}}
	if !slices.Equal(asked.Columns, want) || asked.Added != 0 || len(asked.Notes) != 1 || asked.Notes[0].Code != "missing_column" {
		w.Fatalf("an unknown table: %+v", asked)
	}
	for query, added := range map[string]int{
		"?dry_run=true&columns=,question,answer":                          2,
		"?dry_run=true&columns=,question,answer&no_header=true":           3,
		"?dry_run=true&columns=,question,answer&no_header=true&replace=1": 3,
	} {
		if got := decode[wire.ImportReport](w.T, w.ok(owner, "importFAQ", other, query)); got.Added != added || got.Columns[1].Use != "question" || got.Columns[2].Use != "answer" {
			w.Errorf("%s: %+v", query, got)
		}
	}
	for _, query := range []string{"?columns=question,question,answer", "?columns=price", "?columns=,,,question", "?columns=question"} {
		w.not(owner, 422, wire.ProblemInvalid, "importFAQ", other, query)
	}
	did := decode[wire.ImportReport](w.T, w.ok(owner, "importFAQ", other, "?columns=,question,answer"))
	if did.Added != 2 || did.Preview[0].Key != "Habt ihr Tee?" || did.Preview[0].Value != "Ja, sehr viel." {
		w.Errorf("imported: %+v", did)
	}
	found := decode[wire.FAQList](w.T, w.ok(owner, "listFAQ", nil, "?query=Kaffee"))
	if len(found.Items) != 1 || found.Items[0].Answer != "Leider nicht." {
		w.Fatalf("not found again: %+v", found)
	}
	for _, q := range []string{"Habt", "Kaffee"} {
		for _, e := range decode[wire.FAQList](w.T, w.ok(owner, "listFAQ", nil, "?query="+q)).Items {
			w.ok(owner, "deleteFAQ", nil, fmt.Sprint(e.ID))
		}
	}
}
