package settings

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// open writes text as config.toml and opens it with the given environment.
func open(t *testing.T, text string, env []string, flags ...Flag) (*Store, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Open(Config{File: file, FileRequired: true, Environ: env, Flags: flags})
}

func mustOpen(t *testing.T, text string, env []string, flags ...Flag) *Store {
	t.Helper()
	s, err := open(t, text, env, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDefaultsPassTheirOwnRules(t *testing.T) {
	d := Default()
	sch := theSchema()
	for i := range sch.leaves {
		l := &sch.leaves[i]
		if l.kind == kindList {
			continue
		}
		got, err := l.rule.check(l.in(d).Interface())
		if err != nil {
			t.Errorf("%s: the default is refused: %v", l.path, err)
		} else if !reflect.DeepEqual(got, l.in(d).Interface()) {
			t.Errorf("%s: the default %v is not in its clean form %v", l.path, l.in(d), got)
		}
		if l.en == "" || l.zh == "" {
			t.Errorf("%s: a text is missing", l.path)
		}
	}
	if fs := crossCheck(d); len(fs) > 0 {
		t.Errorf("defaults are wrong together: %v", fs)
	}
}

func TestEveryDescriptionHasASetting(t *testing.T) {
	have := map[string]bool{}
	var walk func(ls []leaf)
	walk = func(ls []leaf) {
		for i := range ls {
			have[ls[i].path] = true
			walk(ls[i].item)
		}
	}
	walk(theSchema().leaves)
	for _, fs := range [][]field{edgeFields(), upstreamFields(), insideFields()} {
		for _, f := range fs {
			if !have[f.path] {
				t.Errorf("%s is described and does not exist", f.path)
			}
		}
	}
}

// The documented configuration is taken as it stands, and apart from the
// example's origin and key it is the default.
func TestDocumentedConfiguration(t *testing.T) {
	data, err := os.ReadFile("testdata/contract.toml")
	if err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, string(data), nil)
	got := Differs(s.Current(), Default())
	if want := []string{"server.allowed_origins", "upstream.keys"}; !reflect.DeepEqual(got, want) {
		t.Errorf("differs from the defaults in %v, want %v", got, want)
	}
	k := s.Current().Upstream.Keys[0]
	if k.Name != "main" || k.Value.Reveal() != "sk-..." || k.RPM != 500 || k.TPM != 200000 {
		t.Errorf("key = %+v", k)
	}
	if o := s.Origin("upstream.keys"); o.Source != File || o.Where != "config.toml:20" {
		t.Errorf("origin of the keys = %+v", o)
	}
	if o := s.Origin("upstream.timeout"); o.Where != "config.toml:16" {
		t.Errorf("origin of the timeout = %+v", o)
	}
}

func TestOrderOfSources(t *testing.T) {
	text := "[upstream]\nmodel = \"from-file\"\ntimeout = \"20s\"\nretries = 1\n"
	s := mustOpen(t, text,
		[]string{"HAOKE_UPSTREAM_MODEL=from-env", "HAOKE_UPSTREAM_TIMEOUT=25s", "HAOKE_LOG_LEVEL=", "PATH=/bin"},
		Flag{Name: "--timeout", Path: "upstream.timeout", Value: "30s"})
	c := s.Current()
	if c.Upstream.Model != "from-env" || c.Upstream.Timeout != 30*time.Second || c.Upstream.Retries != 1 || c.Log.Level != "info" {
		t.Errorf("got %+v", c.Upstream)
	}
	for path, want := range map[string]Origin{
		"upstream.model":   {Environment, "HAOKE_UPSTREAM_MODEL"},
		"upstream.timeout": {FlagLine, "--timeout"},
		"upstream.retries": {File, "config.toml:4"},
		"log.level":        {BuiltIn, "default"},
	} {
		if got := s.Origin(path); got != want {
			t.Errorf("%s: origin %+v, want %+v", path, got, want)
		}
	}
}

func TestEnvironmentForms(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("  abc-123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, "", []string{
		"HAOKE_SERVER_ALLOWED_ORIGINS=https://a.example/, https://B.example",
		`HAOKE_FILTER_PATTERNS=["a{1,2}","b"]`,
		"HAOKE_LIMITS_CONNECTIONS= 12 ", "HAOKE_VIP_SHARE=0.5", "HAOKE_MERGE_ENABLED=off",
		"HAOKE_SESSION_COLD_AFTER=7d", "HAOKE_ADMIN_TOKEN_FILE=" + secret,
		"HAOKE_UPSTREAM_KEY= \"sk-one\n\" ", "HAOKE_DATA=/var/lib/haoke",
	})
	c := s.Current()
	if got := strings.Join(c.Server.AllowedOrigins, " "); got != "https://a.example https://b.example" {
		t.Errorf("origins %q", got)
	}
	if len(c.Filter.Patterns) != 2 || c.Filter.Patterns[0] != "a{1,2}" {
		t.Errorf("patterns %q", c.Filter.Patterns)
	}
	if c.Limits.Connections != 12 || c.VIP.Share != 0.5 || c.Merge.Enabled || c.Session.ColdAfter != 7*day {
		t.Errorf("limits %+v vip %+v merge %+v session %+v", c.Limits, c.VIP, c.Merge, c.Session)
	}
	if c.Admin.Token.Reveal() != "abc-123" {
		t.Errorf("token %q", c.Admin.Token.Reveal())
	}
	if ks := c.Upstream.Keys; len(ks) != 1 || ks[0].Name != "main" || ks[0].Value.Reveal() != "sk-one" {
		t.Errorf("keys %d", len(ks))
	}
}

