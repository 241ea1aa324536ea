package fold

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed pinyin.txt
var pinyinData string

// PinyinTable gives the toneless readings of the common Chinese characters,
// simplified. It is immutable and safe for concurrent use.
type PinyinTable struct {
	first, second map[rune]string
}

// Pinyin returns the table, which is read from the embedded data on first use.
func Pinyin() *PinyinTable { return sharedPinyin() }

var sharedPinyin = sync.OnceValue(func() *PinyinTable {
	first, second, _ := strings.Cut(pinyinData, "\n\n")
	return &PinyinTable{first: readings(first), second: readings(second)}
})

// Readings returns the usual reading of r and the next one; "" where there is
// none.
func (t *PinyinTable) Readings(r rune) (first, second string) {
	return t.first[r], t.second[r]
}

func readings(data string) map[rune]string {
	m := make(map[rune]string, len(data)/4)
	for line := range strings.Lines(data) {
		syllable, chars, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, r := range chars {
			m[r] = syllable
		}
	}
	return m
}
