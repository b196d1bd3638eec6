package data

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // a format of picture files
	_ "image/png"  // likewise
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/image/draw"
)

// Pictures are images of any size, which are decoded when a batch is loaded and
// forgotten after it. Many goroutines call Decode at a time; the same i always
// gives the same picture.
type Pictures interface {
	Decode(i int) (image.Image, error)
}

// slicedPictures are pictures from one on.
type slicedPictures struct {
	all   Pictures
	first int
}

func (s slicedPictures) Decode(i int) (image.Image, error) { return s.all.Decode(s.first + i) }

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

// Skipped counts the images that could not be decoded and were left out.
type Skipped struct {
	mu   sync.Mutex
	seen map[string]bool // what was wrong, of each
}

func (s *Skipped) add(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	s.seen[err.Error()] = true
}

// Count is the number of different images left out so far, and first what is
// wrong with the first of them in the order of the alphabet.
func (s *Skipped) Count() (n int, first string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for text := range s.seen {
		if first == "" || text < first {
			first = text
		}
	}
	return len(s.seen), first
}

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

// leaveOut makes the first error b's, or drops the images that have one.
func (s *Source) leaveOut(b *Batch, errs []error) {
	failed := slices.IndexFunc(errs, func(err error) bool { return err != nil })
	if failed < 0 {
		return
	}
	if s.Skipped == nil {
		b.Err = errs[failed]
		return
	}
	size := s.Images.size()
	kept := 0
	for i, err := range errs {
		if err != nil {
			s.Skipped.add(err)
			continue
		}
		copy(b.X[kept*size:], b.X[i*size:(i+1)*size])
		b.Y[kept] = b.Y[i]
		kept++
	}
	b.N, b.X, b.Y = kept, b.X[:kept*size], b.Y[:kept]
	if kept == 0 {
		b.Err = fmt.Errorf("%w; nor could any other of the %s of its batch be used", errs[0], count(len(errs), "image"))
	}
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
	picture, err := m.decode(i)
	if err != nil {
		return nil, err
	}
	scaled := s.Augment.Window.scale(picture, m.Width, m.Height, r)
	if s.Augment.Jitter != (Jitter{}) {
		s.Augment.Jitter.draw(r).apply(scaled.Pix)
	}
	return planes(scaled, m.Channels), nil
}

func (m *Images) decode(i int) (image.Image, error) {
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
	return out, nil
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
		draw.BiLinear.Scale(out, out.Rect, picture, randomArea(r, from, width, height), draw.Src, nil)
		return out
	}
	// All of the picture, scaled, lies around the middle that out shows.
	to := w.around(from.Dx(), from.Dy(), width, height)
	if to.Size() == from.Size() {
		draw.Draw(out, out.Rect, picture, from.Min.Sub(to.Min), draw.Src)
		return out
	}
	draw.BiLinear.Scale(out, to, picture, from, draw.Src, nil)
	return out
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

// mostPixels bounds the memory of one picture: a few bytes in a file can claim
// any size.
const mostPixels = 1 << 28

// decodeFile reads a JPEG or PNG file, whatever its name says. Errors do not name
// the file.
func decodeFile(file string) (image.Image, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	header, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if header.Width < 1 || header.Height < 1 || header.Width > mostPixels/header.Height {
		return nil, fmt.Errorf("%d by %d pixels, want 1 to %d in all", header.Width, header.Height, mostPixels)
	}
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if paletted, ok := picture.(*image.Paletted); ok { // which scaling takes colour by colour through interfaces
		out := image.NewRGBA(paletted.Rect)
		draw.Draw(out, out.Rect, paletted, paletted.Rect.Min, draw.Src)
		return out, nil
	}
	return picture, nil
}
