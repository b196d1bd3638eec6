package model_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas/data"
	"godarts/nas/data/sets"
	"godarts/nas/fixture"
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
	// The first keeps what evaluation needs of the weights.
	if _, err := m.Classify(picture(set.Test, 0)); err != nil {
		t.Fatal(err)
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
	if _, err := m.Classify(image.NewGray(image.Rect(3, 3, 3, 8))); fmt.Sprint(err) != "nas: classify: image 0 has no pixels" {
		t.Errorf("an image without pixels: %v", err)
	}
}

func TestClassifyScales(t *testing.T) {
	// An image of another size gives what its file gives, alone or among others, and a file that is no image gives an error with its name.
	root := fixture.DigitFiles(t, 250)
	files, err := filepath.Glob(filepath.Join(root, "train", "*", "*.png"))
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	files = files[:20]
	broken := filepath.Join(root, "broken.png")
	if err := os.WriteFile(broken, []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	wide := filepath.Join(root, "wide.png")
	large := image.NewNRGBA(image.Rect(0, 0, 31, 19))
	for i := range large.Pix {
		large.Pix[i] = uint8(i * i)
	}
	var content bytes.Buffer
	if err := png.Encode(&content, large); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(wide, content.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	files = append(files, broken, wide)

	torchtest.Scope(t)
	m, err := model.LoadModel(nastest.TrainedRun(t), torch.Device{})
	if err != nil {
		t.Fatal(err)
	}
	var decoded []image.Image
	var want [][]float64
	for _, file := range files {
		if file == broken {
			continue
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		img, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.Classify(img)
		if err != nil {
			t.Fatal(err)
		}
		decoded, want = append(decoded, img), append(want, p)
	}
	together, err := m.ClassifyImages(decoded)
	if err != nil {
		t.Fatal(err)
	}
	classified, err := m.ClassifyFiles(t.Context(), files, 7)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for c := range classified {
		if c.File == broken {
			if c.Probabilities != nil || c.Err == nil || c.Err.Error() != "nas: classify: "+broken+": image: unknown format" {
				t.Errorf("broken file: %v, %v", c.Probabilities, c.Err)
			}
			continue
		}
		for class := range want[n] {
			if got := []float64{together[n][class], c.Probabilities[class]}; c.Err != nil || math.Abs(got[0]-want[n][class]) > 1e-6 || math.Abs(got[1]-want[n][class]) > 1e-6 {
				t.Errorf("%s: class %d: %v, by itself %v", c.File, class, got, want[n][class])
			}
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d files, want %d", n, len(want))
	}
}
