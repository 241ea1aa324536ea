package settings

import (
	"encoding/json"
	"errors"
	"os"
	"testing"
)

// Whatever a config.toml holds: no panic; an error lists problems, each with a
// message and, where there is a key, with a line of the file; what is taken
// passes the checks again in its written form.
func FuzzConfig(f *testing.F) {
	contract, err := os.ReadFile("testdata/contract.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(contract)
	for _, s := range []string{
		"[upstream]\nkeys = [{name='a', value='b'}, {env=\"X\"}]\n", "a.b.c = [1, {d=2}]\n[[a]]\n", "[site]\nhours=[{days=['mon'],open='1:00',close='2:00'}]\n",
		"[[upstream.providers]]\nname='x'\nbase_url='http://h/v1'\n[upstream.providers.models]\na='b'\n[[upstream.providers.keys]]\nvalue='s'\n",
		"[widget.look]\ncolor='#fff'\nn=[1,2,{a=1979-05-27T07:32:00Z}]\n", "[log]\nlevel=\"\\u0000\"\n", "server.public_addr=':1'\n", "[limits]\nconnections=0x7fffffffffffffff\n",
		"\"server\".'public_addr' = \"\"\"\n:1\"\"\"\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s *Store
		var err error
		if doc, problem := parseTOML("config.toml", data); problem != nil {
			err = asError([]Problem{*problem})
		} else {
			s, err = assemble(Config{}, doc)
		}
		if err != nil {
			var se *Error
			if !errors.As(err, &se) || len(se.Problems) == 0 {
				t.Fatalf("an error without problems: %v", err)
			}
			for _, p := range se.Problems {
				if p.Message == "" || p.Line < 0 {
					t.Fatalf("a problem that says nothing: %+v", p)
				}
			}
			return
		}
		for path, v := range s.Values() {
			l := theSchema().byPath[path]
			if !json.Valid(v) {
				t.Fatalf("%s: %s is not JSON", path, v)
			}
			if _, err := decodeJSON(v); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if l.kind != kindSecret && l.kind != kindList {
				if _, err := l.rule.check(l.in(s.Current()).Interface()); err != nil {
					t.Fatalf("%s: what was taken is refused the second time: %v", path, err)
				}
			}
		}
	})
}
