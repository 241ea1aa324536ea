package tokens

import (
	"compress/flate"
	"embed"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
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

// unpack reads a vocabulary. All tokens share one string.
func unpack(name string) (*table, error) {
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
	total := 0
	for _, n := range sizes {
		total += int(n)
	}
	var text strings.Builder
	text.Grow(total)
	if _, err := io.CopyN(&text, z, int64(total)); err != nil {
		return nil, fmt.Errorf("unpack vocabulary: %w", err)
	}
	t, err := newTable(sizes, text.String())
	if err != nil {
		return nil, fmt.Errorf("unpack vocabulary: %w", err)
	}
	return t, nil
}
