package app

import "golang.org/x/sys/windows/registry"

// askedAtSetup reports, once, that the person ticked "start when I sign in" in
// the installer, which cannot reach the settings.
func askedAtSetup() bool {
	key, err := registry.OpenKey(registry.CURRENT_USER, `Software\Haoke`, registry.QUERY_VALUE|registry.SET_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	v, _, err := key.GetIntegerValue("StartAtLogin")
	if err != nil {
		return false
	}
	return key.DeleteValue("StartAtLogin") == nil && v == 1
}
