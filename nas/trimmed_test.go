package nas

import (
	"fmt"
	"testing"
)

func TestTrimmed(t *testing.T) {
	// A run keeps the lines of its metrics up to its position, each once and in order, and tells which are missing.
	line := func(epoch, step int) string {
		if step == 0 {
			return fmt.Sprintf(`{"epoch":%d,"lr":0.1}`+"\n", epoch)
		}
		return fmt.Sprintf(`{"epoch":%d,"step":%d,"lr":0.1}`+"\n", epoch, step)
	}
	whole := line(0, 50) + line(0, 100) + line(0, 0) + line(1, 50) + line(1, 100) + line(1, 0) + line(2, 50)
	at := Position{Epoch: 2, Step: 60}
	for _, test := range []struct {
		name, text string
		first      int
		at         Position
		kept       string
		bad        int
		missing    string
	}{
		{"as it was", whole, 0, at, whole, 0, ""},
		{"ahead of the checkpoint", whole + line(2, 100) + line(2, 0) + line(3, 50), 0, at, whole, 0, ""},
		{"ahead of the first checkpoint", line(0, 50), 0, Position{}, "", 0, ""},
		{"a last line cut off", whole + `{"epoch":2,"st`, 0, at, whole, 0, ""},
		{"emptied", "", 0, at, "", 0, "epochs 1 and 2"},
		{"shortened", line(0, 50) + line(0, 100) + line(0, 0) + line(1, 50), 0, at, line(0, 50) + line(0, 100) + line(0, 0) + line(1, 50), 0, "epoch 2"},
		{"without its beginning", line(1, 0) + line(2, 50), 0, at, line(1, 0) + line(2, 50), 0, "epoch 1"},
		{"doubled", whole + whole, 0, at, whole, 7, ""},
		{"garbage", "\x00\x01\n" + line(0, 0) + "{}[]\n" + line(1, 0), 0, at, line(0, 0) + line(1, 0), 2, ""},
		{"an epoch below zero", line(-1, 0) + line(0, 0) + line(1, 0), 0, at, line(0, 0) + line(1, 0), 1, ""},
		{"many epochs gone", "", 0, Position{Epoch: 9}, "", 0, "9 epochs from 1 to 9"},
		{"begun later", line(1, 0) + line(2, 50), 1, at, line(1, 0) + line(2, 50), 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			kept, bad, missing := trimmed([]byte(test.text), test.first, test.at)
			said := ""
			if len(missing) > 0 {
				said = epochNumbers(missing)
			}
			if string(kept) != test.kept || bad != test.bad || said != test.missing {
				t.Errorf("kept\n%s%d bad, missing %q, want\n%s%d and %q", kept, bad, said, test.kept, test.bad, test.missing)
			}
		})
	}
}
