package filtertest

import "testing"

// OverMessages measures f over all messages in each round and reports how many
// of them it says are hit, bytes a second and the time a message.
func OverMessages(b *testing.B, msgs []string, f func(string) bool) {
	bytes, hits := 0, 0
	for _, m := range msgs {
		bytes += len(m)
		if f(m) {
			hits++
		}
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range msgs {
			f(m)
		}
	}
	b.ReportMetric(float64(hits), "hits")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(msgs)), "ns/message")
}
