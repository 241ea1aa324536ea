package loadtest

import (
	"testing"
	"time"
)

// TestSoakSeesWhatIsKeptOfThoseWhoLeft: a hundred bytes a visitor are told as
// such, and only the beginning may rise.
func TestSoakSeesWhatIsKeptOfThoseWhoLeft(t *testing.T) {
	const object, share = "objects kept of a visitor who has left, bytes", "rise of the objects over the counted time, share"
	for name, c := range map[string]struct {
		kept float64 // bytes of each visitor
		want string
		flat bool
	}{
		"nothing": {0, "0", true},
		"much":    {100, "100", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &Suite{cfg: Config{}.withDefaults()}
			k := &soaking{s: s, t: newTally()}
			const before, samples, fresh = 20, 60, 2000 // new visitors from one sample to the next
			for i := range int64(samples) {
				heap := 20.0
				if i < before {
					heap = float64(i)
				} else {
					heap += c.kept * float64(fresh*(i-before)) / (1 << 20)
				}
				k.samples = append(k.samples, moment{at: time.Duration(i) * time.Minute, fresh: fresh * i, heap: heap})
			}
			if err := k.tell(t.Context()); err != nil {
				t.Fatal(err)
			}
			seen := 0
			for _, r := range s.Rows {
				if r.Name == object {
					seen++
					if r.Result != c.want {
						t.Errorf("%s: %s, want %s", r.Name, r.Result, c.want)
					}
				}
				if r.Name == share {
					seen++
					if r.Met != c.flat {
						t.Errorf("%s: met is %v: %s", r.Name, r.Met, r.Result)
					}
				}
			}
			if seen != 2 {
				t.Error("the rows are missing")
			}
		})
	}
}
