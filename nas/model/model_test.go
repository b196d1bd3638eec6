package model

import (
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"

	"godarts/torch"
)

func TestClassifyColour(t *testing.T) {
	// Channels come in the order red, green, blue, each normalised by its own mean and deviation.
	m := &Model{about: Description{InputChannels: 3, Mean: []float32{0, 0.5, 1}, Std: []float32{1, 0.5, 0.25}}}
	img := image.NewRGBA(image.Rect(0, 0, 2, 1))
	img.SetRGBA(0, 0, color.RGBA{255, 0, 0, 255})
	img.SetRGBA(1, 0, color.RGBA{0, 255, 255, 255})
	if got, want := m.deepPixels(img), []float32{1, -1, -4, 0, 1, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLoadModelOfNothing(t *testing.T) {
	// The error names the folder when it holds no trained network.
	dir := t.TempDir()
	if _, err := LoadModel(dir, torch.Device{}); err == nil || !strings.HasPrefix(err.Error(), "nas: "+dir+" has no trained network: ") {
		t.Errorf("got %v", err)
	}
}
