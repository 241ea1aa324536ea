package personal

import (
	"strings"
	"time"
)

// maxGroups bounds how many groups of digits one number may be written in.
const maxGroups = 24

// group is a run of digits; gap is what stands between it and the one before.
type group struct {
	start, end int
	gap        string
}

// chains calls f for every chain of digit groups that only the given
// separators, two at most, keep apart. In a chain that is too long only the
// first groups count.
func chains(text string, from int, seps string, f func(gs []group)) {
	var buf [64]group
	gs := buf[:0]
	flush := func() {
		if len(gs) > 0 {
			f(gs)
		}
		gs = buf[:0]
	}
	for i := from; i < len(text); {
		if !digit(text[i]) {
			i++
			continue
		}
		j := i
		for j < len(text) && digit(text[j]) {
			j++
		}
		gap := ""
		if len(gs) > 0 {
			gap = text[gs[len(gs)-1].end:i]
			if len(gap) > 2 || strings.Trim(gap, seps) != "" || len(gs) == len(buf) {
				flush()
				gap = ""
			}
		}
		gs = append(gs, group{i, j, gap})
		i = j
	}
	flush()
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || c == '_' }

// windows calls try with the digits of every stretch of whole groups, longest
// first, and goes on behind a stretch that it accepts.
func windows(text string, gs []group, low, high int, try func(digits string, start, end int) bool) {
	var all [80]byte
	for i := 0; i < len(gs); i++ {
		n := 0
		last := -1
		var ends [maxGroups]int
		for j := i; j < len(gs) && j-i < maxGroups; j++ {
			if n+gs[j].end-gs[j].start > high {
				break
			}
			n += copy(all[n:], text[gs[j].start:gs[j].end])
			ends[j-i] = n
			last = j
		}
		for j := last; j >= i; j-- {
			if n := ends[j-i]; n >= low && try(string(all[:n]), gs[i].start, gs[j].end) {
				i = j
				break
			}
		}
	}
}

// alone reports that no letter or digit touches text[start:end].
func alone(text string, start, end int) bool {
	return (start == 0 || !digit(text[start-1]) && !letter(text[start-1])) &&
		(end == len(text) || !digit(text[end]) && !letter(text[end]))
}

func findCard(text string, from int, hit func(start, end int)) {
	chains(text, from, " -", func(gs []group) {
		windows(text, gs, 13, 19, func(d string, a, b int) bool {
			if !alone(text, a, b) || !cardPrefix(d) || !Luhn(d) {
				return false
			}
			hit(a, b)
			return true
		})
	})
}

// Luhn reports whether the digits end in their Luhn check digit.
func Luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// cardPrefix knows which numbers the card schemes give out, with their lengths.
func cardPrefix(d string) bool {
	p := func(n int) int {
		v := 0
		for i := range n {
			v = v*10 + int(d[i]-'0')
		}
		return v
	}
	n := len(d)
	switch {
	case d[0] == '4':
		return n == 13 || n == 16 || n == 19
	case p(2) >= 51 && p(2) <= 55, p(4) >= 2221 && p(4) <= 2720:
		return n == 16
	case p(2) == 34 || p(2) == 37:
		return n == 15
	case p(2) == 62 || p(2) == 81:
		return n >= 16
	case p(2) == 60 || p(2) == 64 || p(2) == 65 || p(4) >= 3528 && p(4) <= 3589:
		return n >= 16
	case p(2) == 36 || p(2) == 38 || p(2) == 39 || p(3) >= 300 && p(3) <= 305:
		return n >= 14
	case p(2) == 50 || p(2) >= 56 && p(2) <= 58:
		return n >= 16
	}
	return false
}

func findID(text string, from int, hit func(start, end int)) {
	chains(text, from, " -", func(gs []group) {
		windows(text, gs, 17, 18, func(d string, a, b int) bool {
			if len(d) == 17 {
				// the check digit may be the letter X
				if b == len(text) || text[b]|0x20 != 'x' {
					return false
				}
				d, b = d+"X", b+1
			}
			if !alone(text, a, b) || !IdentityCN(d) {
				return false
			}
			hit(a, b)
			return true
		})
	})
}