func TestKeysFromElsewhere(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("Bearer sk-file\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "[[upstream.keys]]\nenv = \"HAOKE_MY_KEY\"\n[[upstream.keys]]\nfile = '" + file + "'\n" +
		"[[upstream.providers]]\nname='b'\nbase_url='http://localhost:11434/v1/'\nkeys=[{value=\"sk-b\"}]\n"
	c := mustOpen(t, text, []string{"HAOKE_MY_KEY=sk-env"}).Current()
	if c.Upstream.Keys[0].Value.Reveal() != "sk-env" || c.Upstream.Keys[0].Name != "main" {
		t.Error("key of the environment")
	}
	if c.Upstream.Keys[1].Value.Reveal() != "sk-file" || c.Upstream.Keys[1].Name != "key-2" {
		t.Error("key of the file")
	}
	if p := c.Upstream.Providers[0]; p.Keys[0].Value.Reveal() != "sk-b" || p.BaseURL != "http://localhost:11434/v1" {
		t.Errorf("provider %+v", p)
	}
	one := mustOpen(t, "[[upstream.keys]]\nname=\"a\"\nvalue=\"x\"\nrpm=7\n", []string{"HAOKE_UPSTREAM_KEY=sk-new"}).Current()
	if k := one.Upstream.Keys[0]; k.Name != "a" || k.RPM != 7 || k.Value.Reveal() != "sk-new" {
		t.Errorf("HAOKE_UPSTREAM_KEY over one key: %+v", k)
	}
}

func TestRefusals(t *testing.T) {
	const secret = "sk-thisMustNotBeSeen0123456789"
	for _, tc := range []struct {
		name, text string
		env        []string
		want       []string // all in the message
	}{
		{"typo in a key", "[server]\n\npubic_addr = \"x\"\n", nil, []string{"config.toml:3:1", "server.pubic_addr", "unknown key", `did you mean "server.public_addr"`}},
		{"typo in a section", "[sever]\n", nil, []string{"config.toml:1:2", "sever", `"server"`}},
		{"no section", "model = \"x\"\n", nil, []string{"config.toml:1:1", "unknown key"}},
		{"section as a value", "server = 3\n", nil, []string{"config.toml:1:1", "is a section"}},
		{"wrong type", "[limits]\nconnections = \"many\"\n", nil, []string{"config.toml:2:1", `limits.connections = "many"`, "whole number", "1 to 1000000"}},
		{"out of range", "[limits]\nconnections = -5\n", nil, []string{"config.toml:2:1", "limits.connections = -5", "out of range"}},
		{"not finite", "[vip]\nshare = nan\n", nil, []string{"vip.share", "not a number"}},
		{"choice", "[log]\nlevel = \"inof\"\n", nil, []string{"debug, info, warn, error", `did you mean "info"`}},
		{"duration without unit", "[upstream]\ntimeout = 15\n", nil, []string{"upstream.timeout = 15", "no unit", `"15s"`}},
		{"base URL without /v1", "[upstream]\nbase_url = \"https://api.openai.com\"\n", nil, []string{"/v1", `did you mean "https://api.openai.com/v1"`}},
		{"origin with a path", "[server]\nallowed_origins = [\n  \"https://a.example\",\n  \"https://b.example/shop\",\n]\n", nil, []string{"config.toml:4:3", "server.allowed_origins[1]", `did you mean "https://b.example"`}},
		{"origin without scheme", "[server]\nallowed_origins = [\"shop.example\"]\n", nil, []string{`"https://shop.example"`}},
		{"range", "[server]\ntrusted_proxies = [\"10.0.0.0/40\"]\n", nil, []string{"trusted_proxies[0]", "not an address range"}},
		{"address", "[server]\npublic_addr = \"8787\"\n", nil, []string{"no host", `"127.0.0.1:8787"`}},
		{"port", "[server]\npublic_addr = \"127.0.0.1:99999\"\n", nil, []string{"0 to 65535"}},
		{"same address", "[server]\nadmin_addr = \"127.0.0.1:8787\"\n", nil, []string{"config.toml:2:1", "visitors' listener"}},
		{"pattern", "[filter]\npatterns = [\"a(\"]\n", nil, []string{"filter.patterns[0]", "does not compile", "missing closing"}},
		{"pattern that hits all", "[filter]\npatterns = [\"a*\"]\n", nil, []string{"matches the empty text"}},
		{"key field", "[[upstream.keys]]\nname = \"a\"\nvalue = \"b\"\n\n[[upstream.keys]]\nname = \"c\"\nvalu = \"" + secret + "\"\n", nil, []string{"config.toml:7:1", "upstream.keys[1].valu", "upstream.keys[1].value"}},
		{"key given twice", "[[upstream.keys]]\nvalue = \"" + secret + "\"\nenv = \"X\"\n", nil, []string{"config.toml:1:", "exactly one of value, env and file"}},
		{"key variable missing", "[[upstream.keys]]\nenv = \"NO_SUCH\"\n", nil, []string{"config.toml:2:1", "NO_SUCH is not set"}},
		{"key file missing", "[[upstream.keys]]\nfile = \"/no/such\"\n", nil, []string{"config.toml:2:1", "no such file"}},
		{"keys of one name", "[[upstream.keys]]\nname=\"a\"\nvalue = \"b\"\n[[upstream.keys]]\nname=\"a\"\nvalue=\"c\"\n", nil, []string{"config.toml:5:1", "is taken"}},
		{"secret of a wrong type", "[admin]\ntoken = 123456789\n", nil, []string{"admin.token = (hidden)", "not text"}},
		{"password too short", "[admin]\npassword = \"geheim\"\n", nil, []string{"admin.password = (hidden)", "6 characters"}},
		{"clickhouse", "[archive]\nclickhouse = \"mysql://u:" + secret + "@h/d\"\n", nil, []string{"archive.clickhouse = (hidden)", "clickhouse://"}},
		{"syntax", "[server]\npublic_addr = \"x\n", nil, []string{"config.toml:2:"}},
		{"key twice", "[log]\nlevel=\"info\"\nlevel=\"warn\"\n", nil, []string{"config.toml", "level"}},
		{"UTF-16", "\xff\xfe[\x00", nil, []string{"UTF-8"}},
		{"bad UTF-8", "[site]\nname = \"\xff\"\n", nil, []string{"config.toml:2", "UTF-8"}},
		{"environment typo", "", []string{"HAOKE_UPSTREAM_MODLE=x"}, []string{"HAOKE_UPSTREAM_MODLE", `did you mean "HAOKE_UPSTREAM_MODEL"`}},
		{"environment value", "", []string{"HAOKE_LIMITS_CONNECTIONS=ten"}, []string{"HAOKE_LIMITS_CONNECTIONS", "limits.connections", "whole number"}},
		{"time zone", "[site]\ntime_zone = \"Mars/Base\"\n", nil, []string{"not a known time zone"}},
		{"hours", "[[site.hours]]\ndays = [\"mon\", \"tu\"]\nopen = \"9\"\nclose = \"18:00\"\n", nil, []string{"config.toml:2:", "site.hours[0].days[1]", "config.toml:3:1", "site.hours[0].open"}},
		{"cheaper model", "[limits]\nat_cap = \"cheaper\"\n", nil, []string{"limits.cheaper_model"}},
		{"two at once", "[log]\nlevel = \"x\"\nfromat = \"y\"\n", nil, []string{"config.toml:2:1", "config.toml:3:1", `"log.format"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := open(t, tc.text, tc.env)
			var se *Error
			if !errors.As(err, &se) {
				t.Fatalf("got %v, want *Error", err)
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("message lacks %q:\n%s", w, err)
				}
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("message shows the secret:\n%s", err)
			}
		})
	}
}

func TestByteOrderMarkAndMissingFile(t *testing.T) {
	if c := mustOpen(t, "\xef\xbb\xbf[site]\nname=\"茶\"\n", nil).Current(); c.Site.Name != "茶" {
		t.Errorf("name %q", c.Site.Name)
	}
	missing := filepath.Join(t.TempDir(), "none.toml")
	if _, err := Open(Config{File: missing}); err != nil {
		t.Errorf("optional file: %v", err)
	}
	if _, err := Open(Config{File: missing, FileRequired: true}); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("required file: %v", err)
	}
}
