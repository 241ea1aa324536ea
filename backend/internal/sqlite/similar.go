package sqlite

import (
	"cmp"
	"slices"
)

// shingles is the set of index terms of a text.
func shingles(words []string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range words {
		for _, t := range trigrams(w) {
			set[t] = true
		}
	}
	return set
}

// dice is the Sørensen-Dice similarity of two sets, in [0, 1]:
// twice what they share over what they have.
func dice(a, b map[string]bool) float64 {
	if len(a)+len(b) == 0 {
		return 0
	}
	shared := 0
	for t := range a {
		if b[t] {
			shared++
		}
	}
	return 2 * float64(shared) / float64(len(a)+len(b))
}

func sortMatches(m []FAQMatch) {
	slices.SortStableFunc(m, func(a, b FAQMatch) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Rank, a.Rank), cmp.Compare(a.ID, b.ID))
	})
}
