package prompt

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"haoke/backend/internal/chat"
)

// kind is a set of kinds of facts.
type kind uint16

const (
	kindName kind = 1 << iota
	kindPhone
	kindEmail
	kindAddress
	kindNumber // order, tracking and other reference numbers
	kindAmount
	kindDate
	kindSize
)

// person are the facts about the visitor, of which only the latest holds.
const person = kindName | kindPhone | kindEmail | kindAddress

// label names a kind in the record.
func (k kind) label() string {
	switch k {
	case kindName:
		return "name"
	case kindPhone:
		return "phone"
	case kindEmail:
		return "e-mail"
	case kindAddress:
		return "address"
	case kindNumber:
		return "number"
	case kindAmount:
		return "amount"
	case kindDate:
		return "date"
	}
	return "size"
}

// fact is a value that a message states.
type fact struct {
	kind  kind
	value string
	doc   int32
	by    int32 // the doc that corrected it; -1: it holds
}

// rule finds facts of one kind. group is the part of the match that is the
// value.
type rule struct {
	kind  kind
	re    *regexp.Regexp
	group int
	digit bool     // can only match where there is a digit
	near  []string // can only match where one of these is, in lower case; nil: anywhere
}

// factRules are compiled at their first use. Order matters: what one rule took
// is not offered to the later ones.
var factRules = sync.OnceValue(func() []rule {
	const month = `(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)`
	list := []struct {
		k     kind
		group int
		digit bool
		near  string
		expr  string
	}{
		{kindEmail, 0, false, "@", `[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`},
		{kindAddress, 0, true, "street| st|road| rd|ave|lane| ln|drive| dr|court|square|way|place|terrace|close|boulevard|blvd|row|hill|garden|park|crescent|walk", `\b\d{1,5}[A-Za-z]?,? (?:[A-Z][\p{L}'-]+ ){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Square|Way|Place|Terrace|Close|Boulevard|Blvd|Row|Hill|Gardens|Park|Crescent|Walk)\b(?:, ?(?:[A-Z][\p{L}'-]+ ?){1,3}(?:\d{4,6})?)?`},
		{kindAddress, 0, true, "号|弄", `(?:\p{Han}{2,8}[省市区县])*\p{Han}{2,8}(?:大道|路|街|巷|弄|道|胡同)\s?\d{1,5}\s?(?:号|弄)(?:\p{Han}{0,6}\d{1,4}(?:号楼|栋|幢|单元|室|楼|座))*`},
		{kindDate, 0, true, "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", `(?i)\b` + month + `\.? \d{1,2}(?:st|nd|rd|th)?\b|\b\d{1,2}(?:st|nd|rd|th)?(?: of)? ` + month + `\b`},
		{kindDate, 0, true, "-|/|.|月", `\b(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}\b|(?:\d{4}年)?\d{1,2}月\d{1,2}[日号]`},
		{kindDate, 0, false, "day|周|星期|礼拜", `(?i)\b(?:next |this |on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|[本这下]?(?:周|星期|礼拜)[一二三四五六日天]`},
		{kindAmount, 0, true, "$|€|£|¥|\uffe5|元|块|dollar|euro|pound|usd|eur|gbp|yuan|rmb|cny|人民币", `[$€£¥\x{FFE5}]\s?\d+(?:[.,]\d+)*|\d+(?:[.,]\d+)?\s?(?:元|块钱|块|欧元|美元|人民币)|(?i)\b\d+(?:[.,]\d+)?\s?(?:dollars?|euros?|pounds?|usd|eur|gbp|yuan|rmb|cny)\b`},
		{kindSize, 1, false, "size", `(?i)\bsize (?:is |of |in )?(\d{1,3}(?:\.5)?|x{0,3}[sl]|m|small|medium|large)\b`},
		{kindSize, 0, true, "l|m|g|kg|inch|升|米|公分|克|码", `(?i)\b\d+(?:[.,]\d+)?\s?(?:ml|cl|litres?|liters?|l|cm|mm|kg|g|inch(?:es)?)\b|\d+(?:\.\d+)?\s?(?:毫升|升|厘米|毫米|公分|克|公斤|码)`},
		{kindSize, 0, false, "码|号", `(?i)\bx{0,3}[sml]码|[特加]?[大中小]号`},
		{kindPhone, 0, true, "+|0|1", `\+\d{1,3}[ -]?\d[\d -]{6,14}\d|\b1[3-9]\d[ -]?\d{4}[ -]?\d{4}\b|\b0\d{2,4}[ -]\d{3,4}[ -]?\d{3,5}\b`},
		{kindNumber, 0, true, "", `\b[A-Za-z]{1,6}[-#]?\d[\dA-Za-z]*(?:-[\dA-Za-z]+)*\b|#\d{3,}|\b\d{5,}(?:-[\dA-Za-z]+)*\b|\b\d{4}(?:-[\dA-Za-z]+)+\b`},
		{kindName, 1, false, "name|this is|i am|i'm|call me|recipient", `(?:(?i:my name is|my name's|this is|i am|i'm|call me|recipient is|name of|under the name)) ((?:[A-Z][\p{L}'-]+)(?: [A-Z][\p{L}'-]+){0,2})`},
		{kindName, 1, false, "我叫|我是|名字|收件人|姓名", `(?:我叫|我是|我的名字是|名字是|收件人是|收件人[:\x{FF1A}]|姓名[:\x{FF1A}])\s?(\p{Han}{2,4}?)(?:[,\x{FF0C}。.!\x{FF01};\x{FF1B}\s、]|的|$)`},
	}
	out := make([]rule, len(list))
	for i, r := range list {
		out[i] = rule{kind: r.k, re: regexp.MustCompile(r.expr), group: r.group, digit: r.digit}
		if r.near != "" {
			out[i].near = strings.Split(r.near, "|")
		}
	}
	return out
})

