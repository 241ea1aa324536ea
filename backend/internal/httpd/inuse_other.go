//go:build !linux

package httpd

import "strings"

// isInUse knows the wording of systems whose error number differs (Windows:
// WSAEADDRINUSE).
func isInUse(err error) bool {
	return strings.Contains(err.Error(), "Only one usage of each socket address")
}

// portHolder cannot be told here without help of other programs.
func portHolder(int) string { return "" }
