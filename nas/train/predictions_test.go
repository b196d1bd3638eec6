package train_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/train"
	"godarts/torch"
)

func TestPredictions(t *testing.T) {
	// The kept predictions give the measured error, name the file of each image although one could not be read, and add up to the confusions.
	root := fixture.DigitFiles(t, 200)
	dir := filepath.Join(t.TempDir(), "run")
	c := fixture.Load(t, "../testdata/tiny-train.yaml", fixture.OnFiles(root, "epochs=1", "data.on_bad_file=skip", "data.check=off")...)
	files, err := filepath.Glob(filepath.Join(root, "val", "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	broken := files[5]
	if err := os.WriteFile(broken, []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	var p train.Predictions
	tested, err := train.TestInto(t.Context(), dir, torch.CPU, &p)
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for _, i := range p.Images {
		if i.Label != i.Class {
			wrong++
		}
		if filepath.Base(filepath.Dir(i.Image)) != p.ClassNames[i.Label] || filepath.Join(root, i.Image) == broken || i.Probability < 0.1 || i.Probability > 1 {
			t.Errorf("%+v, of class %s", i, p.ClassNames[i.Label])
		}
	}
	if got := 100 * float64(wrong) / float64(len(p.Images)); len(p.Images) != len(files)-1 || math.Abs(got-tested.TestError) > 1e-9 {
		t.Errorf("%d of %d images, error %v, measured %v", len(p.Images), len(files), got, tested.TestError)
	}
	sum, right := 0, 0
	for i, row := range p.Confusion() {
		right += row[i]
		for _, n := range row {
			sum += n
		}
	}
	if sum != len(p.Images) || right != sum-wrong {
		t.Errorf("the confusions have %d images, %d of them right", sum, right)
	}
	content, err := p.CSV()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(content))).ReadAll()
	if err != nil || len(rows) != len(p.Images)+1 || !slices.Equal(rows[0], []string{"image", "label", "class", "probability"}) || rows[1][0] != p.Images[0].Image {
		t.Errorf("%d rows, %v, %q", len(rows), err, rows[:2])
	}
	again, err := train.Test(t.Context(), dir, torch.CPU)
	if err != nil || *again.Tested != *tested.Tested {
		t.Errorf("without predictions %+v, %v, with them %+v", again.Tested, err, tested.Tested)
	}
}
