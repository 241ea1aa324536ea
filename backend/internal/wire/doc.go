// Package wire is what travels between the appliance and the outside: the
// frames of the visitors' WebSocket and the documents of the admin API. The
// TypeScript types of the widget and the admin page are derived from it.
//
// Frames to visitors are built by appending to a byte slice, because they are
// made once a piece of an answer and once a subscriber; everything else is
// plain structs with JSON tags.
package wire
