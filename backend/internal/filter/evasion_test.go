package filter

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"haoke/backend/internal/chat"
	"haoke/backend/internal/filter/starter"
)

// The evasion corpus is made from the rules of disguise, applied to the
// starter lists and set into sentences. None of it stands in the unit tests.

type disguise struct {
	name string
	// can reports whether the rule changes the word at all.
	do func(r *rand.Rand, word string) string
}

var (
	homoglyphs = map[rune]string{'a': "аαᴀ", 'b': "ЬƄ", 'c': "сϲᴄ", 'e': "еҽ", 'h': "һհ", 'i': "іιı", 'j': "јϳ", 'k': "κᴋ", 'm': "мᴍ", 'n': "ոп", 'o': "оοօ", 'p': "рρ", 's': "ѕꜱ", 't': "тτ", 'u': "υս", 'v': "νѵ", 'w': "ԝѡ", 'x': "хχ", 'y': "уγ"}
	leet       = map[rune]string{'a': "4@", 'e': "3", 'i': "1!", 'l': "1|", 'o': "0", 's': "5$", 't': "7+", 'b': "8"}
	separators = []string{" ", "-", ".", "*", "_", "~", "·", "/", "😀", "❤️", "、", "+"}
	invisible  = []string{"\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\ufe0f"}
	marks      = []string{"\u0301", "\u0308", "\u0323", "\u0336"}
)

func pick[T any](r *rand.Rand, s []T) T { return s[r.IntN(len(s))] }

func runes(word string, f func(i int, c rune) string) string {
	var b strings.Builder
	for i, c := range []rune(word) {
		b.WriteString(f(i, c))
	}
	return b.String()
}

// some applies f to one letter at least and about a third of them.
func some(r *rand.Rand, word string, m map[rune]string) string {
	var at []int
	for i, c := range []rune(word) {
		if m[c] != "" {
			at = append(at, i)
		}
	}
	if len(at) == 0 {
		return word
	}
	must := pick(r, at)
	budget := max(1, len(at)/3)
	return runes(word, func(i int, c rune) string {
		if m[c] != "" && (i == must || budget > 1 && r.IntN(3) == 0) {
			if i != must {
				budget--
			}
			return string(pick(r, []rune(m[c])))
		}
		return string(c)
	})
}

func simplifiedToTraditional() map[rune]string {
	m := map[rune]string{}
	for _, p := range []string{"赌賭", "场場", "发發", "贷貸", "无無", "办辦", "证證", "赚賺", "钱錢", "领領", "红紅", "约約", "务務", "药藥", "减減", "虚虛", "币幣", "带帶", "单單", "稳穩", "赔賠", "车車", "机機", "门門", "围圍", "注註", "钓釣", "鱼魚", "计計", "刘劉", "马馬", "妈媽", "脑腦", "残殘", "东東", "杀殺", "渣碴", "论論", "写寫", "乐樂", "线線", "网網", "络絡", "彩綵", "时時", "费費", "兼兼", "职職", "买買", "丝絲", "统統", "词詞", "显顯", "输輸", "视視", "则則", "记記", "设設", "进進", "开開", "现現", "没沒", "狱獄", "壮壯", "阳陽", "客客", "黑黑", "虎虎", "庄莊", "传傳", "导導"} {
		rs := []rune(p)
		if rs[0] != rs[1] {
			m[rs[0]] = string(rs[1])
		}
	}
	delete(m, '渣')
	delete(m, '注')
	delete(m, '彩')
	return m
}

