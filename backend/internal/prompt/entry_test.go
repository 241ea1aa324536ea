package prompt

import (
	"testing"

	"haoke/backend/internal/chat"
)

func TestFilesAreNamedNotLinked(t *testing.T) {
	for in, want := range map[string]string{
		"![broken cup.png](/v1/files/94e2bcd8457f8e989f99a2ced0fdb56c.png)":        "(sent a file: broken cup.png)",
		"see [a.pdf](/v1/files/00e2bcd8457f8e989f99a2ced0fdb56c.pdf) and [b](/c)":  "see (sent a file: a.pdf) and [b](/c)",
		"[mine](https://shop.example/v1/files/x) stays, and so does /v1/files/y.z": "[mine](https://shop.example/v1/files/x) stays, and so does /v1/files/y.z",
	} {
		if got := toEntry(chat.Message{From: chat.FromVisitor, Text: in}).text; got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
