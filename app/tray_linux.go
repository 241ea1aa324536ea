package app

import "github.com/godbus/dbus/v5"

// traySession reports whether there is a session bus on which a place for the
// icon could appear.
func traySession() bool {
	_, err := dbus.SessionBus()
	return err == nil
}

// trayHost reports whether somebody on the session bus shows tray icons:
// GNOME, for one, does not without an extension.
func trayHost() bool {
	conn, err := dbus.SessionBus()
	if err != nil {
		return false
	}
	var owned bool
	err = conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.kde.StatusNotifierWatcher").Store(&owned)
	return err == nil && owned
}
