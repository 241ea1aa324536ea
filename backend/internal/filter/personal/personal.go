// Package personal recognises personal data in text: telephone numbers,
// identity and bank card numbers with their check digits, IBANs, e-mail and IP
// addresses, and secrets such as API keys.
package personal

import (
	"fmt"
	"regexp"
	"strings"

	"haoke/backend/internal/filter/pattern"
)

// Kind is one sort of personal data.
type Kind struct {
	Name  string // stable name for settings
	Label string // for placeholders
	expr  string
	find  func(text string, from int, hit func(start, end int))
}

// Spec gives the detector as a pattern.
func (k Kind) Spec() pattern.Spec {
	return pattern.Spec{Name: k.Name, Expr: k.expr, Find: k.find}
}

// a chain of digits with at most two separators between any two
const chain = `\d(?:[ \-.()]{0,2}\d)`

// Kinds lists every detector; the order decides between equal matches.
func Kinds() []Kind {
	return []Kind{
		{"cn_id", "ID", `\d(?:[ \-]{0,2}\d){16}[ \-]{0,2}[\dXx]`, findID},
		{"card", "CARD", `\d(?:[ \-]{0,2}\d){12,18}`, findCard},
		{"iban", "IBAN", `(?i)[a-z]{2}\d{2}(?:[ \-]?[a-z0-9]){11,30}`, findIBAN},
		{"phone", "PHONE", `\+?\(?` + chain + `{5,17}|(?i:` + strings.Join(phoneWords, "|") + `)[^\d\n]{0,8}` + chain + `{5,14}`, findPhone},
		{"email", "EMAIL", `[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63})+`, findEmail},
		{"ip", "IP", `(?:\d{1,3}\.){3}\d{1,3}|(?i)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}`, findIP},
		{"api_key", "SECRET", keyExpr, nil},
	}
}

const keyExpr = `\b(?:sk|pk|rk)[-_][A-Za-z0-9_\-]{16,200}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,200}|\bAIza[0-9A-Za-z_\-]{35}|` +
	`\bxox[baprs]-[A-Za-z0-9\-]{10,200}|\beyJ[A-Za-z0-9_\-]{10,200}\.[A-Za-z0-9_\-]{10,200}\.[A-Za-z0-9_\-]{10,200}|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----`

// Default are the kinds that are kept from the upstream when the owner asks
// for it without naming any.
var defaultKinds = []string{"cn_id", "card", "iban", "phone", "email"}

// Default returns the names of the kinds that masking before the upstream
// covers unless told otherwise.
func Default() []string { return append([]string(nil), defaultKinds...) }

// Select returns the kinds with the given names; "all" stands for every kind.
func Select(names []string) ([]Kind, error) {
	var out []Kind
	all := Kinds()
	for _, n := range names {
		if n == "all" {
			return all, nil
		}
	}
	for _, k := range all {
		for _, n := range names {
			if n == k.Name {
				out = append(out, k)
				break
			}
		}
	}
	for _, n := range names {
		known := false
		for _, k := range all {
			known = known || k.Name == n
		}
		if !known {
			return nil, fmt.Errorf("personal data detector %q is not known; there are cn_id, card, iban, phone, email, ip, api_key and all", n)
		}
	}
	return out, nil
}

var emailRE = regexp.MustCompile(`[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?)+`)

func findEmail(text string, from int, hit func(start, end int)) {
	for _, m := range emailRE.FindAllStringIndex(text, -1) {
		a, b := m[0], m[1]
		for a < b && (text[a] == '.' || text[a] == '-') {
			a++
		}
		top := text[strings.LastIndexByte(text[:b], '.')+1 : b]
		if a >= from && text[a] != '@' && len(top) >= 2 && strings.IndexFunc(top, func(r rune) bool { return r >= '0' && r <= '9' }) < 0 {
			hit(a, b)
		}
	}
}
