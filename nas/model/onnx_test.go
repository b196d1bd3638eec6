package model_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas"
	"godarts/nas/fixture"
	"godarts/nas/model"
	"godarts/nas/nastest"
	"godarts/nas/onnx"
	"godarts/nas/runfolder"
	"godarts/nas/train"
	"godarts/torch"
)

// onnxOf exports the network in dir as ONNX.
func onnxOf(t *testing.T, dir string, o onnx.Options) (content []byte, notes []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "network.onnx")
	notes, err := model.ExportONNX(dir, file, o)
	if err != nil {
		t.Fatal(err)
	}
	if content, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	return content, notes
}

func TestExportONNX(t *testing.T) {
	// A run and its export give the same ONNX file, which names weights and classes; an incomplete run is refused.
	run := nastest.TrainedRun(t)
	content, notes := onnxOf(t, run, onnx.Options{})
	if len(notes) > 0 {
		t.Errorf("notes %q", notes)
	}
	for _, name := range []string{"cells.0.preprocess0.op.1.weight", "classifier.bias", `["0","1","2","3","4","5","6","7","8","9"]`} {
		if !bytes.Contains(content, []byte(name)) {
			t.Errorf("the file has no %s", name)
		}
	}
	exported := filepath.Join(t.TempDir(), "exported")
	if _, err := model.Export(run, exported, false); err != nil {
		t.Fatal(err)
	}
	if again, _ := onnxOf(t, exported, onnx.Options{}); !bytes.Equal(again, content) {
		t.Error("the export gives another file")
	}
	if folded, _ := onnxOf(t, run, onnx.Options{Fold: true}); bytes.Contains(folded, []byte("BatchNormalization")) {
		t.Error("a batch norm is left")
	}
	if err := os.Remove(filepath.Join(run, runfolder.ResultFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := model.ExportONNX(run, filepath.Join(t.TempDir(), "x"), onnx.Options{}); err == nil || !strings.Contains(err.Error(), "is not complete") {
		t.Errorf("an incomplete run: %v", err)
	}
}

func TestExportDoubleONNX(t *testing.T) {
	// A network in float64 gives a file of float32, whose weights are rounded.
	dir := filepath.Join(t.TempDir(), "run")
	c := fixture.Load(t, "../testdata/tiny-train.yaml", "network.dtype=float64", "epochs=1")
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	content, _ := onnxOf(t, dir, onnx.Options{})
	sd, err := model.OpenWeights(filepath.Join(dir, runfolder.WeightsFile))
	if err != nil {
		t.Fatal(err)
	}
	defer sd.Close()
	err = torch.Do(func() error {
		bias, err := sd.Load("classifier.bias", torch.Options{Dtype: torch.Float64})
		if err != nil {
			return err
		}
		var want []byte
		for _, v := range bias.Float64s() {
			want = binary.LittleEndian.AppendUint32(want, math.Float32bits(float32(v)))
		}
		if !bytes.Contains(content, want) {
			t.Errorf("the bias in float32, %x, is not in the file", want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestExportLanguageONNX(t *testing.T) {
	// The ONNX file of a language model has the words of its text, or a note that it has not.
	root, dir := t.TempDir(), filepath.Join(t.TempDir(), "run")
	write := func(last string) {
		t.Helper()
		for _, name := range []string{"train.txt", "valid.txt", "test.txt"} {
			if err := os.WriteFile(filepath.Join(root, name), []byte(strings.Repeat("a b c d e f "+last+"\n", 20)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("last")
	c := fixture.Load(t, "../testdata/tiny-text-train.yaml", "data.name=text", "data.root="+root, "data.tokens=0", "epochs=1")
	if _, err := train.Run(t.Context(), dir, c, nas.Settings{}); err != nil {
		t.Fatal(err)
	}
	words := []byte(`["a","b","c","d","e","f","last","\u003ceos\u003e"]`)
	if content, notes := onnxOf(t, dir, onnx.Options{}); len(notes) > 0 || !bytes.Contains(content, words) {
		t.Errorf("notes %q, words in the file: %v", notes, bytes.Contains(content, words))
	}
	write("other")
	content, notes := onnxOf(t, dir, onnx.Options{})
	if want := "[the file has no words of the dictionary: text has other words, or in another order, than the weights know]"; fmt.Sprint(notes) != want || bytes.Contains(content, []byte(`"words"`)) {
		t.Errorf("notes %q, want %s", notes, want)
	}
}
