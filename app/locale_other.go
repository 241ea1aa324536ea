//go:build !linux

package app

// nameLocale has nothing to do where the system's web view names its language.
func nameLocale() {}
