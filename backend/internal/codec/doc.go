// Package codec is JSON at the speed of the stream: a byte scan that takes the
// raw string token of a streamed piece out of an upstream chunk without
// decoding it, appenders that write frames without reflection, and bounded
// decoding of whole documents.
//
// It is the only package that imports json-iterator, which decodes structs
// where the scan does not apply. Every document is first checked by a strict
// validator of our own, so that json-iterator never sees what encoding/json
// would refuse, nor a nesting deeper than MaxDepth.
package codec