// maxFacts bounds the facts of one message; a pasted table gives the first.
const maxFacts = 12

// extract finds the facts of a text.
func extract(text string) []fact {
	digit := strings.ContainsAny(text, "0123456789")
	lower := strings.ToLower(text)
	var out []fact
	var taken [][2]int
	for _, r := range factRules() {
		// Most messages state no fact, and looking for a word is a hundred
		// times faster than a pattern.
		if r.digit && !digit || r.near != nil && !containsAny(lower, r.near) {
			continue
		}
		for _, m := range r.re.FindAllStringSubmatchIndex(text, maxFacts) {
			at := [2]int{m[2*r.group], m[2*r.group+1]}
			if at[0] < 0 || slices.ContainsFunc(taken, func(t [2]int) bool { return at[0] < t[1] && t[0] < at[1] }) {
				continue
			}
			taken = append(taken, at)
			if out = append(out, fact{kind: r.kind, value: bare(r.kind, text[at[0]:at[1]]), by: -1}); len(out) == maxFacts {
				return out
			}
		}
	}
	return out
}

// bare takes away what a rule caught in front of a value: Chinese has no blank
// between "send to" and the address.
func bare(k kind, value string) string {
	if k == kindAddress {
		for _, verb := range []string{"寄到", "送到", "寄往", "送往", "发到", "地址是", "改成", "改为", "改到", "住在", "寄给", "是"} {
			if i := strings.LastIndex(value, verb); i >= 0 {
				value = value[i+len(verb):]
			}
		}
	}
	return strings.TrimSpace(value)
}

// corrects reports whether a text has words by which people take something
// back. They are also used otherwise; a link too many costs a line of the
// record, one too few a wrong answer.
func corrects(text string) bool { return containsAny(strings.ToLower(text), takeBack) }

var takeBack = []string{
	"actually", "sorry", "i meant", "correct", "instead", "not right", "wrong", "mistake", "mistype", "typo", "change", "rather",
	"no longer", "update", "scratch that", "forget", "wait", "moved", "moving", "turns out", "second thought", "make it", "make that", "better after all",
	"更正", "改成", "改为", "改到", "改一下", "改寄", "换成", "换到", "换个", "说错", "写错", "记错", "搞错", "弄错", "打错", "看错", "不是", "纠正", "应该是",
	"其实", "不对", "错了", "变了", "变化", "改了", "搬家", "抱歉", "不好意思", "还是",
}

