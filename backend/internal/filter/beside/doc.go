// Package beside measures the filter beside other people's matchers, on the
// same texts in the same run. It is a module of its own, so that what it
// compares with is no dependency of the product:
//
//	cd backend/internal/filter/beside && go test -bench . -benchtime 300ms
package beside
