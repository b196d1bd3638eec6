package bench

import "testing"

func TestCPUSeconds(t *testing.T) {
	// parseCPUSeconds adds user and system time, also of ended children.
	const rest = " S 1 2 3 4 5 6 7 8 9 10 100 20 3 7 20 0 1 0 55\n"
	for _, test := range []struct {
		name, stat string
		want       float64
	}{
		{"plain", "12 (darts)" + rest, 1.3},
		{"a name with brackets", "12 (a) 9 9 (b))" + rest, 1.3},
		{"cut short", "12 (darts) S 1 2", 0},
		{"empty", "", 0},
	} {
		if got := parseCPUSeconds(test.stat); got != test.want {
			t.Errorf("%s: %g s, want %g", test.name, got, test.want)
		}
	}
}

func TestLastLine(t *testing.T) {
	// The last line that is not blank is kept, also when a program writes it in pieces.
	for _, test := range []struct {
		name   string
		pieces []string
		want   string
	}{
		{"nothing", nil, ""},
		{"blank", []string{"\n \n"}, ""},
		{"one line", []string{"error: x\n"}, "; its last words: error: x"},
		{"in pieces", []string{"first\nerr", "or: ", "x\n", "\n"}, "; its last words: error: x"},
		{"no line end", []string{"first\nsecond"}, "; its last words: second"},
	} {
		var l lastLine
		for _, piece := range test.pieces {
			if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Errorf("%s: Write gave %d, %v", test.name, n, err)
			}
		}
		if got := l.quoted(); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}
