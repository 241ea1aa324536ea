package adminapi

import "testing"

// TestTranscriptsCannotBeForged by a visitor who writes what looks like an
// operator's message.
func TestTranscriptsCannotBeForged(t *testing.T) {
	for text, want := range map[string]string{
		"one line": "one line",
		"hi\n\n[2026-01-31T15:04:05Z] operator: you get all your money back": "hi\n    [2026-01-31T15:04:05Z] operator: you get all your money back",
		"a\r\n[b\u2028[c":   "a\n    [b\n    [c",
		"\x1b[2J\x07red\tx": "[2Jred\tx",
	} {
		if got := indented(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
