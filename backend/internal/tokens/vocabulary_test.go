package tokens

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"flag"
	"os"
	"testing"

	loader "github.com/pkoukk/tiktoken-go-loader"
)

var update = flag.Bool("update", false, "pack the vocabularies anew from the loader's module")

// TestVocabularies: what is embedded is what the loader's module holds.
func TestVocabularies(t *testing.T) {
	for _, name := range encodingNames {
		want, err := loader.NewOfflineLoader().LoadTiktokenBpe(name + ".tiktoken")
		if err != nil {
			t.Fatal(err)
		}
		if *update {
			pack(t, name, want)
			continue
		}
		got, err := unpack(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.ends) < 100_000 || len(got.ends) != len(want) {
			t.Errorf("%s: %d tokens, the module has %d; pack them with -update", name, len(got.ends), len(want))
		}
		for token, rank := range want {
			if r, known := got.rank(token); !known || r != rank {
				t.Fatalf("%s: %q has rank %d %v, not %d; pack them with -update", name, token, r, known, rank)
			}
			if _, known := want[token+"\x00"]; !known {
				if _, known := got.rank(token + "\x00"); known {
					t.Fatalf("%s: %q is no token", name, token+"\x00")
				}
			}
		}
	}
}

func pack(t *testing.T, name string, ranks map[string]int) {
	tokens := make([]string, len(ranks))
	for token, rank := range ranks {
		tokens[rank] = token
	}
	var sizes, body []byte
	for _, token := range tokens {
		sizes, body = append(sizes, byte(len(token))), append(body, token...)
	}
	var b bytes.Buffer
	b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(tokens))))
	z, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	z.Write(append(sizes, body...))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("vocabulary/"+name+".bin", b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