func disguises() []disguise {
	trad := simplifiedToTraditional()
	between := func(seps []string, all bool) func(*rand.Rand, string) string {
		return func(r *rand.Rand, w string) string {
			sep := pick(r, seps)
			rs := []rune(strings.ReplaceAll(w, " ", ""))
			at := 1
			if len(rs) > 1 {
				at = 1 + r.IntN(len(rs)-1)
			}
			return runes(string(rs), func(i int, c rune) string {
				if i > 0 && (all || i == at) {
					return sep + string(c)
				}
				return string(c)
			})
		}
	}
	return []disguise{
		{"plain", func(_ *rand.Rand, w string) string { return w }},
		{"case", func(r *rand.Rand, w string) string {
			return runes(w, func(_ int, c rune) string {
				if r.IntN(2) == 0 {
					return string(unicode.ToUpper(c))
				}
				return string(c)
			})
		}},
		{"full width", func(_ *rand.Rand, w string) string {
			return runes(w, func(_ int, c rune) string {
				if c > ' ' && c < 0x7F {
					return string(c + 0xFEE0)
				}
				return string(c)
			})
		}},
		{"mathematical", func(_ *rand.Rand, w string) string {
			return runes(w, func(_ int, c rune) string {
				if c >= 'a' && c <= 'z' {
					return string(0x1D41A + c - 'a')
				}
				return string(c)
			})
		}},
		{"squared", func(_ *rand.Rand, w string) string {
			return runes(w, func(_ int, c rune) string {
				if c >= 'a' && c <= 'z' {
					return string(0x1F170 + c - 'a')
				}
				return string(c)
			})
		}},
		{"invisible", func(r *rand.Rand, w string) string { return between(invisible, r.IntN(2) == 0)(r, w) }},
		{"marks", func(r *rand.Rand, w string) string {
			m := pick(r, marks)
			return runes(w, func(_ int, c rune) string {
				if c == ' ' {
					return " "
				}
				return string(c) + m
			})
		}},
		{"separated", between(separators, true)},
		{"one separator", between([]string{"-", ".", "*", "_", "~", "😀"}, false)},
		{"repeated", func(r *rand.Rand, w string) string {
			return runes(w, func(_ int, c rune) string {
				if unicode.IsDigit(c) || c == ' ' {
					return string(c)
				}
				return strings.Repeat(string(c), 1+r.IntN(4))
			})
		}},
		{"look-alikes", func(r *rand.Rand, w string) string { return some(r, w, homoglyphs) }},
		{"leet", func(r *rand.Rand, w string) string { return some(r, w, leet) }},
		{"traditional", func(_ *rand.Rand, w string) string {
			return runes(w, func(_ int, c rune) string {
				if t := trad[c]; t != "" {
					return t
				}
				return string(c)
			})
		}},
		{"two at once", func(r *rand.Rand, w string) string {
			return between(invisible, true)(r, some(r, w, homoglyphs))
		}},
		{"spaced look-alikes", func(r *rand.Rand, w string) string {
			return between([]string{" ", "."}, true)(r, some(r, w, homoglyphs))
		}},
	}
}

var frames = []string{"%s", "hello %s thanks", "请问 %s 可以吗", "(%s)", "我觉得，%s。", "see: %s!", "%s\nthank you", "“%s”"}

func starterFilter(t testing.TB, pinyin bool) (*Filter, []string) {
	lists, err := starter.Lists()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Pinyin: pinyin, Personal: []Detector{{Name: "all"}}}
	var all []string
	for _, l := range lists {
		cfg.Words = append(cfg.Words, WordList{Name: l.Name, Category: l.Category, Action: chat.ActionMask, Entries: l.Entries})
		all = append(all, l.Entries...)
	}
	return must(t, cfg), all
}

func TestEvasionCorpus(t *testing.T) {
	f, list := starterFilter(t, false)
	r := rand.New(rand.NewPCG(11, 12))
	total, found := 0, 0
	for _, d := range disguises() {
		n, ok := 0, 0
		var missed []string
		for _, word := range list {
			word = strings.Trim(word, "*")
			for range 3 {
				dis := d.do(r, word)
				text := fmt.Sprintf(pick(r, frames), dis)
				n++
				hit := false
				for _, h := range f.Check(chat.Inbound, text).Hits {
					hit = hit || h.Layer == chat.LayerWords
				}
				if hit {
					ok++
				} else if len(missed) < 5 {
					missed = append(missed, dis)
				}
			}
		}
		t.Logf("%-20s %5d of %5d (%.2f %%) missed %q", d.name, ok, n, 100*float64(ok)/float64(n), missed)
		total += n
		found += ok
	}
	rate := 100 * float64(found) / float64(total)
	t.Logf("found %d of %d: %.2f %%", found, total, rate)
	if rate < 99 {
		t.Errorf("found only %.2f %% of the evasions", rate)
	}
}

