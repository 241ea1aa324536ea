package personal

import (
	"net/netip"
	"strings"
)

// ibanLengths are the lengths by country as registered with SWIFT.
const ibanLengths = "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15PK24PL28PS29PT25QA29RO24RS22SA24SC31SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20"

func ibanLength(country string) int {
	for i := 0; i+4 <= len(ibanLengths); i += 4 {
		if ibanLengths[i:i+2] == country {
			return int(ibanLengths[i+2]-'0')*10 + int(ibanLengths[i+3]-'0')
		}
	}
	return 0
}

func findIBAN(text string, from int, hit func(start, end int)) {
	for i := from; i+15 <= len(text); i++ {
		if !letter(text[i]) || !letter(text[i+1]) || !digit(text[i+2]) || !digit(text[i+3]) {
			continue
		}
		if i > 0 && (letter(text[i-1]) || digit(text[i-1])) {
			continue
		}
		n := ibanLength(strings.ToUpper(text[i : i+2]))
		if n == 0 {
			continue
		}
		if end := ibanEnd(text, i, n); end > 0 {
			hit(i, end)
			i = end - 1
		}
	}
}

// ibanEnd returns the end of a valid IBAN of n characters at text[i:], or 0.
func ibanEnd(text string, i, n int) int {
	var c [34]byte
	k, j := 0, i
	for ; j < len(text) && k < n; j++ {
		switch b := text[j]; {
		case digit(b) || letter(b) && b != '_':
			if b >= 'a' {
				b -= 32
			}
			c[k] = b
			k++
		case (b == ' ' || b == '-') && j+1 < len(text) && text[j+1] != ' ' && text[j+1] != '-':
		default:
			return 0
		}
	}
	if k < n || j < len(text) && (digit(text[j]) || letter(text[j])) {
		return 0
	}
	rem := 0
	for x := range n {
		b := c[(x+4)%n]
		if digit(b) {
			rem = (rem*10 + int(b-'0')) % 97
		} else {
			rem = (rem*100 + int(b-'A') + 10) % 97
		}
	}
	if rem != 1 {
		return 0
	}
	return j
}

func findIP(text string, from int, hit func(start, end int)) {
	for i := from; i < len(text); {
		if !ipByte(text[i]) {
			i++
			continue
		}
		j := i
		for j < len(text) && ipByte(text[j]) {
			j++
		}
		run := text[i:j]
		end := len(strings.TrimRight(run, ".:"))
		if strings.HasSuffix(run, "::") {
			end = len(run)
		}
		if touch := i > 0 && letter(text[i-1]) || j < len(text) && letter(text[j]); !touch && address(run[:end]) {
			hit(i, i+end)
		}
		i = j
	}
}

func ipByte(c byte) bool {
	return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' || c == '.' || c == ':'
}

// address accepts IPv4 and such IPv6 addresses as nobody writes by accident.
func address(s string) bool {
	if strings.Count(s, ":") < 2 && strings.Count(s, ".") != 3 {
		return false
	}
	if strings.Contains(s, ":") && len(s) < 5 {
		return false // "::", "a::b"
	}
	ip, err := netip.ParseAddr(s)
	return err == nil && !(ip.Is6() && strings.Count(s, ":") == 2 && !strings.Contains(s, "::"))
}
