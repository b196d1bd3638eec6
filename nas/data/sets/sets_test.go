package sets_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"godarts/nas/data"
	_ "godarts/nas/data/builtin"
	_ "godarts/nas/data/cifar"
	_ "godarts/nas/data/folder"
	"godarts/nas/data/sets"
)

func TestOpenUnknown(t *testing.T) {
	// Open names the nearest data set when the name is unknown.
	for _, c := range []struct{ name, nearest string }{
		{"cifar-10", "cifar10"}, {"CIFAR10", "cifar10"}, {"digit", "digits"}, {"dgits8", "digits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sets.Open(c.name, t.TempDir())
			want := fmt.Sprintf("data: unknown data set %q, nearest is %q (known: cifar10, cifar100, digits, imagefolder, synthetic)", c.name, c.nearest)
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// statistics returns mean and standard deviation of one channel of pixel/Max.
func statistics(m *data.Images, channel int) (mean, std float64) {
	var counts [256]float64
	plane := m.Height * m.Width
	for i := range m.N {
		at := i*m.Channels*plane + channel*plane
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

// checkStatistics compares m with its own constants. The published ones of CIFAR-10 are
// off by up to 3.4e-7, from a sum in single precision.
func checkStatistics(t *testing.T, m *data.Images) {
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
func labelCounts(m *data.Images) []int {
	counts := make([]int, m.Classes)
	for _, l := range m.Labels {
		counts[l]++
	}
	return counts
}

func TestDigits(t *testing.T) {
	// Open gives the embedded digits with their split, values and statistics when asked for "digits".
	set, err := sets.Open("digits", filepath.Join(t.TempDir(), "absent"))
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 1437 || set.Test.N != 360 || len(set.Train.Pixels) != 1437*64 || len(set.Test.Pixels) != 360*64 {
		t.Errorf("split %d and %d, %d and %d pixels", set.Train.N, set.Test.N, len(set.Train.Pixels), len(set.Test.Pixels))
	}
	checkStatistics(t, set.Train)
	top := [2]uint8{}
	for i, m := range []*data.Images{set.Train, set.Test} {
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
	if len(set.ClassNames) != 10 || set.ClassNames[7] != "7" || set.Augment != (data.Augment{Pad: 1}) {
		t.Errorf("class names %q, augment %+v", set.ClassNames, set.Augment)
	}
}

func TestCIFARPublished(t *testing.T) {
	// The published files have the published counts and statistics.
	root := os.Getenv("GODARTS_DATA")
	if root == "" {
		t.Skip("the real images are not tested: set GODARTS_DATA to the folder that holds cifar-10-batches-bin")
	}
	set, err := sets.Open("cifar10", root)
	if err != nil {
		t.Fatal(err)
	}
	if set.Train.N != 50000 || set.Test.N != 10000 {
		t.Errorf("%d and %d images", set.Train.N, set.Test.N)
	}
	checkStatistics(t, set.Train)
	for i, m := range []*data.Images{set.Train, set.Test} {
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
	set, err := sets.Open("digits", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	m := set.Train
	fmt.Println(m.N, "images to train,", set.Test.N, "to test,", m.Channels, m.Height, m.Width)
	// Output: 1437 images to train, 360 to test, 1 8 8
}

func TestNormalisation(t *testing.T) {
	// The mean and deviation of the options replace the set's own, and are refused when there is not one for each channel.
	mean, std := []float32{0.5, 0.25, 0.125}, []float32{1, 2, 4}
	set, err := sets.Options{Name: "synthetic", Mean: mean, Std: std}.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*data.Images{set.Train, set.Test} {
		if !slices.Equal(m.Mean, mean) || !slices.Equal(m.Std, std) || m.Channels != 3 || m.Height != 32 {
			t.Errorf("mean %v, std %v, %d channels of %d pixels", m.Mean, m.Std, m.Channels, m.Height)
		}
	}
	_, err = sets.Options{Name: "synthetic", Channels: 1, Mean: mean, Std: std}.Open()
	if want := "data: synthetic: mean of 3 and std of 3 channels, its images have 1"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRegisterRefuses(t *testing.T) {
	// Register panics when the name is taken or has spaces, and when the set has no Open, no side or a strange number of channels.
	open := func(sets.Options) (*data.Set, error) { return nil, nil }
	for _, c := range []struct {
		set  sets.DataSet
		want string
	}{
		{sets.DataSet{Name: "digits", Side: 8, Channels: 1, Open: open}, `data: register "digits": there is one of that name`},
		{sets.DataSet{Name: "my set", Side: 8, Channels: 1, Open: open}, `data: register "my set": want a name without spaces`},
		{sets.DataSet{Name: "closed", Side: 8, Channels: 1}, `data: register "closed": want Open, a Side, and 1 or 3 Channels`},
		{sets.DataSet{Name: "flat", Channels: 1, Open: open}, `data: register "flat": want Open, a Side, and 1 or 3 Channels`},
		{sets.DataSet{Name: "two", Side: 8, Channels: 2, Open: open}, `data: register "two": want Open, a Side, and 1 or 3 Channels`},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			}()
			sets.Register(c.set)
		}()
	}
}

func TestGetNames(t *testing.T) {
	// Get knows the data sets by name, also those without a download.
	root := t.TempDir()
	if err := sets.Get(t.Context(), "digits", root, nil); err != nil {
		t.Error(err)
	}
	if got, err := os.ReadDir(root); err != nil || len(got) != 0 {
		t.Errorf("files for digits: %v, %v", got, err)
	}
	err := sets.Get(t.Context(), "cifar", root, nil)
	if want := `data: unknown data set "cifar", nearest is "cifar10" (known: cifar10, cifar100, digits, imagefolder, synthetic)`; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = sets.Get(ctx, "cifar10", root, nil)
	if !errors.Is(err, context.Canceled) || !strings.HasPrefix(err.Error(), "data: get cifar10: ") {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestRegister(t *testing.T) {
	// A registered set is opened by its name; one that is another than its registration says is an error.
	images := func(n, side int) *data.Images {
		return &data.Images{N: n, Channels: 1, Height: side, Width: side, Classes: 2, Max: 255,
			Mean: []float32{0}, Std: []float32{1}, Pixels: make([]uint8, n*side*side), Labels: make([]uint16, n)}
	}
	for _, c := range []struct {
		name             string
		side, n, classes int
		want             string
	}{
		{"as-registered", 4, 6, 2, ""},
		{"unknown-sizes", 4, 0, 0, ""},
		{"other-side", 8, 6, 2, "data: other-side: images of 1x4x4 in 2 classes, registered as 1x8x8 in 2"},
		{"other-classes", 4, 6, 3, "data: other-classes: images of 1x4x4 in 2 classes, registered as 1x4x4 in 3"},
		{"other-number", 4, 5, 2, "data: other-number: 6 training images, registered with 5"},
	} {
		sets.Register(sets.DataSet{Name: c.name, Side: c.side, Channels: 1, Classes: c.classes, Train: c.n,
			Open: func(o sets.Options) (*data.Set, error) {
				if o.Root != "here" || o.Size != c.side {
					t.Errorf("opened with %+v", o)
				}
				return data.NewSet(c.name, images(6, 4), images(2, 4), []string{"a", "b"}, data.Augment{}), nil
			}})
		set, err := sets.Open(c.name, "here")
		if err == nil && c.want == "" && set.Train.N == 6 {
			continue
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}
