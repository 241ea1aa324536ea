//go:build !linux

package app

// traySession and trayHost are true where the system itself has a place for icons.
func traySession() bool { return true }

func trayHost() bool { return true }
