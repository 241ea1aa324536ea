package tokens

import (
	"compress/flate"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
)

// packed holds the vocabularies of OpenAI's tiktoken (MIT) as the test
// TestVocabularies packs them: the number of tokens in four bytes, then under
// one DEFLATE the length of each token and after these the tokens, in the
// order of their ranks. As base64 lines, which is how the loader's module
// embeds them together with two that nobody asks for, they would be a sixth of
// the whole program.
//
//go:embed vocabulary/*.bin
var packed embed.FS

// ranks unpacks a vocabulary. All tokens share one string.
func ranks(name string) (map[string]int, error) {
	f, err := packed.Open("vocabulary/" + name + ".bin")
	if err != nil {
		return nil, fmt.Errorf("read vocabulary: %w", err)
	}
	defer f.Close()
	var count [4]byte
	if _, err := io.ReadFull(f, count[:]); err != nil {
		return nil, fmt.Errorf("read vocabulary: %w", err)
	}
	z := flate.NewReader(f)
	sizes := make([]byte, binary.LittleEndian.Uint32(count[:]))
	if _, err := io.ReadFull(z, sizes); err != nil {
		return nil, fmt.Errorf("unpack vocabulary: %w", err)
	}
	all, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("unpack vocabulary: %w", err)
	}
	text, out := string(all), make(map[string]int, len(sizes))
	for rank, n := range sizes {
		if int(n) > len(text) {
			return nil, fmt.Errorf("unpack vocabulary: token %d is cut", rank)
		}
		out[text[:n]] = rank
		text = text[n:]
	}
	if text != "" {
		return nil, fmt.Errorf("unpack vocabulary: %d bytes too many", len(text))
	}
	return out, nil
}
