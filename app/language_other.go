//go:build !windows

package app

// uiLanguage is empty where the environment tells the language.
func uiLanguage() string { return "" }
