package stack

import (
	"sync"
	"testing"
)

// deep takes about n KB of stack, as a parser or a database call does.
//
//go:noinline
func deep(n int) byte {
	var frame [960]byte
	frame[n] = byte(n)
	if n > 1 {
		frame[0] = deep(n - 1)
	}
	return frame[n] + frame[0]
}

// BenchmarkGoroutine is a goroutine that needs 12 KB of stack, as it is and
// grown at its beginning.
func BenchmarkGoroutine(b *testing.B) {
	for name, grow := range map[string]func(){"as it is": func() {}, "grown": Grow16} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var wg sync.WaitGroup
			for range b.N {
				wg.Add(1)
				go func() {
					defer wg.Done()
					grow()
					deep(12)
				}()
				wg.Wait()
			}
		})
	}
}

// Growing takes nothing from the heap.
func TestGrowAllocatesNothing(t *testing.T) {
	if n := testing.AllocsPerRun(100, Grow16); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
