// Package filtertest makes the synthetic texts that tests and benchmarks of the
// filter share. Everything is seeded and made up; no real word list is used.
package filtertest

import (
	"math/rand/v2"
	"strings"
)

// Words makes n distinct words: 70 % Chinese of 2-5 characters, 30 %
// Latin of 4-10 letters.
func Words(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	out := make([]string, 0, n)
	for len(out) < n {
		var b strings.Builder
		if r.IntN(10) < 7 {
			for range 2 + r.IntN(4) {
				b.WriteRune(rune(0x4E00 + r.IntN(3500)*5))
			}
		} else {
			for range 4 + r.IntN(7) {
				b.WriteByte(byte('a' + r.IntN(26)))
			}
		}
		if s := b.String(); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

var phrases = []string{"您好，", "请问", "我的订单", "什么时候发货", "可以退款吗", "物流信息", "一直没有更新", "谢谢", "麻烦帮我", "查询一下", "这个商品", "质量有问题", "我想换一个尺码", "优惠券", "不能使用", "地址写错了", "能改成", "顺丰快递吗", "发票", "电子发票", "会员积分", "怎么兑换", "hello, ", "can you check my order ", "please ", "refund ", "shipping address ", "it does not work ", "iPhone 15 Pro ", "tracking number ", "还没收到货", "已经三天了", "客服在吗", "人工客服", "转人工"}

// Messages makes n mixed messages of about 75 bytes; hit in a thousand
// carry one of the words. A quarter of the pieces is random Chinese, so that
// no automaton can rest.
func Messages(n, hit int, list []string) []string {
	r := rand.New(rand.NewPCG(3, 4))
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 3 + r.IntN(8) {
			if r.IntN(4) == 0 {
				for range 1 + r.IntN(4) {
					b.WriteRune(rune(0x4E00 + r.IntN(20000)))
				}
			} else {
				b.WriteString(phrases[r.IntN(len(phrases))])
			}
		}
		if r.IntN(1000) < hit {
			b.WriteString(list[r.IntN(len(list))])
			b.WriteString(phrases[r.IntN(len(phrases))])
		}
		out[i] = b.String()
	}
	return out
}

// Patterns is a plausible set of rules for the second layer.
var Patterns = []string{
	`1[3-9]\d{9}`, `\b[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]\b`,
	`\b(?:62|4|5[1-5])\d{14,17}\b`, `[\w.+-]+@[\w-]+\.[\w.]{2,}`, `https?://[^\s，。]+`,
	`(?i)(?:微信|wx|weixin|v信|vx)[号：:\s]*[a-z][\w-]{5,19}`, `(?i)qq[群号：:\s]*[1-9]\d{4,10}`,
	`(?i)(?:加|\+)\s*(?:我|v|微)`, `\b(?:\d{1,3}\.){3}\d{1,3}\b`, `(?i)(?:ignore|disregard)\s+(?:all\s+)?(?:previous|above)\s+instructions`,
	`忽略(?:之前|以上|上面)的?(?:所有)?(?:指令|提示)`, `(?i)system\s*prompt`, `(?:代开|出售|购买)发票`, `(?:刷单|兼职)\s*日[结赚]`,
	`(?i)(?:t\.me|telegram)[/:]?\s*@?\w+`, `(?:贷款|借钱).{0,8}(?:秒到|无抵押|免征信)`, `(?i)\b(?:fuck|shit|bitch)\w*\b`,
	`(?:傻|煞)\s*[逼比bB]`, `(?:博彩|赌场|六合彩).{0,10}(?:网址|注册|充值)`, `[\x{1F4A9}\x{1F595}]`,
}
