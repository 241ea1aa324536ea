package admit

import "testing"

func TestFarBehindOnlyGreatStepsAreTold(t *testing.T) {
	frames, told := 0, 0
	for at := 8000; at > 0; at-- {
		if worthTelling(told, at) {
			told = at
			frames++
		}
	}
	if told != 1 || frames < 20 || frames > 80 {
		t.Errorf("%d frames from place 8000 on, the last says %d", frames, told)
	}
	for _, c := range []struct {
		told, at int
		want     bool
	}{{0, 500, true}, {500, 500, false}, {500, 499, false}, {500, 437, true}, {11, 10, true}, {2, 1, true}, {300, 301, false}, {300, 340, true}, {9, 12, true}} {
		if worthTelling(c.told, c.at) != c.want {
			t.Errorf("from %d to %d: %v", c.told, c.at, !c.want)
		}
	}
}
