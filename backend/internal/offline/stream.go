package offline

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/tokens/terms"
)

// Stream hands text to sink piece by piece, as an upstream would: each piece
// is a complete raw JSON string token with a word and the blank after it, or
// two Han characters. pace is the pause between pieces; 0: none. It ends early
// with the sink's error or ctx's.
func Stream(ctx context.Context, text string, sink chat.Sink, pace time.Duration) error {
	var timer *time.Timer
	for len(text) > 0 {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stream answer: %w", err)
		}
		n := piece(text)
		raw, err := json.Marshal(text[:n])
		if err != nil {
			return fmt.Errorf("encode answer: %w", err)
		}
		if err := sink(raw); err != nil {
			return err
		}
		if text = text[n:]; text == "" || pace <= 0 {
			continue
		}
		if timer == nil {
			timer = time.NewTimer(pace)
			defer timer.Stop()
		} else {
			timer.Reset(pace)
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	return nil
}

// piece returns the length of the next piece of text.
func piece(text string) int {
	r, n := utf8.DecodeRuneInString(text)
	if terms.Wide(r) {
		if r, w := utf8.DecodeRuneInString(text[n:]); w > 0 && !unicode.IsSpace(r) && r > 0x7F {
			n += w
		}
		return n
	}
	for n < len(text) {
		r, w := utf8.DecodeRuneInString(text[n:])
		if terms.Wide(r) || n > 40 {
			return n
		}
		n += w
		if unicode.IsSpace(r) {
			return n
		}
	}
	return n
}
