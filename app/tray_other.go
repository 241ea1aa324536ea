//go:build !linux

package app

// trayHost is always true where the system itself has a place for icons.
func trayHost() bool { return true }
