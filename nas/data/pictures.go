package data

import (
	"errors"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// Pictures are images of any size, which are decoded when a batch is loaded and
// forgotten after it. Many goroutines call Decode at a time; the same i always
// gives the same picture. Its caller calls free, which is never nil unless there is
// an error, when it needs the picture no more.
type Pictures interface {
	Decode(i int) (picture image.Image, free func(), err error)
}

// keep is the free of pictures whose memory nobody counts.
func keep() {}

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

// Window says what of a picture is brought to the size of the images. Scaling is
// bilinear over all pixels that fall into one, hence without aliasing; ratios are
// kept but for RandomArea's.
type Window int

const (
	// Whole scales the shorter side to the size and cuts out the middle.
	Whole Window = iota
	// Middle scales the shorter side to 8/7 of the size, 256 for 224, and cuts
	// out the middle: ImageNet's evaluation.
	Middle
	// RandomArea takes a rectangle of 0.08 to 1 of the area and a ratio of 3/4 to
	// 4/3, anywhere in the picture: ImageNet's training.
	RandomArea
)

// decoders has a place for each picture that may be in memory at a time.
var decoders = make(chan struct{}, runtime.GOMAXPROCS(0))

// loadPictures fills b with the picked images.
func (s *Source) loadPictures(b *Batch, picked []int, epoch, step int) {
	m := s.Images
	values := m.normalised(math.MaxUint8)
	errs := make([]error, len(picked))
	var loading sync.WaitGroup
	for i, image := range picked {
		decoders <- struct{}{}
		loading.Go(func() {
			defer func() { <-decoders }()
			r, drawn := s.draw(epoch, step, i)
			pixels, err := s.picture(image, r)
			if err != nil {
				errs[i] = err
				return
			}
			m.put(b.X[i*m.size():(i+1)*m.size()], pixels, s.Augment, drawn, values)
		})
	}
	loading.Wait()
	s.leaveOut(b, errs)
}

// leaveOut makes the first error b's, or drops the images that have one, which can
// leave none.
func (s *Source) leaveOut(b *Batch, errs []error) {
	failed := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if failed < 0 {
		return
	}
	if !s.Skip {
		b.Err = errs[failed]
		return
	}
	size := s.Images.size()
	kept := 0
	for i, err := range errs {
		if err != nil {
			var file *Unreadable
			if !errors.As(err, &file) {
				file = &Unreadable{Why: err.Error()}
			}
			b.LeftOut = append(b.LeftOut, *file)
			continue
		}
		copy(b.X[kept*size:], b.X[i*size:(i+1)*size])
		b.Y[kept] = b.Y[i]
		kept++
	}
	b.N, b.X, b.Y = kept, b.X[:kept*size], b.Y[:kept]
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// picture brings an image to size: [Channels, Height, Width] bytes, 255 being
// full brightness. r is for what is up to chance.
func (s *Source) picture(i int, r *rand.Rand) ([]uint8, error) {
	m := s.Images
	picture, free, err := m.decode(i)
	if err != nil {
		return nil, err
	}
	defer free()
	scaled := s.Augment.Window.scale(picture, m.Width, m.Height, r)
	if s.Augment.Jitter != (Jitter{}) {
		s.Augment.Jitter.draw(r).apply(scaled.Pix)
	}
	return planes(scaled, m.Channels), nil
}

func (m *Images) decode(i int) (picture image.Image, free func(), err error) {
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
	return out, keep, nil
}

// planes takes an image apart: its colours, or their brightness where channels is 1.
func planes(m *image.RGBA, channels int) []uint8 {
	n := m.Rect.Dx() * m.Rect.Dy()
	out := make([]uint8, channels*n)
	for at := range n {
		p := m.Pix[4*at : 4*at+3 : 4*at+3]
		if channels == 1 {
			out[at] = luma(p)
			continue
		}
		out[at], out[n+at], out[2*n+at] = p[0], p[1], p[2]
	}
	return out
}

// luma is the brightness of a colour (ITU-R 601-2).
func luma(p []uint8) uint8 {
	return uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
}

// scale makes an image of that size. What is transparent lies on black.
func (w Window) scale(picture image.Image, width, height int, r *rand.Rand) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	from := picture.Bounds()
	if w == RandomArea {
		resample(out, out.Rect, picture, randomArea(r, from, width, height))
		return out
	}
	from = middle(from, width, height)
	// All of it, scaled, lies around the middle that out shows.
	resample(out, w.around(from.Dx(), from.Dy(), width, height), picture, from)
	return out
}

// mostRatio is how many times the length that an image shows of a picture is looked at.
// The memory of scaling grows with the length, shown or not.
const mostRatio = 8

// middle is what is looked at of a picture of those bounds: all, or its middle where it
// is longer than mostRatio images of its width side by side.
func middle(from image.Rectangle, width, height int) image.Rectangle {
	if most := max(1, mostRatio*from.Dy()*width/height); from.Dx() > most {
		from.Min.X += (from.Dx() - most) / 2
		from.Max.X = from.Min.X + most
	}
	if most := max(1, mostRatio*from.Dx()*height/width); from.Dy() > most {
		from.Min.Y += (from.Dy() - most) / 2
		from.Max.Y = from.Min.Y + most
	}
	return from
}

// around is where a picture of from pixels lies when it is scaled to show its
// middle in an image of width and height. Rounding is that of torchvision's
// Resize and CenterCrop.
func (w Window) around(fromWidth, fromHeight, width, height int) image.Rectangle {
	goal := image.Pt(width, height)
	if w == Middle {
		goal = image.Pt((8*width+3)/7, (8*height+3)/7)
	}
	size := image.Pt(goal.X, fromHeight*goal.X/fromWidth)
	if fromWidth*goal.Y > fromHeight*goal.X { // wider than the image: the height decides
		size = image.Pt(fromWidth*goal.Y/fromHeight, goal.Y)
	}
	half := func(n int) int { return int(math.RoundToEven(float64(n) / 2)) }
	corner := image.Pt(-half(size.X-width), -half(size.Y-height))
	return image.Rectangle{corner, corner.Add(size)}
}

// randomArea draws the rectangle of RandomArea. Where ten do not fit it is the
// middle, as large as those ratios allow. As torchvision's RandomResizedCrop,
// whose ratios belong to square images.
func randomArea(r *rand.Rand, from image.Rectangle, width, height int) image.Rectangle {
	const tries, leastArea, widest = 10, 0.08, 4. / 3
	fromWidth, fromHeight := float64(from.Dx()), float64(from.Dy())
	square := float64(width) / float64(height)
	at := func(x, y, w, h int) image.Rectangle {
		return image.Rect(x, y, x+w, y+h).Add(from.Min)
	}
	for range tries {
		area := fromWidth * fromHeight * (leastArea + (1-leastArea)*r.Float64())
		ratio := square * math.Exp(math.Log(widest)*(2*r.Float64()-1))
		w, h := int(math.RoundToEven(math.Sqrt(area*ratio))), int(math.RoundToEven(math.Sqrt(area/ratio)))
		if w > 0 && w <= from.Dx() && h > 0 && h <= from.Dy() {
			return at(r.IntN(from.Dx()-w+1), r.IntN(from.Dy()-h+1), w, h)
		}
	}
	ratio := min(max(fromWidth/fromHeight, square/widest), square*widest)
	w := max(1, int(math.RoundToEven(min(fromWidth, fromHeight*ratio))))
	h := max(1, int(math.RoundToEven(min(fromHeight, fromWidth/ratio))))
	return at((from.Dx()-w)/2, (from.Dy()-h)/2, w, h)
}
