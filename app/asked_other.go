//go:build !windows

package app

// askedAtSetup reports that the person wished it in the installer; the other
// systems' installers do not ask.
func askedAtSetup() bool { return false }
