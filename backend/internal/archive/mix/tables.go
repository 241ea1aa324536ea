package mix

// squashAt are points of 65536/(1+e^(-x/256)), for x from -2048 in steps of
// 128. They are written out because they are part of the format.
var squashAt = [33]int32{
	22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768,
	40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438, 65476, 65500, 65514,
}

// squash turns evidence (-2047 to 2047) into a probability of 16 bits.
func squash(d int32) int32 {
	d = min(max(d, -2047), 2047) + 2048
	w := d & 127
	i := d >> 7
	return (squashAt[i]*(128-w) + squashAt[i+1]*w + 64) >> 7
}

// tables are computed once and never changed.
type tables struct {
	stretch [4096]int16         // squash reversed, for probabilities of 12 bits
	rate    [moveMost + 1]int32 // 65536/(n+1.5): how far a chance moves at its n-th observation
}

func newTables() *tables {
	t := &tables{}
	at := int32(0)
	for x := int32(-2047); x <= 2047; x++ {
		for v := squash(x) >> 4; at <= v; at++ {
			t.stretch[at] = int16(x)
		}
	}
	for ; at < 4096; at++ {
		t.stretch[at] = 2047
	}
	for n := range t.rate {
		t.rate[n] = int32(2 * 65536 / (2*n + 3))
	}
	return t
}

// of is the evidence behind a probability of 12 bits.
func (t *tables) of(p uint32) int32 { return int32(t.stretch[p]) }
