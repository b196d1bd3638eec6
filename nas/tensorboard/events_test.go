package tensorboard

import (
	"bytes"
	"os"
	"testing"
)

func TestRecordedBytes(t *testing.T) {
	// An event of each kind has the bytes that TensorBoard's own writer gives it.
	want, err := os.ReadFile("testdata/recorded.tfevents")
	if err != nil {
		t.Fatal(err)
	}
	dot, err := os.ReadFile("testdata/dot.png")
	if err != nil {
		t.Fatal(err)
	}
	image, err := picture("cell/normal", dot)
	if err != nil {
		t.Fatal(err)
	}
	const wall = 1700000000.25
	hparams := map[string]any{"w.lr": 0.025, "strategy.name": "darts", "data.augment": true}
	got := appendFrame(nil, versionEvent(wall))
	got = appendFrame(got, restartEvent(wall))
	got = appendFrame(got, event(wall, 0, []message{
		experiment(hparams, []string{"loss/valid"}), session(hparams, wall), text("genotype", verbatim("Genotype(...)\n")),
	}))
	got = appendFrame(got, event(wall, 300, []message{
		scalar("loss/train", 0.1), histogram("alpha_normal/edge_0_2", []float64{0.01, 0.06, 0.09}), image, sessionEnd(statusSuccess, wall),
	}))
	if bytes.Equal(got, want) {
		return
	}
	ours, theirs := records(t, got), records(t, want)
	for i := range theirs {
		if i < len(ours) && !bytes.Equal(ours[i], theirs[i]) {
			t.Errorf("record %d:\n%q\nwant\n%q", i, ours[i], theirs[i])
		}
	}
	t.Errorf("%d records of %d bytes, want %d of %d", len(ours), len(got), len(theirs), len(want))
}

func TestHistogramEdges(t *testing.T) {
	// The buckets of a histogram run from that of the least share to that of the greatest, and count all.
	for _, test := range []struct {
		name    string
		shares  []float64
		buckets int
	}{
		{"one value", []float64{0.3}, 1},
		{"both ends", []float64{0, 1}, bins},
		{"a removed operation", []float64{0, 0.05}, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := fieldsOf(t, fieldsOf(t, histogram("h", test.shares))[valueHistogram][0].([]byte))
			if n := len(h[histogramLimit][0].([]byte)) / 8; n != test.buckets {
				t.Errorf("%d edges, want %d", n, test.buckets)
			}
			if n := len(h[histogramCount][0].([]byte)) / 8; n != test.buckets {
				t.Errorf("%d counts, want %d", n, test.buckets)
			}
		})
	}
}
