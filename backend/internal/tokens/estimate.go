package tokens

import "unicode"

// Estimate returns about how many tokens text costs a model whose vocabulary
// is unknown. It is made to err on the high side (compare the test's table):
// a prompt that is a little too short is better than one that is refused.
//
// Letters of alphabets count a word's first four letters as one token and each
// further four as one more; Han, kana and hangul count one and an eighth a
// character; digits one for three; other signs one each; runs of blanks one
// for eight, with one blank in front of a word free.
func Estimate(text string) int {
	var eighths int // in eighths of a token, to stay with integers
	var letters, digits, blanks int
	flush := func() {
		if letters > 0 {
			eighths += 8 * ((letters + 3) / 4)
		}
		if digits > 0 {
			eighths += 8 * ((digits + 2) / 3)
		}
		if blanks > 1 {
			eighths += 8 * ((blanks + 7) / 8)
		}
		letters, digits, blanks = 0, 0, 0
	}
	for _, r := range text {
		switch {
		case r == ' ':
			if blanks == 0 {
				flush()
			}
			blanks++
		case r < 0x80 && (r|0x20) >= 'a' && (r|0x20) <= 'z':
			if letters == 0 {
				flush()
			}
			letters++
		case r >= '0' && r <= '9':
			if digits == 0 {
				flush()
			}
			digits++
		case wide(r):
			flush()
			eighths += 9
		case unicode.IsLetter(r):
			// Alphabets outside ASCII cost about twice as much a letter.
			if letters == 0 {
				flush()
			}
			letters += 2
		case r >= 0x1F000:
			flush()
			eighths += 24 // emoji: up to three tokens
		default:
			flush()
			eighths += 8
		}
	}
	flush()
	return (eighths + 7) / 8
}

// wide reports whether r is Han, kana, hangul or their punctuation.
func wide(r rune) bool {
	switch {
	case r < 0x2E80:
		return false
	case r <= 0xD7FF, r >= 0xF900 && r <= 0xFAFF, r >= 0xFF00 && r <= 0xFFEF, r >= 0x20000 && r <= 0x3FFFF:
		return true
	}
	return false
}
