package fold

import "testing"

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"SPAM": "spam", "ｓｐａｍ": "spam", "spám": "spam", "ѕраm": "spam", "𝓼𝓹𝓪𝓶": "spam", "ⓢⓟⓐⓜ": "spam", "🅢🅟🅐🅜": "spam", "🇸🇵🇦🇲": "spam",
		"ＡＢＣ１２３": "abc123", "٣": "3", "①": "1", "㎏": "kg", "ﬁ": "fi", "體檢": "体检", "賭博": "赌博", "が": "が", "한국": "한국",
		"s\u200bp\u0301am": "spam", "s-p a.m": "s p a m", "a 😀 b": "a b", "": "", "。": "",
	} {
		if got := Default().String(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestKinds(t *testing.T) {
	for r, want := range map[rune]Kind{'a': Letter, '7': Letter, '好': Letter, ' ': Space, 0x3000: Space, '\n': Strict, ',': Strict, '。': Strict,
		'-': Free, '*': Free, '😀': Free, 0x200B: Skip, 0x301: Skip, 0xFE0F: Skip, 0xFEFF: Skip, 0: Skip, 0x1F1E6: Letter} {
		if k, _, _ := Default().Fold(r); k != want {
			t.Errorf("%U: kind %d, want %d", r, k, want)
		}
	}
}

func TestForeign(t *testing.T) {
	tab := Default()
	if !tab.Foreign('а') || tab.Foreign('a') || tab.Foreign('好') || tab.Foreign(0x1F600) {
		t.Error("Cyrillic а is foreign, Latin a and the others are not")
	}
}

func TestPinyin(t *testing.T) {
	p := Pinyin()
	if a, _ := p.Readings('赌'); a != "du" {
		t.Errorf("赌 is read %q", a)
	}
	if a, b := p.Readings('行'); a == "" || b == "" || a == b {
		t.Errorf("行 is read %q and %q", a, b)
	}
	if a, _ := p.Readings('a'); a != "" {
		t.Errorf("a is read %q", a)
	}
}

func TestWidth(t *testing.T) {
	for r, want := range map[rune]rune{'Ａ': 'A', '１': '1', '＠': '@', '，': '，', 'a': 'a', 0x1D7D9: '1', 0x2011: '-', 0x3000: ' '} {
		if got := Width(r); got != want {
			t.Errorf("%c: got %c, want %c", r, got, want)
		}
	}
}
