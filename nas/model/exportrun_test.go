package model_test

import (
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"godarts/nas/model"
	"godarts/nas/nastest"
	"godarts/nas/runfolder"
	"godarts/torch"
	"godarts/torch/torchtest"
)

func TestExport(t *testing.T) {
	// A complete training exports weights, genotype and module, from which PyTorch classifies as Classify does; others are refused.
	run := nastest.TrainedRun(t)
	to := filepath.Join(t.TempDir(), "exported")
	files, err := model.Export(run, to, false)
	if err != nil || len(files) != 4 {
		t.Fatalf("%q, %v", files, err)
	}
	text, err := os.ReadFile(filepath.Join(to, runfolder.ExportedGenotypeFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := runfolder.ReadGenotype(run)
	if err != nil || string(text) != want.String()+"\n" {
		t.Errorf("genotype %q, %v, want %v", text, err, want)
	}
	if _, err := model.Export(t.TempDir(), to, false); err == nil || !strings.Contains(err.Error(), "holds no run") {
		t.Errorf("no run: %v", err)
	}
	if err := os.Remove(filepath.Join(run, runfolder.ResultFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := model.Export(run, to, false); err == nil || !strings.Contains(err.Error(), "is not complete") {
		t.Errorf("an incomplete run: %v", err)
	}

	t.Run("in PyTorch", func(t *testing.T) {
		python := model.Pytorch(t)
		torchtest.Scope(t)
		img := image.NewGray(image.Rect(0, 0, 8, 8))
		var values []float32
		for i := range 64 {
			img.SetGray(i%8, i/8, color.Gray{Y: uint8(4 * i)})
			values = append(values, float32(4*i)/255)
		}
		logits := model.InPyTorch(t, python, to, values)
		m, err := model.LoadModel(to, torch.Device{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.Classify(img)
		if err != nil {
			t.Fatal(err)
		}
		torchtest.Close(t, "probabilities", torch.FromSlice(got, 1, 10), torch.FromSlice(logits, 1, 10).Softmax(1), 1e-5)
	})
}
