package settings

import "strings"

// nearest returns the candidate that was probably meant by got, or "" when
// none is near: at most one edit in three characters, and never more than four.
func nearest(got string, candidates []string) string {
	got = strings.ToLower(strings.TrimSpace(got))
	if len(got) > 100 {
		return ""
	}
	best, at := "", 5
	for _, c := range candidates {
		limit := min(4, (max(len(got), len(c))+2)/3)
		if d := distance(got, strings.ToLower(c)); d <= limit && d < at {
			best, at = c, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours that make a into b (optimal string alignment).
func distance(a, b string) int {
	prev2, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}
