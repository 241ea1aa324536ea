package terms

import (
	"strings"
	"sync"
)

// Stop reports whether a normalised English word carries no meaning of its own
// in a question.
func Stop(w string) bool { return stopWords()[strings.ReplaceAll(w, "’", "'")] }

// stopWords is built at its first use, so that starting the program does no
// work for it.
var stopWords = sync.OnceValue(func() map[string]bool {
	return set(`a an the and or but if so of to in on at by for from with about as into than then that this these
those there here it its it's i i'm i'd i've i'll me my mine we we're our ours us you you're your yours u ur he she they them their his her
is are was were be been being am do does did doing done don't doesn't didn't have has had having haven't hasn't can can't could couldn't
will won't would wouldn't shall should may might must what what's which who whom whose when where why how how's much many
please pls hi hello hey thanks thank ok okay yes no not any some all just also too very really still yet
get got getting go going let make made want wanted need needed like know tell give say said
up out off over again only own same such more most other one two up`)
})

// stopHan lists characters that mean little alone; in pairs they are kept.
func stopHan(r rune) bool {
	return strings.ContainsRune("的了吗呢吧啊呀嘛是我你您他她它们在有和与就也都还很把被给让这那个些么什怎请要会能可以不没一到去来说对", r)
}

// Weak reports whether a term is a single Han character or a pair with a
// function word in it (是多, 的茶): inside a run neither is likely to be a word.
func Weak(term string) bool {
	n := 0
	for _, r := range term {
		if !Wide(r) {
			return false
		}
		if n++; stopHan(r) {
			return true
		}
	}
	return n == 1
}

func set(s string) map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// simplify maps the traditional characters that shops' visitors use most to
// their simplified forms; others stay. The pairs are common knowledge of the
// script reform, written down by hand for this purpose.
func simplify(r rune) rune {
	if s, ok := simplified()[r]; ok {
		return s
	}
	return r
}

var simplified = sync.OnceValue(func() map[rune]rune {
	return pairs("貨货運运費费訂订單单這这個个麼么嗎吗們们來来說说時时間间錢钱買买賣卖開开發发還还沒没問问請请謝谢對对點点電电話话號号碼码" +
		"樣样會会過过後后裡里裏里為为與与從从換换壞坏裂裂損损顏颜色色寸寸寬宽長长瓷瓷壺壶蓋盖葉叶綠绿紅红龍龙烏乌無无機机關关閉闭營营業业" +
		"週周間间幾几點点門门實实體体連连絡络繫系聯联絡络賬账帳账戶户註注冊册優优惠惠券券積积分分禮礼品品包包裝装贈赠卡卡發发票票稅税額额" +
		"準准備备庫库補补訊讯息息歡欢迎迎試试飲饮適适應应該该認认證证質质檢检測测農农藥药殘残溫温熱热涼凉凍冻氣气保保險险期期國国際际灣湾" +
		"遞递達达區区鄉乡鎮镇樓楼號号遲迟誤误丟丢遺遗錯错誤误漏漏輸输環环產产處处理理頭头齊齐轉转員员將将當当兩两種种類类級级總总數数據据" +
		"網网頁页圖图標标誌志製制訂订購购團团價价廣广東东車车場场館馆課课師师傅傅學学習习隱隐私私護护權权刪删除除銷销訂订閱阅郵邮箱箱件件" +
		"鐵铁銀银碗碗盤盘燒烧爐炉烘烘乾干濕湿藝艺術术寫写賀贺給给讓让帶带邊边進进難难雙双舊旧靜静麗丽鮮鲜鹽盐麵面親亲愛爱兒儿歲岁")
})

func pairs(s string) map[rune]rune {
	rs := []rune(s)
	m := make(map[rune]rune, len(rs)/2)
	for i := 0; i+1 < len(rs); i += 2 {
		if rs[i] != rs[i+1] {
			m[rs[i]] = rs[i+1]
		}
	}
	return m
}