// Ordinary shop conversations are put together from what visitors and answers
// say, in English and Chinese, with prices, order numbers and punctuation.
var (
	shopEN = []string{"Hello, I ordered %s last week and it still has not arrived.", "Can you tell me when order %d will ship?", "I'd like to return %s, it does not fit.", "Is there a discount if I buy %s twice?", "The parcel was left at the wrong address, please help!", "Do you have %s in size 42?", "My payment of $%d.99 failed twice.", "Thanks, that was quick :-)", "What's your return policy? I'll need it in writing.", "Please cancel my order #%d.", "The class of service was great; I passed it on to my assistant.", "Could you check the status as soon as possible?", "We bought two sets of cups as a gift.", "How do I reset my password on the site?", "I can't find the button for express shipping...", "He'll call you at 10:30 about the invoice.", "Does %s come with a 2-year warranty?", "The analysis says the cushion is 100%% cotton.", "Your order %d has been shipped with DHL.", "It will arrive in 3-5 business days.", "Is the grass mat available in Scunthorpe or Essex?", "I want to speak to a human, please.", "My cockatoo loves the shitake snack, do you have more?", "The title of the document is 'Arsenal classics'.", "Can I pay with PayPal or by bank transfer?", "The e-mail said 20% off, is it still valid?", "I'm looking for a basement shelf, 60 x 40 x 180 cm.", "Button fell off my dress after one wash; pass me to a manager."}
	shopZH = []string{"您好，我上周买的%s还没到货。", "请问订单%d什么时候发货？", "我想退货，%s尺码不合适。", "有没有优惠券可以用？", "麻烦帮我查一下物流信息，谢谢！", "可以改一下收货地址吗？", "这个%s支持七天无理由退换吗？", "付款%d元失败了，怎么办？", "发票可以开公司抬头吗？", "质量很好，下次还会再来。", "请转人工客服。", "%s有没有黑色的？我要大号。", "博物馆纪念品还有货吗？", "我在赌气，别介意。", "快递员说放在门口了，但是没有看到。", "请问保修期是多久？", "我妈妈很喜欢这个颜色。", "操作说明在哪里下载？", "他的手机号换了，请更新。", "微信支付和支付宝都可以吗？", "彩色的还是黑白的？", "这款适合敏感肌吗？", "积分怎么兑换礼品？", "您的订单%d已发出，预计3天送达。", "亲，这边帮您查询一下哦～", "不好意思让您久等了。", "支持信用卡付款吗？", "我在读博士，想买一台电脑。", "滚筒洗衣机能放进去吗？", "去哪里可以看到评价？", "我跟他打赌，博物馆三点关门。", "我用渣打银行的卡能付吗？"}
	goods  = []string{"iPhone 15 Pro", "a pair of shoes", "连衣裙", "coffee maker", "电饭锅", "the blue jacket", "蓝牙耳机", "USB-C cable 2m", "保温杯", "32\" monitor"}
)

func shopText(r *rand.Rand) string {
	var b strings.Builder
	list := shopEN
	if r.IntN(2) == 0 {
		list = shopZH
	}
	for i := range 1 + r.IntN(3) {
		if i > 0 {
			b.WriteByte(' ')
		}
		s := pick(r, list)
		switch {
		case strings.Contains(s, "%s"):
			s = strings.ReplaceAll(s, "%s", pick(r, goods))
		case strings.Contains(s, "%d"):
			s = strings.ReplaceAll(s, "%d", fmt.Sprint(10000+r.IntN(89999999)))
		}
		b.WriteString(strings.ReplaceAll(s, "%%", "%"))
	}
	return b.String()
}

func TestFalsePositives(t *testing.T) {
	for _, pinyin := range []bool{false, true} {
		f, _ := starterFilter(t, pinyin)
		r := rand.New(rand.NewPCG(13, 14))
		const n = 20_000
		wrong := 0
		for range n {
			text := shopText(r)
			if v := f.Check(chat.Inbound, text); v.Action != "" {
				if wrong++; wrong <= 10 {
					t.Logf("%q: %+v", text, v.Hits)
				}
			}
		}
		t.Logf("pinyin %v: %d of %d ordinary texts hit (%.3f %%)", pinyin, wrong, n, 100*float64(wrong)/n)
		if wrong*1000 >= n {
			t.Errorf("%d of %d ordinary texts hit", wrong, n)
		}
	}
}

func TestPinyinCorpus(t *testing.T) {
	f, _ := starterFilter(t, true)
	total, found := 0, 0
	for _, text := range []string{"来玩dubo吧", "du博网", "赌bo平台", "bai jia le", "baijiale", "laohuji", "老hu机", "liuhecai", "六he彩", "wang bei, dai kai fa piao", "daikaifapiao", "代kai发票", "xin yong ka tao xian", "信用ka套现"} {
		total++
		if len(f.Check(chat.Inbound, text).Hits) > 0 {
			found++
		} else {
			t.Logf("missed %q", text)
		}
	}
	if found < total {
		t.Errorf("found %d of %d", found, total)
	}
}
