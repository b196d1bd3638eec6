package model_test

import (
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas/data"
	"godarts/nas/data/sets"
	"godarts/nas/model"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/torchtest"
)

// picture is an image of a data set as an image file would have it.
func picture(m *data.Images, i int) image.Image {
	img := image.NewGray16(image.Rect(3, 5, 3+m.Width, 5+m.Height)) // the origin is nobody's business
	for k := range m.Width * m.Height {
		v := float64(m.Pixels[i*m.Width*m.Height+k]) / float64(m.Max)
		img.SetGray16(3+k%m.Width, 5+k/m.Width, color.Gray16{Y: uint16(math.Round(v * math.MaxUint16))})
	}
	return img
}

func TestClassify(t *testing.T) {
	// A model errs on the test images as often as the run that trained it, and its probabilities are those of its logits.
	dir := nastest.TrainedRun(t)
	text, err := os.ReadFile(filepath.Join(dir, runfolder.ResultFile))
	if err != nil {
		t.Fatal(err)
	}
	var result runfolder.TrainResult
	if err := json.Unmarshal(text, &result); err != nil {
		t.Fatal(err)
	}
	set, err := sets.Open("digits", "")
	if err != nil {
		t.Fatal(err)
	}
	torchtest.Scope(t)
	m, err := model.LoadModel(dir, torch.Device{})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(m.ClassNames(), ""); got != "0123456789" {
		t.Errorf("classes %q", got)
	}
	before := torch.Live()
	wrong := 0
	for i := range set.Test.N {
		p, err := m.Classify(picture(set.Test, i))
		if err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range p {
			sum += v
		}
		if len(p) != 10 || math.Abs(sum-1) > 1e-5 {
			t.Fatalf("probabilities %v", p)
		}
		if p[set.Test.Labels[i]] != slices.Max(p) {
			wrong++
		}
	}
	if got := 100 * float64(wrong) / float64(set.Test.N); math.Abs(got-result.TestError) > 1e-9 {
		t.Errorf("test error %v, the run says %v", got, result.TestError)
	}
	if left := torch.Live() - before; left != 0 {
		t.Errorf("%d tensors left", left)
	}
	want := "nas: classify: an image of 9x8, the network takes 8x8"
	if _, err := m.Classify(image.NewGray(image.Rect(0, 0, 9, 8))); fmt.Sprint(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
