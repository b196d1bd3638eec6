package bench

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"runtime"

	"godarts/nas/data"
	"godarts/nas/data/folder"
	"godarts/nas/rng"
)

// The JPEG files have the usual size of ImageNet's files, and about as many bytes: 110 kB.
const (
	jpegWidth, jpegHeight = 500, 375
	jpegQuality           = 90
	jpegSide              = 224 // of the images that are made from the files
)

// makeJPEGs writes an image folder of two classes: w.Images files for training, and one
// of each class for test.
func makeJPEGs(dir string, w Work) error {
	for i := range w.Images + 2 {
		part := "train"
		if i >= w.Images {
			part = "val"
		}
		class := filepath.Join(dir, part, fmt.Sprint(i%2))
		if err := os.MkdirAll(class, 0o755); err != nil {
			return err
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, landscape(w.Seed, i), &jpeg.Options{Quality: jpegQuality}); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(class, fmt.Sprintf("%05d.jpg", i)), b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// landscape draws a picture with coarse and fine parts as a photograph has: waves of
// falling amplitude, and a little noise.
func landscape(seed uint64, i int) image.Image {
	r := rng.Stream(int64(seed), "bench.jpeg", i)
	const waves = 6
	var fx, fy, phase [3][waves]float64
	for c := range fx {
		for k := range waves {
			f := 0.01 * math.Pow(2.2, float64(k))
			fx[c][k], fy[c][k], phase[c][k] = f*(2*r.Float64()-1), f*(2*r.Float64()-1), 7*r.Float64()
		}
	}
	m := image.NewRGBA(image.Rect(0, 0, jpegWidth, jpegHeight))
	for y := range jpegHeight {
		for x := range jpegWidth {
			var p [3]uint8
			noise := 24 * (r.Float64() - 0.5)
			for c := range p {
				v := 128 + noise
				for k := range waves {
					v += 50 / float64(k+1) * math.Sin(fx[c][k]*float64(x)+fy[c][k]*float64(y)+phase[c][k])
				}
				p[c] = uint8(min(max(v, 0), 255))
			}
			m.SetRGBA(x, y, color.RGBA{p[0], p[1], p[2], 255})
		}
	}
	return m
}

// prepareDecode decodes the files by the transform for testing on ImageNet. A step decodes
// all files once on one core, with the collection of garbage. One core allows a comparison,
// since both programs use a process or goroutine for each core.
func prepareDecode(w Work) (step, error) {
	set, err := folder.Options{Root: w.Files, Size: jpegSide, Channels: 3}.Open()
	if err != nil {
		return nil, err
	}
	source := &data.Source{Images: set.Train, Augment: data.ImageNet().Evaluation(), Name: "bench", Size: w.Batch}
	return func() *float64 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		for step := range source.Steps() {
			if b := source.Load(0, step); b.Err != nil {
				panic(b.Err) // the files were just written
			}
		}
		return nil
	}, nil
}
