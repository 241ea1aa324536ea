package metrics

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A distribution of durations in buckets that grow with the value: 16 a power
// of two, so that a percentile is at most 3.2 % off, from 1 microsecond to 71
// minutes; what is longer counts as the longest.
const (
	subBits    = 4
	subCount   = 1 << subBits
	maxMicros  = 1<<32 - 1
	numBuckets = (32-subBits)*subCount + subCount
)

// bucketOf maps microseconds to a bucket.
func bucketOf(us uint64) int {
	if us > maxMicros {
		us = maxMicros
	}
	if us < subCount {
		return int(us)
	}
	exp := bits.Len64(us) - subBits - 1
	return (exp+1)*subCount + int(us>>exp) - subCount
}

// middleOf is the value in the middle of a bucket, in microseconds.
func middleOf(b int) float64 {
	if b < subCount {
		return float64(b)
	}
	exp := b/subCount - 1
	low := uint64(b%subCount+subCount) << exp
	return float64(low) + float64(uint64(1)<<exp)/2
}

// live collects one second of a distribution; add is safe for concurrent use
// and never blocks.
type live struct {
	buckets [numBuckets]atomic.Uint32
}

func (l *live) add(d time.Duration) {
	if d < 0 {
		d = 0
	}
	l.buckets[bucketOf(uint64(d/time.Microsecond))].Add(1)
}

// drain moves what was collected into h. A sample that arrives meanwhile is
// counted in this second or in the next, and never lost.
func (l *live) drain(h *histogram) {
	for i := range l.buckets {
		if l.buckets[i].Load() == 0 {
			continue
		}
		n := l.buckets[i].Swap(0)
		h.counts[i] += n
		h.total += uint64(n)
	}
}

// histogram is a collected distribution, owned by one goroutine.
type histogram struct {
	counts [numBuckets]uint32
	total  uint64
}

func (h *histogram) merge(o *histogram) {
	if o.total == 0 {
		return
	}
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
}

func (h *histogram) reset() {
	if h.total > 0 {
		*h = histogram{}
	}
}

// quantile returns the value in seconds below which q of the samples lie; NaN
// when there are none.
func (h *histogram) quantile(q float64) float64 {
	if h.total == 0 {
		return gap
	}
	rank := uint64(q*float64(h.total-1)) + 1
	var seen uint64
	for i, n := range h.counts {
		seen += uint64(n)
		if seen >= rank {
			return middleOf(i) / 1e6
		}
	}
	return gap // cannot occur: the counts sum up to total
}
