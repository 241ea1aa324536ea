//go:build !race

package backend

// raceDetector reports that the tests run under the race detector.
const raceDetector = false
