package builtin

import (
	"image/color"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSynthetic(t *testing.T) {
	// Synthetic pictures are at least as large as the images, the same at each decoding, and different between classes.
	set := synthetic(24, 3)
	if set.Train.N != 1024 || set.Test.N != 64 || set.Train.Classes != 10 || len(set.ClassNames) != 10 {
		t.Errorf("%d and %d images of %d classes", set.Train.N, set.Test.N, set.Train.Classes)
	}
	first, _, err := set.Train.Pictures.Decode(7)
	if err != nil {
		t.Fatal(err)
	}
	again, _, _ := set.Train.Pictures.Decode(7)
	test, _, _ := set.Test.Pictures.Decode(7)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Errorf("(-first +again):\n%s", diff)
	}
	if cmp.Equal(first, test) {
		t.Error("training and test share a picture")
	}
	for i := range 50 {
		m, _, _ := set.Train.Pictures.Decode(i)
		if size := m.Bounds().Size(); size.X < 24 || size.Y < 24 || size.X > 48 || size.Y > 48 {
			t.Errorf("picture %d is of %v", i, size)
		}
		red, _, blue, _ := m.At(0, 0).RGBA()
		if reddish := red > blue; reddish != (i%10 < 5) {
			t.Errorf("picture %d: %v", i, m.At(0, 0).(color.RGBA))
		}
	}
}
