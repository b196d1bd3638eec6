package figure_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/plot/vg"

	"godarts/cells/genotype"
	"godarts/nas/figure"
	"godarts/nas/record"
	"godarts/nas/record/recordtest"
	_ "godarts/nas/search"
)

func TestFigures(t *testing.T) {
	// Every kind of figure is drawn as SVG that can be read, as PNG and as PDF, alone and in a page, when runs have what it shows.
	for name, runs := range map[string][]*record.Run{"one": {recordtest.Search(t, "runs/one", 1, 50)}, "several": recordtest.Several(t)} {
		for _, kind := range figure.Kinds {
			t.Run(name+"/"+kind.Name, func(t *testing.T) {
				figures := kind.Draw(figure.Label(runs))
				if len(figures) == 0 && name == "several" {
					t.Fatal("no figure")
				}
				for i, f := range figures {
					pictures := map[string][]byte{"page.svg": f.Inline(figure.Size{})}
					for _, extension := range figure.Extensions {
						picture, err := f.Encode(extension, figure.Size{Width: 120 * vg.Millimeter})
						if err != nil {
							t.Fatal(err)
						}
						pictures["file"+extension] = picture
					}
					for file, picture := range pictures {
						check(t, file, picture)
						if keep := os.Getenv("GODARTS_KEEP_FIGURES"); keep != "" {
							if err := os.WriteFile(filepath.Join(keep, fmt.Sprintf("%s-%s-%d-%s", name, kind.Name, i, file)), picture, 0o644); err != nil {
								t.Fatal(err)
							}
						}
					}
				}
			})
		}
	}
}

// check fails the test if the picture is not what its name says.
func check(t *testing.T, file string, picture []byte) {
	t.Helper()
	switch filepath.Ext(file) {
	case ".svg":
		for d := xml.NewDecoder(bytes.NewReader(picture)); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		if bytes.Contains(picture, []byte("NaN")) || bytes.Contains(picture, []byte("Inf")) {
			t.Errorf("%s: a coordinate is no number", file)
		}
	case ".png":
		if !bytes.HasPrefix(picture, []byte("\x89PNG")) {
			t.Errorf("%s: %q", file, picture[:8])
		}
	case ".pdf":
		if !bytes.HasPrefix(picture, []byte("%PDF")) {
			t.Errorf("%s: %q", file, picture[:8])
		}
	}
}

func TestNothingToShow(t *testing.T) {
	// No figure is drawn when a run has just begun.
	r := recordtest.Search(t, "runs/begun", 1, 1)
	r.Epochs, r.Steps, r.Timings, r.Search = nil, nil, nil, nil
	for _, kind := range figure.Kinds {
		if figures := kind.Draw(figure.Label([]*record.Run{r})); len(figures) > 0 {
			t.Errorf("%s: %d figures", kind.Name, len(figures))
		}
	}
	if f := figure.Alpha(figure.Label([]*record.Run{r})[0], genotype.Normal); f != nil {
		t.Error("a heat map")
	}
}

func TestLongRun(t *testing.T) {
	// A figure of a hundred thousand lines of metrics is no larger than its size needs, and keeps a peak.
	r := recordtest.Search(t, "runs/long", 1, 3)
	steps := r.Steps[0]
	r.Steps = nil
	for i := range 100_000 {
		m := steps
		m.Epoch, m.Step, m.Of = i/40_000, i%40_000+1, 40_000
		m.TrainLoss = new(1.0)
		if i == 54_321 {
			m.TrainLoss = new(1000.0)
		}
		r.Steps = append(r.Steps, m)
	}
	picture := figure.Losses(figure.Label([]*record.Run{r})).Inline(figure.Size{})
	if len(picture) > 100_000 {
		t.Errorf("%d bytes", len(picture))
	}
	if !bytes.Contains(picture, []byte(">1k</text>")) {
		t.Error("the peak is lost")
	}
}