// IdentityCN reports whether d is an 18-digit Chinese identity number: region,
// date of birth and check digit after ISO 7064 MOD 11-2.
func IdentityCN(d string) bool {
	if len(d) != 18 || d[0] < '1' || d[0] > '9' {
		return false
	}
	t, err := time.Parse("20060102", d[6:14])
	if err != nil || t.Year() < 1850 || t.Year() > 2150 {
		return false
	}
	sum, weight := 0, 1
	for i := 16; i >= 0; i-- {
		weight = weight * 2 % 11
		sum += int(d[i]-'0') * weight
	}
	return "10X98765432"[sum%11] == strings.ToUpper(d)[17]
}

var phoneWords = []string{"tel", "phone", "mobile", "call", "whatsapp", "电话", "電話", "手机", "手機", "致电", "联系", "聯繫", "号码"}

func findPhone(text string, from int, hit func(start, end int)) {
	chains(text, from, " -.()", func(gs []group) {
		for i := 0; i < len(gs); i++ {
			if j := phoneAt(text, gs, i, from); j > i {
				a := gs[i].start
				for a > from && strings.IndexByte("+(", text[a-1]) >= 0 {
					a--
				}
				hit(a, gs[j-1].end)
				i = j - 1
			}
		}
	})
}

// phoneAt returns the group behind a telephone number that begins with group
// i, or i.
func phoneAt(text string, gs []group, i, from int) int {
	start := gs[i].start
	plus := start > 0 && text[start-1] == '+' || start > 1 && text[start-2:start] == "+("
	if start > 0 && !plus && letter(text[start-1]) {
		return i
	}
	named := afterWord(text[from:start])
	n := 0
	best := i
	var d [40]byte
	for j := i; j < len(gs) && j-i < 8; j++ {
		w := gs[j].end - gs[j].start
		if n+w > 17 {
			break
		}
		n += copy(d[n:], text[gs[j].start:gs[j].end])
		if end := gs[j].end; end < len(text) && letter(text[end]) {
			continue
		}
		if phone(string(d[:n]), gs[i:j+1], plus, named) {
			best = j + 1
		}
	}
	return best
}

// phone decides whether digits written in these groups are a telephone number.
func phone(d string, gs []group, plus, named bool) bool {
	n := len(d)
	cn := strings.TrimPrefix(strings.TrimPrefix(d, "00"), "86")
	switch {
	case plus:
		return n >= 8 && n <= 15 && d[0] != '0'
	case len(cn) == 11 && cn[0] == '1' && cn[1] >= '3' && cn[1] <= '9':
		return true // Chinese mobile
	case strings.HasPrefix(d, "00") && n >= 10 && n <= 17 && d[2] != '0':
		return len(gs) > 1 || named
	case len(gs) == 2 && d[0] == '0' && n >= 10 && n <= 12 && gs[1].end-gs[1].start >= 7:
		return true // Chinese landline: area code, number
	case len(gs) == 3 && n == 10 && d[0] >= '2' && gs[0].end-gs[0].start == 3 && gs[1].end-gs[1].start == 3:
		return gs[2].gap == "-" || gs[2].gap == "." || named // North American
	case len(gs) >= 3 && d[0] == '0' && n >= 9 && n <= 12:
		return true // national format with trunk zero: 020 7946 0018
	}
	return named && n >= 7 && n <= 15
}

// afterWord reports whether the text right before a number names it as one to
// call.
func afterWord(before string) bool {
	if len(before) > 40 {
		before = before[len(before)-40:]
	}
	before = strings.ToLower(strings.TrimRight(before, " :=(+-.#：、,，是为no"))
	for _, w := range phoneWords {
		if strings.HasSuffix(before, w) {
			return true
		}
	}
	return false
}