func containsAny(s string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// learn extracts the facts of a message that was just added and links it with
// what it corrects.
func (m *memory) learn(id int) {
	d := &m.docs[id]
	found := extract(d.text)
	for i := range found {
		found[i].doc = int32(id)
		d.kinds |= found[i].kind
	}
	if len(found) > 0 {
		within := revision
		if corrects(d.text) {
			within = reach
		}
		for _, f := range found {
			m.correct(f, found, within)
		}
	}
	m.facts = append(m.facts, found...)
	m.size += int64(len(found)) * 80
}

// reach is how many messages back a correction may go without naming what it
// is about. revision is the same for a message without any word of correction:
// another value of the same kind in the next breath. around is how far before
// a statement its subject may be named.
const (
	reach    = 14
	revision = 4
	around   = 8
)

// correct marks the earlier fact that f replaces: the one whose value the same
// message takes back by naming it; else the one whose subject it names; else,
// if it names none, the latest of the same kind close by. The old message
// stays; recall just never shows it without its correction.
func (m *memory) correct(f fact, all []fact, within int) {
	subject := m.subject(int(f.doc))
	best, overlap := -1, 0
	for i := len(m.facts) - 1; i >= 0; i-- {
		old := &m.facts[i]
		if within == revision && int(f.doc-old.doc) > revision {
			break
		}
		if old.kind != f.kind || strings.EqualFold(old.value, f.value) || f.kind == kindNumber && shape(old.value) != shape(f.value) {
			continue
		}
		if named(all, *old) {
			best = i
			break
		}
		if n := m.mentions(subject, int(old.doc), int(f.doc)); n > overlap {
			best, overlap = i, n
		}
		if len(subject) == 0 && best < 0 && (int(f.doc-old.doc) <= within || f.kind&person != 0) {
			best = i
			break
		}
	}
	if best >= 0 {
		old := &m.facts[best]
		old.by = f.doc
		m.link(old.doc, f.doc)
		m.linkRepeats(old, f.doc, best)
	}
}

func named(all []fact, f fact) bool {
	return slices.ContainsFunc(all, func(o fact) bool { return o.kind == f.kind && strings.EqualFold(o.value, f.value) })
}

// shape is a reference's form: letters as they are, digits as 9.
func shape(v string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return '9'
		}
		return r
	}, v)
}

// subject gives the telling terms of a message: those that few messages use,
// but some before it did.
func (m *memory) subject(doc int) [][]posting {
	var out [][]posting
	seen := make(map[string]bool)
	for _, t := range indexTerms(nil, m.docs[doc].text) {
		list := m.terms[t]
		if !seen[t] && len(t) > 2 && len(list) > 1 && len(list) < 4+len(m.docs)/20 {
			out = append(out, list)
		}
		seen[t] = true
	}
	return out
}

// mentions counts the terms of a subject that were used in a message or shortly
// before it.
func (m *memory) mentions(subject [][]posting, doc, before int) int {
	n := 0
	for _, list := range subject {
		if slices.ContainsFunc(list, func(p posting) bool {
			return int(p.doc) <= doc && int(p.doc) >= doc-around && int(p.doc) < before
		}) {
			n++
		}
	}
	return n
}

// linkRepeats links the earlier messages that say the same old value.
func (m *memory) linkRepeats(old *fact, by int32, before int) {
	for i := before - 1; i >= 0; i-- {
		if o := &m.facts[i]; o.kind == old.kind && strings.EqualFold(o.value, old.value) {
			o.by = by
			m.link(o.doc, by)
		}
	}
}

func (m *memory) link(old, by int32) {
	d := &m.docs[old]
	if old != by && !slices.Contains(d.fixed, by) {
		d.fixed = append(d.fixed, by)
	}
}

// wants says which kinds of facts a question asks for.
func wants(question string) kind {
	var k kind
	for _, w := range asks() {
		if w.re.MatchString(question) {
			k |= w.kind
		}
	}
	return k
}

var asks = sync.OnceValue(func() []rule {
	list := []struct {
		k    kind
		expr string
	}{
		{kindName, `(?i)\bnames?\b|called|名字|姓名|叫什么|收件人`},
		{kindPhone, `(?i)\bphone|telephone|mobile|call me|电话|手机|号码`},
		{kindEmail, `(?i)e-?mail|邮箱|邮件`},
		{kindAddress, `(?i)address|where (?:should|do|will|did|are|is)|deliver(?:ed|y)? to|street|地址|寄到哪|送到哪|哪里|哪儿`},
		{kindNumber, `(?i)number|\bref|\bid\b|code|订单|单号|编号|号码`},
		{kindAmount, `(?i)how much|price|cost|amount|refund|total|budget|pay|paid|quote|多少钱|价格|金额|费用|退款|预算|报价|多少`},
		{kindDate, `(?i)\bwhen\b|date|\bday\b|deadline|promised|arriv|什么时候|哪天|几号|日期|时间|何时|几月`},
		{kindSize, `(?i)\bsize|how (?:big|large|many)|capacity|which one|尺寸|尺码|多大|大小|容量|规格|码`},
	}
	out := make([]rule, len(list))
	for i, r := range list {
		out[i] = rule{kind: r.k, re: regexp.MustCompile(r.expr)}
	}
	return out
})

// profile returns the latest facts about the visitor that still hold, at most
// one a kind, in the order of kinds so that the record changes little.
func (m *memory) profile() []fact {
	var out []fact
	for _, k := range []kind{kindName, kindPhone, kindEmail, kindAddress} {
		for i := len(m.facts) - 1; i >= 0; i-- {
			f := m.facts[i]
			if f.kind == k && f.by < 0 && m.docs[f.doc].from == chat.FromVisitor {
				out = append(out, f)
				break
			}
		}
	}
	return out
}
