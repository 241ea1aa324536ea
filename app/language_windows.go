package app

import "golang.org/x/sys/windows"

// uiLanguage is the language that the person chose for Windows.
func uiLanguage() string {
	names, err := windows.GetUserPreferredUILanguages(windows.MUI_LANGUAGE_NAME)
	if err != nil || len(names) == 0 {
		return ""
	}
	return names[0]
}
