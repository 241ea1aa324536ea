package phrases

import (
	"reflect"
	"strings"
	"testing"
)

func TestEveryLanguageIsComplete(t *testing.T) {
	for lang, set := range sets {
		v := reflect.ValueOf(*set)
		for i := range v.NumField() {
			name, text := v.Type().Field(i).Name, v.Field(i).String()
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s has no %s", lang, name)
			}
			if (name == "Joined") != strings.Contains(text, "%s") {
				t.Errorf("%s: %s: the operator's name belongs into Joined and nowhere else: %q", lang, name, text)
			}
		}
	}
}

func TestForFindsTheNearestLanguage(t *testing.T) {
	for locale, want := range map[string]string{
		"": "en", "xx": "en", "EN-us": "en", "zh-CN": "zh", "zh": "zh", "zh-Hant-HK": "zh-tw",
		"zh_TW": "zh-tw", "pt-BR": "pt", "ar": "ar", "de-AT": "de",
	} {
		if For(locale) != sets[want] {
			t.Errorf("For(%q) is not %s", locale, want)
		}
	}
}
