package backend

import (
	"fmt"
	"testing"
	"time"
)

// TestFormsOfOneLine: a network of IPv6 addresses is one sender.
func TestFormsOfOneLine(t *testing.T) {
	var l addressLimit
	now, taken := time.Now(), 0
	for i := range 50 {
		if l.allow(fmt.Sprintf("2001:db8::%x", i+1), now) {
			taken++
		}
	}
	if taken != 10 || !l.allow("2001:db8:0:1::1", now) || !l.allow("203.0.113.7", now) {
		t.Errorf("%d of 50 forms of one line were taken", taken)
	}
}
