// Package data holds sets of images and turns them into batches.
//
// Every batch is a pure function of (seed, stream name, epoch, step): loading
// needs no saved state, can be resumed at any step, and gives the same numbers
// with any number of goroutines.
//
// The packages below it read the sets: sets registers and opens them by name, cifar reads
// the CIFAR files, folder reads folders of picture files, and builtin makes the sets that are
// part of the program. picture decodes and scales pictures, corpus reads texts, download
// fetches archives, fingerprint compares what a set holds with what it held.
package data

import (
	"fmt"
	"image"
	"math"
)

// Images is a set of labelled images of one size. They are bytes in memory, or Pictures
// that are scaled to that size when a batch is loaded.
type Images struct {
	N, Channels, Height, Width, Classes int

	Pixels   []uint8  // [N, Channels, Height, Width], 0..Max; nil where there are Pictures
	Pictures Pictures // of N images of any size; nil where there are Pixels
	Labels   []uint16 // [N], 0..Classes-1

	Max       uint8     // the value of full brightness: pixel/Max is in 0..1 (255, or 16 for digits)
	Mean, Std []float32 // [Channels], of pixel/Max
}

// Pictures are images of any size, which are decoded when a batch is loaded and
// forgotten after it. Many goroutines call Decode at a time; the same i always
// gives the same picture. The caller calls free when it does not need the picture any more; free is
// nil only where there is an error.
type Pictures interface {
	Decode(i int) (picture image.Image, free func(), err error)
}

// Files are Pictures that lie in files, one each. The errors of Decode are [Unreadable].
type Files interface {
	Pictures
	// File is the path of picture i from the root of the set.
	File(i int) string
	// ClassFolder is the path of the folder of the class of picture i.
	ClassFolder(i int) string
	// CheckHeader returns an [Unreadable] if the header of file i makes it unusable.
	CheckHeader(i int) *Unreadable
}

// Free is the free of pictures whose memory nobody counts.
func Free() {}

// Photographs are n = len(labels) pictures scaled to size by size, in 3 channels with the
// mean and the deviation of ImageNet, or in 1 channel with the mean of these three.
func Photographs(p Pictures, labels []uint16, classes, size, channels int) *Images {
	m := &Images{
		N: len(labels), Channels: channels, Height: size, Width: size, Classes: classes,
		Pictures: p, Labels: labels, Max: math.MaxUint8,
		Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225},
	}
	if channels == 1 {
		m.Mean, m.Std = []float32{0.449}, []float32{0.226}
	}
	return m
}

// Slice returns images from..to-1. It shares memory with m and panics if the
// range does not lie within 0..N.
func (m *Images) Slice(from, to int) *Images {
	if from < 0 || from > to || to > m.N {
		panic(fmt.Sprintf("data: slice %d..%d of %d images", from, to, m.N))
	}
	part, size := *m, m.size()
	part.N = to - from
	if m.Pictures != nil {
		part.Pictures = slicedPictures{m.Pictures, from}
	} else {
		part.Pixels = m.Pixels[from*size : to*size : to*size]
	}
	part.Labels = m.Labels[from:to:to]
	return &part
}

// size is the number of values of one image.
func (m *Images) size() int { return m.Channels * m.Height * m.Width }

// Decode returns image i as a picture, see [Pictures]. One of 1 channel is grey.
func (m *Images) Decode(i int) (picture image.Image, free func(), err error) {
	if m.Pictures != nil {
		return m.Pictures.Decode(i)
	}
	pixels, plane := m.Pixels[i*m.size():(i+1)*m.size()], m.Height*m.Width
	out := image.NewRGBA(image.Rect(0, 0, m.Width, m.Height))
	for at := range plane {
		for c := range 3 {
			p := pixels[min(c, m.Channels-1)*plane+at]
			out.Pix[4*at+c] = uint8(int(p) * math.MaxUint8 / int(m.Max))
		}
		out.Pix[4*at+3] = math.MaxUint8
	}
	return out, Free, nil
}

// File returns the path of image i from the root of the set, empty if it is not in a file.
func (m *Images) File(i int) string {
	from, at := origin(m.Pictures, i)
	if from == nil {
		return ""
	}
	return from.File(at)
}

// slicedPictures are pictures from one on.
type slicedPictures struct {
	all   Pictures
	first int
}

func (s slicedPictures) Decode(i int) (image.Image, func(), error) { return s.all.Decode(s.first + i) }

// pickedPictures are some of all pictures.
type pickedPictures struct {
	all    Pictures
	picked []int
}

func (p pickedPictures) Decode(i int) (image.Image, func(), error) { return p.all.Decode(p.picked[i]) }

// origin returns the Files from which picture i of p comes, and its number there. It
// returns nil if p are no files.
func origin(p Pictures, i int) (Files, int) {
	for {
		switch from := p.(type) {
		case Files:
			return from, i
		case slicedPictures:
			p, i = from.all, from.first+i
		case pickedPictures:
			p, i = from.all, from.picked[i]
		default:
			return nil, 0
		}
	}
}
