package data

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRoot(t *testing.T) {
	// Root takes the first of argument, environment and home when several are set.
	t.Setenv("HOME", "/home/somebody")
	for _, c := range []struct{ name, given, env, want string }{
		{"argument", "a", "b", "a"},
		{"environment", "", "b", "b"},
		{"home", "", "", "/home/somebody/.cache/godarts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GODARTS_DATA", c.env)
			if got := Root(c.given); got != c.want {
				t.Errorf("Root(%q) = %q, want %q", c.given, got, c.want)
			}
		})
	}
}

func TestOpenUnknown(t *testing.T) {
	// Open names the nearest data set when the name is unknown.
	for _, c := range []struct{ name, nearest string }{
		{"cifar-10", "cifar10"}, {"CIFAR10", "cifar10"}, {"digit", "digits"}, {"dgits8", "digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Open(c.name, t.TempDir())
			want := fmt.Sprintf("data: unknown data set %q, nearest is %q (known: cifar10, cifar100, digits, imagefolder, synthetic)", c.name, c.nearest)
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestSlice(t *testing.T) {
	// Slice shares exactly the chosen images when the range is inside, and panics when it is not.
	m := &Images{N: 3, Channels: 1, Height: 1, Width: 2, Pixels: []uint8{0, 1, 2, 3, 4, 5}, Labels: []uint16{7, 8, 9}}
	part := m.Slice(1, 3)
	if diff := cmp.Diff([]uint8{2, 3, 4, 5}, part.Pixels); diff != "" || part.N != 2 {
		t.Errorf("N = %d, pixels (-want +got):\n%s", part.N, diff)
	}
	if diff := cmp.Diff([]uint16{8, 9}, part.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	m.Pixels[2] = 99
	if part.Pixels[0] != 99 {
		t.Error("the slice does not share memory")
	}
	for _, c := range [][2]int{{-1, 2}, {2, 1}, {0, 4}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			want := fmt.Sprintf("data: slice %d..%d of 3 images", c[0], c[1])
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			m.Slice(c[0], c[1])
		})
	}
}

// statistics returns mean and standard deviation of one channel of pixel/Max.
func statistics(m *Images, channel int) (mean, std float64) {
	var counts [256]float64
	plane := m.Height * m.Width
	for i := range m.N {
		at := i*m.size() + channel*plane
		for _, p := range m.Pixels[at : at+plane] {
			counts[p]++
		}
	}
	n := float64(m.N * plane)
	for p, k := range counts {
		mean += k * float64(p) / float64(m.Max) / n
	}
	for p, k := range counts {
		d := float64(p)/float64(m.Max) - mean
		std += k * d * d / n
	}
	return mean, math.Sqrt(std)
}

// checkStatistics compares m with its own constants. Those published for CIFAR-10
// are off by up to 3.4e-7, the rounding of a sum in single precision.
func checkStatistics(t *testing.T, m *Images) {
	t.Helper()
	const tolerance = 5e-7
	for c := range m.Channels {
		mean, std := statistics(m, c)
		if math.Abs(mean-float64(m.Mean[c])) > tolerance || math.Abs(std-float64(m.Std[c])) > tolerance {
			t.Errorf("channel %d: mean %.8f std %.8f, the constants say %.8f %.8f", c, mean, std, m.Mean[c], m.Std[c])
		}
	}
}

// labelCounts returns how many images each class has.
func labelCounts(m *Images) []int {
	counts := make([]int, m.Classes)
	for _, l := range m.Labels {
		counts[l]++
	}
	return counts
}

func TestDigits(t *testing.T) {
	// Open gives the embedded digits with their split, values and statistics when asked for "digits".
	set, err := Open("digits", filepath.Join(t.TempDir(), "absent"))
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 1437 || set.Test.N != 360 || len(set.Train.Pixels) != 1437*64 || len(set.Test.Pixels) != 360*64 {
		t.Errorf("split %d and %d, %d and %d pixels", set.Train.N, set.Test.N, len(set.Train.Pixels), len(set.Test.Pixels))
	}
	checkStatistics(t, set.Train)
	top := [2]uint8{}
	for i, m := range []*Images{set.Train, set.Test} {
		for _, p := range m.Pixels {
			top[i] = max(top[i], p)
		}
	}
	if top != [2]uint8{16, 16} {
		t.Errorf("largest values %v, want 16 and 16", top)
	}
	if diff := cmp.Diff([]uint8{0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0}, set.Train.Pixels[:16]); diff != "" {
		t.Errorf("first two rows (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uint16{0, 1, 2, 3, 4, 5}, set.Train.Labels[:6]); diff != "" {
		t.Errorf("first labels (-want +got):\n%s", diff)
	}
	// The published class sizes of the 1,797 images.
	all := labelCounts(set.Train)
	for class, n := range labelCounts(set.Test) {
		all[class] += n
	}
	if diff := cmp.Diff([]int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}, all); diff != "" {
		t.Errorf("class sizes (-want +got):\n%s", diff)
	}
	if len(set.ClassNames) != 10 || set.ClassNames[7] != "7" || set.Augment != (Augment{Pad: 1}) {
		t.Errorf("class names %q, augment %+v", set.ClassNames, set.Augment)
	}
}

func TestDigitsFile(t *testing.T) {
	// The embedded file is refused with its line when it is damaged.
	image := ""
	for range 64 {
		image += "3,"
	}
	for _, c := range []struct {
		name, text, want string
	}{
		{"short line", image + "1\n3,4\n", "data: digits: line 2: 2 values, want 65"},
		{"bright pixel", image[2:] + "17,1\n", `data: digits: line 1: value 64 is "17", want 0 to 16`},
		{"label", image + "10\n", `data: digits: line 1: value 65 is "10", want 0 to 9`},
		{"negative", image[2:] + "-1,1\n", `data: digits: line 1: value 64 is "-1", want 0 to 16`},
		{"no number", image + "x\n", `data: digits: line 1: value 65 is "x", want 0 to 9`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readDigits(zip(t, []byte(c.text)))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	if _, err := readDigits(digitsFile[:1000]); err == nil {
		t.Error("no error for half a file")
	}
}

func TestCIFARPublished(t *testing.T) {
	// The published files give the published counts and statistics when they are at hand.
	root := os.Getenv("GODARTS_DATA")
	if root == "" {
		t.Skip("the real images are not tested: set GODARTS_DATA to the folder that holds cifar-10-batches-bin")
	}
	set, err := Open("cifar10", root)
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 50000 || set.Test.N != 10000 {
		t.Errorf("%d and %d images", set.Train.N, set.Test.N)
	}
	checkStatistics(t, set.Train)
	for i, m := range []*Images{set.Train, set.Test} {
		for class, n := range labelCounts(m) {
			if want := []int{5000, 1000}[i]; n != want {
				t.Errorf("split %d: %d images of class %d, want %d", i, n, class, want)
			}
		}
	}
	if diff := cmp.Diff([]string{"frog", "truck", "truck"}, []string{
		set.ClassNames[set.Train.Labels[0]], set.ClassNames[set.Train.Labels[1]], set.ClassNames[set.Train.Labels[2]],
	}); diff != "" {
		t.Errorf("first classes (-want +got):\n%s", diff)
	}
}

func ExampleOpen() {
	set, err := Open("digits", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	m := set.Train
	fmt.Println(m.N, "images to train,", set.Test.N, "to test,", m.Channels, m.Height, m.Width)
	// Output: 1437 images to train, 360 to test, 1 8 8
}
